"""The cases of the parity test: which distributions, and which program among them shows a row of the parity table."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.finder.generate import AGAIN, NSPKG, PKGUTIL
from tests.finder.scenario import Distribution, Loose

__all__ = ["CASES", "POINTS", "REG", "Case", "dist"]


def dist(
    name: str, files: str | dict[str, str], where: str = "locked", version: str = "1.0", entry_points: str = ""
) -> Distribution:
    """Describe a distribution; *files* are paths, or paths with texts."""
    info = f"{name.replace('-', '_').lower()}-{version}.dist-info"
    texts = files if isinstance(files, dict) else dict.fromkeys(files.split(), "")
    written = {path: text or f"who = '{name} {version} in {where}'\n" for path, text in texts.items()}
    written[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: idna\n\n"
    if entry_points:
        written[f"{info}/entry_points.txt"] = entry_points
    return Distribution(name=name, version=version, where=where, info=info, files=written)


def loose(where: str, paths: str) -> list[Loose]:
    return [Loose(where=where, path=path, text=f"who = 'loose in {where}'\n") for path in paths.split()]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Distributions, and a program of ``tests/probes/parity`` that is run among them."""

    program: str = ""
    distributions: list[Distribution]
    loose: list[Loose] = field(default_factory=list)
    flags: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    since: tuple[int, int] = (3, 8)
    expected: str  # in what the plain environment's program says: it does see what the case is about


CALL = "def answer(x):\n    import reg.sub\n    return 'child', reg.sub.__file__, reg.__path__[0]\n"
REG = dist("reg", {"reg/__init__.py": "", "reg/sub.py": "", "reg/call.py": CALL})
SIX = dist("six", "six.py")
TOOL = dist("tool", {"tool/__init__.py": "", "tool/__main__.py": "who = __name__, __spec__.origin\nprint(who)\n"})
POINTS = "[group]\na = reg:who\n"
COUNT = "import sys; sys.count = getattr(sys, 'count', 0) + 1\n"
PTH = {
    "a.pth": "import sys; sys.said = getattr(sys, 'said', []) + ['a']\n",
    "b.pth": "import sys; sys.said.append('b')\nimport missing_thing\nimport sys; sys.said.append('never')\n",
    "c.pth": "\n# comment\nextra\nmissing_folder\nimport sys; sys.said.append('c')\n",
    "extra/extra_module.py": "",
}


def pkgutil_style(name: str, where: str = "locked") -> Distribution:
    return dist(f"pk-{name}", {"pk/__init__.py": PKGUTIL, f"pk/{name}.py": ""}, where)


CASES = {
    "1-standard-library": Case(
        program="standard_library",
        distributions=[dist("shadow", "dataclasses.py statistics.py colorsys.py mine.py")],
        expected="[False, False, False, True]",
    ),
    "1-pythonpath": Case(
        program="winner",
        distributions=[REG, dist("reg", "reg/__init__.py", "before", "3.0")],
        environ={"PYTHONPATH": "{before}"},
        expected="reg 3.0 in before",
    ),
    "1-script-folder": Case(
        program="winner", distributions=[REG], loose=loose("script", "reg.py"), expected="loose in script"
    ),
    "1-inserted": Case(
        program="inserted", distributions=[REG], loose=loose("before", "reg/__init__.py"), expected="loose in before"
    ),
    "2-appended": Case(
        program="appended",
        distributions=[REG, dist("reg", "reg/__init__.py other.py", "after", "4.0")],
        expected="reg 1.0 in locked",
    ),
    "3-bare-folder": Case(
        program="winner", distributions=[REG], loose=loose("script", "reg/mine.py"), expected="reg 1.0 in locked"
    ),
    "4-imports-itself-again": Case(
        program="imports_itself_again",
        distributions=[dist("cv2", {"cv2/__init__.py": AGAIN.format(at=1) + "who = 'outer'\n", "cv2/cv2.py": ""})],
        expected="cv2",
    ),
    "5-site-removed": Case(program="site_removed", distributions=[REG], expected="No module named 'reg'"),
    "7-shared-folder": Case(
        program="shared_folder",
        distributions=[dist("reg", "reg/__init__.py"), dist("reg-part", {"reg/part.py": "", "reg/part.txt": "text"})],
        expected="True, True",
    ),
    "7-real-beside-locked": Case(
        program="real_beside_locked",
        distributions=[REG],
        loose=loose("site", "reg/late.py reg/deep/later.py"),
        expected="late.py",
    ),
    "8-foreign-path-hook": Case(
        program="foreign_path_hook",
        distributions=[REG, dist("ns-a", "ns/a.py"), SIX],
        expected="[True, True, True, True]",
    ),
    "9-wraps-path-finder": Case(program="wraps_path_finder", distributions=[REG, SIX], expected="True, True, True"),
    "9-lazy-loader": Case(program="lazy_loader", distributions=[REG], expected="_LazyModule"),
    "10-asks-path-finder": Case(
        program="asks_path_finder",
        distributions=[REG, dist("plugin", "plugin.py", entry_points="[pytest11]\nplugin = plugin\n")],
        expected="plugin.py",
    ),
    "11-pkgutil": Case(
        program="pkgutil_functions",
        distributions=[REG, SIX, dist("pk", {"pk/__init__.py": PKGUTIL, "pk/text.txt": "text"})],
        loose=loose("site", "real.py"),
        expected="reg.sub",
    ),
    "14-namespaces": Case(
        program="namespaces",
        distributions=[
            dist("ns-a", "ns/a.py ns/deep/x.py"),
            dist("ns-b", "ns/b.py ns/deep/y.py"),
            dist("ns-real", "ns/c.py", "site"),
            dist("ns-after", "ns/d.py ns/a.py", "after"),
        ],
        expected="ns-after 1.0",
    ),
    "14-shadowed-by-a-package": Case(
        program="shadowed_namespace",
        distributions=[dist("ns-a", "ns/a.py")],
        loose=loose("after", "ns/__init__.py"),
        expected="after/ns/__init__.py",
    ),
    "15-pkgutil-style": Case(
        program="pkgutil_style",
        distributions=[pkgutil_style("a"), pkgutil_style("b"), pkgutil_style("c", "site"), pkgutil_style("d", "after")],
        expected="pk-d 1.0 in after",
    ),
    "15-nspkg-pth": Case(
        program="nspkg_pth",
        distributions=[
            dist("nsp-a", {"nsp/a.py": "", "nsp_a-nspkg.pth": NSPKG.format("nsp")}),
            dist("nsp-b", {"nsp/b.py": "", "nsp_b-nspkg.pth": NSPKG.format("nsp")}),
        ],
        expected="nsp-b 1.0",
    ),
    "18-data-files": Case(
        program="data_files",
        distributions=[dist("reg", {"reg/__init__.py": "", "reg/data/text.txt": "inside"})],
        expected="inside",
    ),
    "19-pth-files": Case(program="pth_files", distributions=[dist("pth", PTH)], expected="extra_module"),
    "21-metadata": Case(
        program="metadata_precedence",
        distributions=[
            dist("one", "one.py", entry_points=POINTS),
            dist("two", "two.py", entry_points=POINTS),
            dist("two", "two.py", "before", "3.0"),
            dist("three", "three.py"),
            dist("three", "three.py", "site", "2.0"),
            dist("one", "one.py", "after", "4.0"),
            dist("four", "four.py", "after", "4.0"),
        ],
        environ={"PYTHONPATH": "{before}"},
        expected="['1.0', '3.0', '2.0', '4.0']",
    ),
    "21-packages-distributions": Case(
        program="packages_distributions",
        distributions=[dist("one", "one.py ns/one.py"), dist("two", "ns/two.py")],
        since=(3, 11),  # 3.10 reads top_level.txt only
        expected="'ns': ['one', 'two']",
    ),
    "22-names": Case(program="names", distributions=[dist("Zope.Interface", "zi.py")], expected="1.0"),
    "24-spellings": Case(
        program="spellings", distributions=[REG, dist("real", "real.py", "site", "2.0")], expected="reg 1.0"
    ),
    "36-run-twice": Case(program="run_twice", distributions=[dist("twice", {"twice.pth": COUNT}), REG], expected="2"),
    **{
        f"38-flag{''.join(flags)}": Case(
            program="flags", distributions=[REG], flags=flags, expected="<site>/reg/sub.py"
        )
        for flags in (("-I",), ("-E",), ("-s",), ("-O",), ("-OO",), ("-b",), ("-X", "dev"), ("-X", "utf8"))
    },
    "38-flag-P": Case(program="flags", distributions=[REG], flags=("-P",), since=(3, 11), expected="<site>/reg/sub.py"),
    "38-flag-Xfrozen_modules=off": Case(
        program="flags", distributions=[REG], flags=("-X", "frozen_modules=off"), since=(3, 11), expected="reg/sub.py"
    ),
    "38-dash-m": Case(distributions=[TOOL], flags=("-m", "tool"), expected="__main__"),
    "38-dash-m-module": Case(
        distributions=[dist("tool", {"tool.py": "print(__spec__.origin)\n"})], flags=("-m", "tool"), expected="tool"
    ),
    "38-dash-m-no-main": Case(distributions=[REG], flags=("-m", "reg"), expected="reg.__main__"),
    "38-runpy": Case(program="runpy_modules", distributions=[TOOL, REG], expected="<site>/tool/__main__.py"),
    "38-spawn": Case(program="spawn", distributions=[REG], expected="child"),
    "38-forkserver": Case(program="forkserver", distributions=[REG], expected="child"),
    "38-fork": Case(program="fork", distributions=[REG], expected="child"),
    "38-without-site": Case(
        program="without_site", distributions=[REG], flags=("-S",), expected="No module named 'reg'"
    ),
    "38-environment-on-top": Case(program="environment_on_top", distributions=[REG], expected="No module named 'reg'"),
    "38-subinterpreter": Case(program="subinterpreter", distributions=[REG], expected="reg 1.0 in locked 1.0"),
}

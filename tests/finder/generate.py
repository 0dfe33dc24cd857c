"""Hypothesis strategies for scenarios.

There are few names, so that things meet: the same name as a package here, a module there, a bare folder elsewhere.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.finder.scenario import Distribution, Loose, Scenario, Step

__all__ = ["import_steps", "metadata_steps", "scenarios"]

# `colorsys` is a module of the standard library that no interpreter has loaded at its start.
MODULES = ("alpha", "beta", "colorsys")
PROJECTS = ("Foo.Bar", "foo-baz", "zed")
SUBMODULES = ("sub", "inner", "inner.leaf", "late", "missing")
FOLDERS = ("before", "script", "site", "after")
SPELLINGS = ("site", "alias", "slash", "inner")

modules = st.sampled_from(MODULES)
projects = st.sampled_from(PROJECTS)
spelled = st.sampled_from([*PROJECTS, "foo_bar", "FOO.baz", "foo--bar", "missing"])
dotted = st.one_of(
    modules,
    st.builds("{}.{}".format, modules, st.sampled_from(SUBMODULES)),
    st.sampled_from(["missing", "missing.sub", "late", "extra_module"]),
)
PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
# As OpenCV's: imports itself again after changing sys.path.
AGAIN = """\
import importlib, os, sys
if not hasattr(sys, 'again_' + __name__):
    setattr(sys, 'again_' + __name__, True)
    before = list(sys.path)
    sys.path.insert({at}, os.path.dirname(os.path.abspath(__file__)))
    known = sys.modules.pop(__name__)
    known = importlib.import_module(__name__)
    sys.path[:] = before
"""
BROKEN = "raise {}('from ' + __name__)\n"
NSPKG = (
    "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('{0}',));"
    "importlib = __import__('importlib.util');__import__('importlib.machinery');"
    "m = sys.modules.setdefault('{0}', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('{0}', [os.path.dirname(p)])));"
    "m = m or sys.modules.setdefault('{0}', types.ModuleType('{0}'));"
    "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n"
)
SAID = "import sys; sys.start_up.append(('{where}', '{who}'))\n"
START_UP = (
    SAID,
    SAID + "import missing_from_pth\n" + SAID,
    "# a comment\n\nimport sys; sys.start_up.append(('{where}', [sitedir.endswith('site-packages'), name, '{who}']))\n",
)


@st.composite
def _body(draw: st.DrawFn, who: str) -> dict[str, str]:
    """What one top-level name of a distribution consists of, from the folder with its name on."""
    kind = draw(st.sampled_from(["regular", "module", "bare", "pkgutil", "again", "both"]))
    text = f"who = {who!r}\n"
    if kind == "module":
        return {".py": text + draw(st.sampled_from(["", BROKEN.format("ValueError"), "import missing_thing\n"]))}
    files = {
        "/sub.py": text,
        "/inner/leaf.py": text,
        "/inner/__init__.py": text,
        "/inner.py": text,
        "/text.txt": who,
    }
    kept = draw(
        st.lists(
            st.sampled_from(sorted(files)),
            unique=True,
            min_size=1 if kind == "bare" else 0,
        )
    )
    body = {path: files[path] for path in kept}
    if kind == "bare" and kept == ["/text.txt"]:
        body["/sub.py"] = text
    if kind == "both":
        body[".py"] = text
    first = {
        "pkgutil": PKGUTIL,
        "again": AGAIN.format(at=draw(st.sampled_from([0, 1, 2]))),
    }.get(kind, "")
    if kind != "bare":
        body["/__init__.py"] = first + text
    return body


@st.composite
def _metadata(draw: st.DrawFn, name: str, version: str, info: str) -> dict[str, str]:
    needs = draw(st.sampled_from(["", "Requires-Dist: zed>=1\n", "Requires-Dist: beta; extra == 'x'\n"]))
    files = {info + "/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\n"}
    if info.endswith("egg-info"):
        files = {info + "/PKG-INFO": files[info + "/METADATA"]}
    if draw(st.booleans()):
        module = draw(modules)
        point = draw(st.sampled_from([module, module + ":who", module + ".sub:who"]))
        files[info + "/entry_points.txt"] = f"[group]\npoint = {point}\n[other]\n{name} = missing_thing\n"
    if draw(st.booleans()):
        files[info + "/top_level.txt"] = draw(modules) + "\n"
    return files


@st.composite
def _start_up(draw: st.DrawFn, who: str, where: str, files: dict[str, str]) -> dict[str, str]:
    place = "locked" if where == "locked" else "real"
    text = draw(st.sampled_from(START_UP)).format(where=place, who=who)
    found = {f"{who}.pth": text}
    if place == "real":
        return found
    # What only locked ones have: the order of what real and locked start-up files do is not kept.
    kind = draw(st.sampled_from(["plain", "folder", "nspkg"]))
    bare = sorted({path.split("/")[0] for path in files if "/" in path})
    if kind == "folder":
        found = {
            f"{who}.pth": f"extra_{who}\nmissing_folder\n" + text,
            f"extra_{who}/extra_module.py": f"who='{who}'\n",
        }
    elif kind == "nspkg":
        names = [name for name in bare if f"{name}/__init__.py" not in files and f"{name}.py" not in files]
        if names:
            found = {f"{who}-nspkg.pth": NSPKG.format(names[0])}
    return found


@st.composite
def _distribution(draw: st.DrawFn, name: str, where: str, version: str) -> Distribution:
    who = f"{where}{version.replace('.', '')}{name.lower().replace('.', '').replace('-', '')}"
    files: dict[str, str] = {}
    for module in draw(st.lists(modules, unique=True, min_size=1, max_size=2)):
        files.update({module + path: text for path, text in draw(_body(who)).items()})
    if where in ("locked", "site") and draw(st.integers(0, 4)) == 4:
        files.update(draw(_start_up(who, where, files)))
    escaped = draw(st.sampled_from([name.replace("-", "_"), name.lower().replace("-", "_").replace(".", "_")]))
    suffixes = ["dist-info"] if where == "locked" else ["dist-info", "dist-info", "egg-info", ""]
    suffix = draw(st.sampled_from(suffixes))
    info = f"{escaped}-{version}.{suffix}" if suffix else ""
    if info:
        files.update(draw(_metadata(name, version, info)))
    return Distribution(name=name, version=version, where=where, info=info, files=files)


@st.composite
def _distributions(draw: st.DrawFn) -> list[Distribution]:
    found = [
        draw(_distribution(name, "locked", "1.0"))
        for name in draw(st.lists(projects, unique=True, min_size=1, max_size=3))
    ]
    places = st.tuples(projects, st.sampled_from(FOLDERS))
    for name, where in draw(st.lists(places, unique=True, max_size=3)):
        found.append(draw(_distribution(name, where, {"site": "2.0", "before": "3.0"}.get(where, "4.0"))))
    return found


@st.composite
def _loose(draw: st.DrawFn) -> Loose:
    where = draw(st.sampled_from(FOLDERS))
    text = f"who = 'loose in {where}'\n"
    if where == "site":
        # Names that no distribution has, so that nobody overwrites anybody.
        path = draw(st.sampled_from(["alpha/late.py", "beta/late.py", "alpha/inner/late.py", "late.py"]))
    else:
        path = draw(
            st.sampled_from(
                [
                    "alpha.py",
                    "alpha/__init__.py",
                    "alpha/sub.py",
                    "alpha/late.py",
                    "beta/inner/leaf.py",
                ]
            )
        )
    return Loose(where=where, path=path, text=text)


def _step(kind: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(kind), *arguments).map(list)


def import_steps() -> st.SearchStrategy[Step]:
    """Return questions about modules."""
    statements = [
        "import {0}.sub as found",
        "from {0} import sub",
        "from {0} import late",
        "from {0} import *",
    ]
    return st.one_of(
        _step("load", dotted),
        _step("find_spec", dotted),
        _step("path_finder", dotted),
        _step("path_finder_in", modules, st.sampled_from([*FOLDERS, *SPELLINGS])),
        _step("path_entry", modules),
        _step("statement", st.builds(str.format, st.sampled_from(statements), modules)),
        _step("file_location", dotted),
        _step("reload", dotted),
        _step("forget", dotted),
        _step("iter_modules", st.none() | modules),
        _step("iter_folder", st.sampled_from(SPELLINGS)),
        _step("walk_packages", st.none() | modules),
        _step("extend_path", dotted),
        _step(
            "get_data",
            modules,
            st.sampled_from(["text.txt", "inner/leaf.py", "sub.py", "missing.txt"]),
        ),
        _step("resources", modules),
    )


def metadata_steps() -> st.SearchStrategy[Step]:
    """Return questions about distributions."""
    places = st.lists(st.sampled_from([*FOLDERS, *SPELLINGS]), max_size=3)
    return st.one_of(
        _step("version", spelled),
        _step("metadata", spelled),
        _step("requires", spelled),
        _step("files", spelled),
        _step(
            "read_text",
            spelled,
            st.sampled_from(["METADATA", "entry_points.txt", "INSTALLER", "missing"]),
        ),
        _step("entry_points"),
        _step("entry_point_load", st.just("group")),
        _step("distributions"),
        _step("distributions_in", places),
        _step("distributions_named", spelled),
        _step("named_in", spelled, places),
        _step("packages_distributions"),
    )


def _path_steps() -> st.SearchStrategy[Step]:
    places = st.sampled_from([*FOLDERS, *SPELLINGS])
    return st.one_of(
        _step("path_insert", places, st.sampled_from([0, 1, 2])),
        _step("path_append", places),
        _step("path_remove", places),
        _step("path_respell", st.sampled_from(SPELLINGS)),
        _step("path_object"),
        _step("sys_path"),
        _step("invalidate_caches"),
        _step("clear_importer_cache"),
        _step("forget_site_finder"),
        _step("foreign_path_hook"),
        _step("foreign_meta_finder", st.sampled_from(["PathFinder", "rest"])),
        _step("addsitedir_again"),
    )


def _disk_steps(spare: list[Distribution]) -> st.SearchStrategy[Step]:
    keys = st.sampled_from([dist.key for dist in spare])
    lates = st.sampled_from(["alpha/late.py", "beta/late.py", "alpha/inner/late.py", "late.py"])
    return st.one_of(
        _step("install", keys),
        _step("uninstall", keys),
        _step("write", st.sampled_from(FOLDERS), lates, st.just("who = 'written late'\n")),
        _step("delete", st.sampled_from(FOLDERS), lates),
    )


@st.composite
def scenarios(draw: st.DrawFn, *, questions: st.SearchStrategy[Step] | None = None) -> Scenario:
    """Draw a scenario; with *questions*, one that asks only those and changes nothing on the way."""
    distributions = draw(_distributions())
    loose = draw(st.lists(_loose(), max_size=2))
    spare: list[Distribution] = []
    if questions is None:
        spare = [draw(_distribution(name, "site", "5.0")) for name in draw(st.lists(projects, unique=True, min_size=1))]
        questions = st.one_of(import_steps(), metadata_steps(), _path_steps(), _disk_steps(spare))
    steps = draw(st.lists(questions, min_size=1, max_size=12))
    return Scenario(distributions=distributions, loose=loose, spare=spare, steps=steps)

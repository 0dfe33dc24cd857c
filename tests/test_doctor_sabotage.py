"""A table of sabotages, one for each check at least: what the doctor says of it, and that its advice mends it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from multisite.dispatch import DispatchTable
from multisite.doctor import CHECKS, damaged_builds, examine, unopened
from multisite.environment import Environment
from multisite.errors import NotAnEnvironment
from multisite.interpreter import Interpreter, inspect_interpreter
from multisite.names import normalize
from multisite.state import StateProject
from multisite.wanted import Wanted
from multisite.workshop import Workshop
from tests.builders import make_wheel, record_hash, write_tree

if TYPE_CHECKING:
    from multisite.report import Finding
    from multisite.state import EnvironmentState

COMMON = {"__init__.py": "shared = True\n"}


def basic_wheels(folder: Path) -> list[Path]:
    """Make the distributions of the environment that every sabotage starts from."""
    return [
        make_wheel(
            folder,
            "alpha",
            files={"alpha": {"__init__.py": "def main(): print('alpha')\n", "text.txt": "12345"}},
            entry_points={"console_scripts": {"alpha": "alpha:main"}},
            data={
                "scripts": {"alpha-tool": "#!python\nprint('tool')\n", "alpha-sh": "#!/bin/sh\n"},
                "data": {"share": {"alpha": {"conf.json": "{}"}}, "bin": {"alpha-data": "#!/bin/sh\n"}},
            },
            requires=["beta >=1", "gamma[x]", "absent; extra == 'y'", "absent; sys_platform == 'none'"],
        ),
        make_wheel(folder, "beta", files={"beta.py": "", "ns": {"beta": {"__init__.py": ""}}}),
        make_wheel(
            folder,
            "gamma",
            files={"ns": {"gamma": {"__init__.py": ""}}},
            requires=["delta; extra == 'x'"],
            metadata="Provides-Extra: x",
        ),
        make_wheel(folder, "delta", files={"delta": {"__init__.py": ""}, "foreign.cpython-27-none.so": ""}),
        make_wheel(folder, "epsilon", files={"common": {**COMMON, "e.py": ""}}),
        make_wheel(folder, "zeta", files={"common": {**COMMON, "z.py": ""}}),
    ]


def lockfile_of(wheels: list[Path]) -> str:
    text = ['lock-version = "1.0"\ncreated-by = "tests"\n']
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        text.append(
            f'[[packages]]\nname = "{name.replace("_", "-")}"\nversion = "{version}"\n'
            f'wheels = [{{path = "{wheel}", hashes = {{sha256 = "{digest}"}}}}]\n'
        )
    return "\n".join(text)


@dataclass(frozen=True, slots=True)
class Case:
    """A copy of the environment, its store and its wheels."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / "venv"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def environment(self) -> Environment:
        return Environment.open(self.venv)

    @property
    def site(self) -> Path:
        return self.environment.site_packages

    @property
    def state(self) -> EnvironmentState:
        state = self.environment.read_state()
        assert state is not None
        return state

    def entry(self, name: str) -> Path:
        return next((self.store / "multi-site-packages" / name).glob("*/*"))

    def change_state(self, **changes: object) -> None:
        self.environment.write_state(replace(self.state, **changes))  # type: ignore[arg-type]

    def wheel(self, name: str, version: str = "1.0", **options: object) -> Path:
        return make_wheel(self.root / "wheels", name, version, **options)  # type: ignore[arg-type]

    def with_wheels(self, *more: Path) -> None:
        """Sync with the lockfile of all wheels and *more*; of one that is there already, with the newer."""
        wheels = {wheel.name.split("-")[0]: wheel for wheel in sorted((self.root / "wheels").glob("*-1.0-*"))}
        wheels.update({wheel.name.split("-")[0]: wheel for wheel in more})
        (self.venv / "pylock.toml").write_text(lockfile_of(list(wheels.values())))
        self.sync()

    def sync(self, **options: object) -> None:
        workshop = Workshop({}, stores=[self.store], offline=True)
        before = workshop.known_state(self.environment)
        lockfile = self.environment.lockfile if before is None else self.environment.lockfile_of(before)
        wanted = Wanted.from_lockfile(lockfile, self.environment, before)
        workshop.sync(self.environment, wanted, **options)  # type: ignore[arg-type]

    def examine(
        self, *, deep: bool = False, store: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> tuple[Finding, ...]:
        try:
            remains = Environment.remains(self.venv)
        except NotAnEnvironment as error:
            return unopened(self.venv, error)
        return examine(remains, environ=environ or {}, deep=deep, stores=[store] if store else [])

    def mend(self, findings: tuple[Finding, ...]) -> None:
        """Do what the findings say, as the shell and the command line would."""
        for fix in dict.fromkeys(finding.fix for finding in findings):
            assert fix is not None
            for command in fix.split(" && "):
                if command == f"multisite sync --venv {self.venv}":
                    self.sync()
                elif command == f"multisite doctor --fix --venv {self.venv}":
                    self.sync(anew=damaged_builds(findings))
                else:
                    # uv is installed beside the interpreter that runs this.
                    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
                    subprocess.run(["/bin/sh", "-c", command], check=True, env={**os.environ, "PATH": path})


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("doctor") / "case"
    wheels = basic_wheels(root / "wheels")
    environment = Environment.create(root / "venv", inspect_interpreter(Path(sys.executable)))
    environment.lockfile.write_text(lockfile_of(wheels))
    Case(root).sync()
    shutil.copytree(root, root.with_name("pristine"), symlinks=True)
    return root


@pytest.fixture
def case(pristine: Path) -> Case:
    # In the same place each time, for the paths in it.
    shutil.rmtree(pristine)
    shutil.copytree(pristine.with_name("pristine"), pristine, symlinks=True)
    return Case(pristine)


Sabotage = Callable[[Case], None]


def write(path: str, content: str) -> Sabotage:
    def sabotage(case: Case) -> None:
        write_tree(case.root, {path: content})

    return sabotage


def remove(path: str) -> Sabotage:
    def sabotage(case: Case) -> None:
        (case.root / path).unlink()

    return sabotage


def in_entry(name: str, path: str, content: str | None) -> Sabotage:
    def sabotage(case: Case) -> None:
        target = case.entry(name) / path
        target.unlink(missing_ok=True)
        if content is not None:
            target.write_text(content)

    return sabotage


def in_site(path: str, content: str) -> Sabotage:
    def sabotage(case: Case) -> None:
        write_tree(case.site, {path: content})

    return sabotage


def really_installed(name: str, version: str, files: dict[str, str], requires: str = "") -> Sabotage:
    def sabotage(case: Case) -> None:
        info = f"{name}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
        everything = {**files, f"{info}/METADATA": metadata, f"{info}/INSTALLER": "uv\n"}
        rows = [f"{path},{record_hash(text.encode())},{len(text)}" for path, text in everything.items()]
        write_tree(case.site, {**everything, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,", ""])})

    return sabotage


def other_interpreter(case: Case) -> None:
    case.change_state(python=replace(case.state.python, key="cpython-3.0.0-none"))


def other_file_of_the_interpreter(case: Case) -> None:
    case.change_state(python=replace(case.state.python, mtime_ns=1))


def broken_interpreter(case: Case) -> None:
    python = case.environment.python
    python.unlink()
    python.write_text("#!/bin/sh\necho 'no libpython' >&2\nexit 127\n")
    python.chmod(0o755)


def store_gone(case: Case) -> None:
    case.store.rename(case.root / "elsewhere")


def lockfile_from_before(case: Case) -> None:
    old = (case.venv / "pylock.toml").read_bytes()
    case.with_wheels(case.wheel("beta", "2.0", files={"beta.py": "v = 2\n"}))
    (case.venv / "pylock.toml").write_bytes(old)


def lockfile_for_another_python(case: Case) -> None:
    path = case.venv / "pylock.toml"
    path.write_text(path.read_text().replace("created-by", 'requires-python = "<3"\ncreated-by', 1))
    case.change_state(lock_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    rebind(case, sha256=case.state.lock_sha256)


def rebind(case: Case, **changes: object) -> None:
    path = case.venv / ".multisite" / "table"
    binding, table = DispatchTable.decode(path.read_bytes(), path)
    path.write_bytes(_encoded(table, {**binding, **changes}))


def _encoded(table: DispatchTable, binding: dict[str, object]) -> bytes:
    from multisite.dispatch import Binding

    return table.encode(Binding(**binding))  # type: ignore[arg-type]


def nothing_of_an_environment(case: Case) -> None:
    (case.venv / "pyvenv.cfg").unlink()
    shutil.rmtree(case.venv / ".multisite")


def other_build_chosen(case: Case) -> None:
    builds = dict(case.state.builds)
    builds[next(iter(builds))] = replace(builds[next(iter(builds))], artifact="0" * 64)
    case.change_state(builds=builds)


def table_of_another_environment(case: Case) -> None:
    rebind(case, id="0" * 32)


def table_elsewhere(case: Case) -> None:
    path = case.venv / ".multisite" / "table"
    binding, table = DispatchTable.decode(path.read_bytes(), path)
    rows = list(table.plain["distributions"])
    rows[0] = (*rows[0][:2], rows[1][2], *rows[0][3:])
    path.write_bytes(_encoded(DispatchTable({**table.plain, "distributions": tuple(rows)}), binding))


def table_without_names(case: Case) -> None:
    path = case.venv / ".multisite" / "table"
    binding, table = DispatchTable.decode(path.read_bytes(), path)
    path.write_bytes(_encoded(DispatchTable({**table.plain, "names": {}}), binding))


def stale_bytecode(case: Case) -> None:
    compiled = next((case.venv / ".multisite/runtime/__pycache__").glob("messages.*.pyc"))
    data = bytearray(compiled.read_bytes())
    data[8] ^= 0xFF
    compiled.write_bytes(data)


def finder_taken_away(case: Case) -> None:
    line = "import sys; sys.meta_path[:] = [f for f in sys.meta_path if not hasattr(f, 'site')]\n"
    (case.site / "zz.pth").write_text(line)


def entry_gone(case: Case) -> None:
    shutil.rmtree(case.entry("beta"))


def shared_changed(case: Case) -> None:
    path = next(case.store.glob("shared/*/site-packages/common/e.py"))
    path.unlink()
    path.write_text("changed = 1\n")


def shared_gone(case: Case) -> None:
    shutil.rmtree(next(case.store.glob("shared/[!.]*")))


def two_with_one_file(case: Case) -> None:
    case.with_wheels(case.wheel("zeta", "2.0", files={"common": {"__init__.py": "shared = 2\n", "z.py": ""}}))


def two_with_one_program(case: Case) -> None:
    points = {"console_scripts": {"alpha": "delta:other"}}
    case.with_wheels(case.wheel("delta", "2.0", files={"delta": {"__init__.py": ""}}, entry_points=points))


def folder_put_first(case: Case) -> None:
    write_tree(case.root / "first", {"beta-9.0.dist-info": {"METADATA": "Name: beta\nVersion: 9.0\n"}})
    (case.site / "zz.pth").write_text(f"import sys; sys.path.insert(0, {str(case.root / 'first')!r})\n")


def name_of_the_standard_library(case: Case) -> None:
    case.with_wheels(case.wheel("statistics", files={"statistics.py": ""}))


def urllib3_future(case: Case) -> None:
    case.with_wheels(
        case.wheel("urllib3-future", files={"urllib3_future.py": ""}), case.wheel("urllib3", files={"urllib3.py": ""})
    )


def tool_of_another_shape(case: Case) -> None:
    files = {"coverage": {"__init__.py": "", "inorout.py": "def third_party(): pass\n"}}
    case.with_wheels(case.wheel("coverage", "99.0", files=files))


def tool_that_ends_the_interpreter(case: Case) -> None:
    files = {"coverage": {"__init__.py": "", "inorout.py": "import os\nos._exit(7)\n"}}
    case.with_wheels(case.wheel("coverage", "99.0", files=files))


def requirement_not_met(case: Case) -> None:
    case.with_wheels(case.wheel("beta", "0.5", files={"beta.py": "", "ns": {"beta": {"__init__.py": ""}}}))


def extra_not_met(case: Case) -> None:
    (case.root / "wheels" / "delta-1.0-py3-none-any.whl").unlink()
    case.with_wheels()


def not_executable(case: Case) -> None:
    (case.venv / "bin" / "alpha").chmod(0o644)


def somebodys_program(case: Case) -> None:
    points = {"console_scripts": {"delta": "delta:main"}}
    (case.venv / "bin" / "delta").write_text("mine\n")
    case.with_wheels(case.wheel("delta", "2.0", files={"delta": {"__init__.py": ""}}, entry_points=points))


def folder_in_its_place(case: Case) -> None:
    (case.venv / "bin" / "alpha").unlink()
    write_tree(case.venv / "bin" / "alpha", {"mine": ""})


def link_in_its_place(case: Case) -> None:
    (case.venv / "bin" / "alpha").unlink()
    (case.venv / "bin" / "alpha").symlink_to("/bin/sh")


def never_written(case: Case) -> None:
    somebodys_program(case)
    (case.venv / "bin" / "delta").unlink()


def locked_program_that_ends_it(case: Case) -> None:
    case.with_wheels(case.wheel("ending", files={"sitecustomize.py": "raise SystemExit(3)\n"}))


def project_in_a_folder_that_is_gone(case: Case) -> None:
    project = StateProject(name=normalize("my-project"), path="../project", files=("pyvenv.cfg",))
    case.change_state(project=project)


def moved_scripts(case: Case) -> None:
    """Leave programs and state as they would be, had the environment been made elsewhere."""
    files = dict(case.state.files)
    for path in ("bin/alpha", "bin/alpha-tool"):
        script = case.venv / path
        content = script.read_bytes().replace(str(case.venv).encode(), b"/old/place")
        script.write_bytes(content)
        files[path] = replace(files[path], sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    case.change_state(files=files)


def registered_elsewhere(case: Case) -> None:
    path = next((case.store / "environments").glob("*.json"))
    path.write_text(path.read_text().replace(str(case.venv), "/old/place"))


def not_registered(case: Case) -> None:
    next((case.store / "environments").glob("*.json")).unlink()


# What mends these takes a resolver, or a person.
LATER = {
    "environment-unusable": "choose another folder: --venv DIR",
    "interpreter-unusable": "",
    "project-missing": "multisite lock --venv ",
    "lockfile-unfitting": "multisite lock --venv ",
    "requirement-unsatisfied": "multisite lock --venv ",
}
ONE_OF_THEM = "as in any environment, only one of them is there"

# Check, sabotage, the finding's message, and whether doing what they say mends it. {venv}, {site}, {store}, {python}
# and {root} stand for paths, and entries for their folders.
SABOTAGES: list[tuple[str, Sabotage, str, bool]] = [
    (
        "environment-unusable",
        nothing_of_an_environment,
        "{venv}: it is no virtual environment: it has no pyvenv.cfg",
        False,
    ),
    ("interpreter-unusable", remove("venv/pyvenv.cfg"), "{venv}: it has no pyvenv.cfg", False),
    (
        "state-damaged",
        remove("venv/.multisite/environment.json"),
        "{venv}/.multisite/environment.json is missing: no sync has ended here",
        True,
    ),
    ("state-damaged", write("venv/.multisite/environment.json", "{"), "{venv}/.multisite/environment.json: *", True),
    (
        "interpreter-unusable",
        broken_interpreter,
        "{python}: it does not work as a Python interpreter (exit code 127):\nno libpython",
        False,
    ),
    ("store-unusable", store_gone, "store {store}: there is no store", True),
    (
        "interpreter-changed",
        other_interpreter,
        "the interpreter is {key}, and the environment was made for cpython-3.0.0-none",
        True,
    ),
    (
        "interpreter-unusable",
        locked_program_that_ends_it,
        "*\nIt starts without the finder: something that is locked ends it",
        False,
    ),
    (
        "interpreter-replaced",
        other_file_of_the_interpreter,
        "{base} was replaced since the environment was made, by one of the same version",
        True,
    ),
    (
        "lockfile-invalid",
        write("venv/pylock.toml", "lock-version = 1"),
        "{venv}/pylock.toml: not a valid lockfile*",
        True,
    ),
    ("lockfile-invalid", remove("venv/pylock.toml"), "*No such file or directory: '{venv}/pylock.toml'", True),
    (
        "lockfile-changed",
        write("venv/pylock.toml", 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'),
        "pylock.toml: it has changed since the environment was made from it; the environment is still the old one",
        True,
    ),
    (
        "lockfile-changed",
        lockfile_from_before,
        "pylock.toml: it is one from before; imports follow it already, programs and data files do not",
        True,
    ),
    (
        "lockfile-unfitting",
        lockfile_for_another_python,
        "{venv}/pylock.toml: it is for Python <3, and this is {version}",
        False,
    ),
    (
        "lockfile-differs",
        other_build_chosen,
        "alpha 1.0 is in the environment, but another wheel of it is locked",
        True,
    ),
    (
        "table-damaged",
        write("venv/.multisite/table", "MSTABLE"),
        "{venv}/.multisite/table: not a valid dispatch*",
        True,
    ),
    (
        "table-differs",
        table_of_another_environment,
        "the table is bound to another id than environment.json says",
        True,
    ),
    ("table-differs", table_elsewhere, "the table does not lead to the chosen build of alpha", True),
    ("table-differs", table_without_names, "the table's names are not those of the chosen builds", True),
    (
        "bootstrap-missing",
        remove("venv/.multisite/runtime/metadata.py"),
        ".multisite/runtime/metadata.py is missing",
        True,
    ),
    (
        "bootstrap-changed",
        write("venv/.multisite/runtime/messages.py", "x"),
        ".multisite/runtime/messages.py is not this multisite's",
        True,
    ),
    (
        "bootstrap-changed",
        stale_bytecode,
        "the bytecode of the start-up code's messages.py was made from another source",
        True,
    ),
    (
        "finder-inactive",
        finder_taken_away,
        "the interpreter starts without the finder, so nothing locked can be imported",
        False,
    ),
    (
        "start-up-silent",
        in_site("zz.pth", "import sys; sys.stderr.write('hello\\n')\n"),
        "it writes to stderr at every start:\nhello\nhello",
        False,
    ),
    ("entry-missing", entry_gone, "beta 1.0 is locked, but not in the store {store}", True),
    (
        "entry-damaged",
        in_entry("beta", "site-packages/beta.py", "changed"),
        "beta 1.0 is damaged in the store: site-packages/beta.py has 7 bytes instead of 0; it is in {venv}",
        True,
    ),
    (
        "entry-damaged",
        in_entry("alpha", "data/data/share/alpha/conf.json", None),
        "alpha 1.0 is damaged in the store: data/data/share/alpha/conf.json is missing; it is in {venv}",
        True,
    ),
    (
        "entry-damaged",
        in_entry("beta", "site-packages/beta-1.0.dist-info/RECORD", '"'),
        "beta 1.0 is damaged in the store: RECORD: line 1: unexpected end of data*",
        True,
    ),
    (
        "shared-damaged",
        shared_changed,
        "the folder that epsilon 1.0, zeta 1.0 share is damaged: site-packages/common/e.py has 12 bytes instead of 0",
        True,
    ),
    (
        "shared-damaged",
        shared_gone,
        "the folder that epsilon 1.0, zeta 1.0 share is damaged: it is missing or cannot be read",
        True,
    ),
    (
        "entry-extra",
        in_entry("alpha", "site-packages/alpha/cache.db", "x"),
        "alpha 1.0 has files in the store that its wheel did not bring (site-packages/alpha/cache.db); *",
        False,
    ),
    (
        "same-file",
        two_with_one_file,
        "common/__init__.py is in epsilon, zeta, which differ; " + ONE_OF_THEM,
        False,
    ),
    (
        "same-file",
        two_with_one_program,
        "bin/alpha is in alpha, delta, which differ; " + ONE_OF_THEM,
        False,
    ),
    (
        "module-elsewhere",
        in_site("beta.py", "x = 1\n"),
        "import beta should find beta, but it leads to {site}/beta.py",
        False,
    ),
    (
        "metadata-elsewhere",
        folder_put_first,
        "the metadata of beta should be those of 1.0 in the store, but they are 9.0 in {root}/first",
        False,
    ),
    (
        "shadowed-by-real",
        really_installed("beta", "3.0", {"beta.py": "v = 3\n"}),
        "beta 3.0 (locked: 1.0) is really installed in {site} and wins",
        True,
    ),
    (
        "shadowed-by-real",
        really_installed("other", "3.0", {"beta.py": "v = 3\n"}),
        "beta of beta is not imported: other, really installed, has it as well",
        True,
    ),
    (
        "shadowed-by-stdlib",
        name_of_the_standard_library,
        "statistics of statistics is never imported: the standard library has a module of that name, *",
        False,
    ),
    (
        "known-limit",
        urllib3_future,
        "urllib3-future replaces urllib3's files in a plain environment; here urllib3 stays what is locked",
        False,
    ),
    (
        "tool-unknown",
        tool_of_another_shape,
        "coverage 99.0: coverage.inorout is not as this multisite knows it, and is left alone; its report may have *",
        False,
    ),
    ("tool-unknown", tool_that_ends_the_interpreter, "whether its tools are known could not be found out: *", False),
    ("requirement-unsatisfied", requirement_not_met, "alpha 1.0 requires beta>=1, but beta is 0.5", False),
    (
        "requirement-unsatisfied",
        extra_not_met,
        'gamma 1.0 requires delta; extra == "x", but delta is not there',
        False,
    ),
    (
        "project-missing",
        project_in_a_folder_that_is_gone,
        "my-project is imported from ../project, and that folder is gone",
        False,
    ),
    ("script-missing", remove("venv/bin/alpha"), "bin/alpha of alpha is missing", True),
    ("script-changed", write("venv/bin/alpha", "mine"), "bin/alpha of alpha was changed since it was written", True),
    ("script-not-executable", not_executable, "bin/alpha of alpha cannot be executed", True),
    ("script-not-ours", folder_in_its_place, "bin/alpha is not the program of alpha: a folder is there", True),
    ("script-not-ours", link_in_its_place, "bin/alpha is not the program of alpha: a link is there", True),
    ("script-missing", never_written, "bin/delta of delta is missing", True),
    (
        "script-not-ours",
        somebodys_program,
        "bin/delta is not the program of delta: something else was there, and was left alone",
        True,
    ),
    (
        "script-interpreter",
        moved_scripts,
        "bin/alpha, bin/alpha-tool run /old/place/bin/python, not this environment's interpreter",
        True,
    ),
    ("data-missing", remove("venv/share/alpha/conf.json"), "alpha: share/alpha/conf.json missing", True),
    (
        "data-changed",
        write("venv/share/alpha/conf.json", "[]"),
        "alpha: share/alpha/conf.json changed here; a sync leaves that alone",
        False,
    ),
    (
        "not-registered",
        not_registered,
        "the store does not know of this environment, so what it uses could be collected as garbage",
        True,
    ),
    (
        "not-registered",
        registered_elsewhere,
        "the store knows it as /old/place, so what it uses could be collected as garbage",
        True,
    ),
]


def expected(pattern: str, case: Case, interpreter: Interpreter) -> str:
    """Return *pattern* as a regular expression: a ``*`` stands for anything, names in braces for facts."""
    facts = {
        "venv": case.venv,
        "store": case.store,
        "root": case.root,
        "site": next(case.venv.glob("lib/python3*/site-packages")),
        "python": case.venv / "bin" / "python",
        "key": interpreter.key,
        "version": interpreter.version,
        "base": interpreter.base_executable,
    }
    return re.escape(pattern.format_map(facts)).replace(re.escape("*"), "(?s:.*)")


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return inspect_interpreter(Path(sys.executable))


def test_nothing_is_wrong(case: Case) -> None:
    assert case.examine() == ()
    assert case.examine(deep=True) == ()


@pytest.mark.parametrize(
    ("check", "sabotage", "message", "is_mended"),
    [pytest.param(*row, id=f"{row[0]}-{at}") for at, row in enumerate(SABOTAGES)],
)
def test_sabotage(
    case: Case, interpreter: Interpreter, check: str, sabotage: Sabotage, message: str, is_mended: bool
) -> None:
    sabotage(case)
    findings = case.examine()
    assert [finding.check for finding in findings] == [check]
    assert re.fullmatch(expected(message, case, interpreter), findings[0].message), findings[0].message
    if is_mended:
        case.mend(findings)
        assert case.examine(deep=True) == ()
    else:
        assert (findings[0].fix or "").startswith(LATER.get(check, "")), findings[0].fix
        assert check in LATER or findings[0].fix is None


def test_content_of_the_same_size_shows_deep_down(case: Case) -> None:
    in_entry("alpha", "site-packages/alpha/text.txt", "54321")(case)
    record = case.entry("alpha") / "site-packages/alpha-1.0.dist-info/RECORD"
    os.utime(case.entry("alpha") / "site-packages/alpha/text.txt", ns=(0, record.stat().st_mtime_ns))
    assert case.examine() == ()
    findings = case.examine(deep=True)
    assert [(finding.check, finding.message) for finding in findings] == [
        (
            "entry-damaged",
            f"alpha 1.0 is damaged in the store: site-packages/alpha/text.txt has other content; it is in {case.venv}",
        )
    ]
    case.mend(findings)
    assert case.examine(deep=True) == ()


def test_content_of_the_same_size_shows_by_its_time(case: Case) -> None:
    in_entry("alpha", "site-packages/alpha/text.txt", "54321")(case)
    findings = case.examine()
    assert [(finding.check, finding.message) for finding in findings] == [
        (
            "entry-damaged",
            f"alpha 1.0 is damaged in the store: site-packages/alpha/text.txt has other content; it is in {case.venv}",
        )
    ]


def test_a_time_alone_is_no_damage(case: Case) -> None:
    (case.entry("alpha") / "site-packages/alpha/text.txt").touch()
    assert case.examine() == ()


def test_a_record_that_was_changed_with_its_files_shows_deep_down(case: Case) -> None:
    in_entry("alpha", "site-packages/alpha/text.txt", "54321")(case)
    record = case.entry("alpha") / "site-packages/alpha-1.0.dist-info/RECORD"
    record.write_text(record.read_text().replace(record_hash(b"12345"), record_hash(b"54321")))
    findings = case.examine(deep=True)
    assert [finding.check for finding in findings] == ["entry-damaged"]
    assert findings[0].message.endswith(f"RECORD is not the one that it was published with; it is in {case.venv}")
    case.mend(findings)
    assert case.examine(deep=True) == ()


def test_bytecode_is_no_extra_file(case: Case) -> None:
    cache = case.entry("alpha") / "site-packages/alpha/__pycache__"
    write_tree(cache, {"__init__.cpython-311.pyc": "x"})
    assert case.examine(deep=True) == ()


@pytest.mark.parametrize("name", ["MULTISITE_DISABLE", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"])
def test_variables_of_the_shell_change_nothing(case: Case, name: str) -> None:
    assert case.examine(environ={name: "1"}) == ()


def test_a_folder_on_pythonpath_is_not_the_environments(case: Case) -> None:
    write_tree(case.root / "path", {"beta.py": "", "beta-9.dist-info": {"METADATA": "Name: beta\nVersion: 9\n"}})
    assert case.examine(environ={"PYTHONPATH": str(case.root / "path")}) == ()


def test_modules_of_the_current_folder_are_not_the_environments(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_tree(case.root / "here", {"beta.py": "", "json.py": "raise SystemExit('wrong json')"}))
    assert case.examine() == ()


@pytest.mark.parametrize("by_variable", [True, False])
def test_a_store_that_is_mounted_elsewhere(case: Case, by_variable: bool) -> None:
    elsewhere = case.store.rename(case.root / "elsewhere")
    variables = {"MULTISITE_STORE": str(elsewhere)} if by_variable else {}
    assert case.examine(store=None if by_variable else elsewhere, environ=variables) == ()
    assert not case.store.exists()


def test_many_real_distributions_are_one_finding(case: Case) -> None:
    for name in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta"):
        requires = "Requires-Dist: beta\n" if name == "alpha" else ""
        really_installed(name, "1.0", {}, requires)(case)
    findings = case.examine()
    pairs = ", ".join(f"{name} 1.0 (locked: 1.0)" for name in ("alpha", "beta", "delta", "epsilon", "gamma"))
    assert [finding.message for finding in findings] == [
        f"6 distributions are really installed and win over the locked ones: {pairs} and 1 more"
    ]
    case.mend(findings)
    assert case.examine() == ()


def test_every_python(case: Case, interpreters: dict[str, Path], tmp_path: Path) -> None:
    for version, python in interpreters.items():
        environment = Environment.create(tmp_path / version, inspect_interpreter(python))
        shutil.copy(case.venv / "pylock.toml", environment.lockfile)
        workshop = Workshop({}, stores=[case.store], offline=True)
        workshop.sync(environment, Wanted.from_lockfile(environment.lockfile, environment, None))
        assert examine(environment, environ={}) == (), version
        write_tree(environment.site_packages, {"beta.py": ""})
        assert [finding.check for finding in examine(environment, environ={})] == ["module-elsewhere"], version


def test_an_interpreter_that_starts_for_tools_only(case: Case) -> None:
    line = "import os, sys; sys.flags.isolated or (os.write(2, b'go away'), os._exit(9))\n"
    write_tree(case.site, {"zz.pth": line})
    findings = case.examine()
    assert [(finding.check, finding.message) for finding in findings] == [
        ("interpreter-unusable", f"{case.environment.python}: it does not start (exit code 9):\ngo away")
    ]


def test_nothing_is_written(case: Case) -> None:
    def files() -> dict[str, int]:
        return {str(path): path.lstat().st_mtime_ns for path in case.root.rglob("*")}

    before = files()
    case.examine(deep=True)
    assert files() == before


ELSEWHERE = {
    "private-copy": "test_edits.py",
    "private-copy-lost": "test_edits.py",
    "private-copy-unused": "test_edits.py",
    "store-untrusted": "test_trust.py",
    **{check.id: "test_view.py" for check in CHECKS if check.subject == "view"},
}


def test_every_check_has_a_sabotage() -> None:
    for check, module in ELSEWHERE.items():
        assert check in Path(__file__).with_name(module).read_text(encoding="utf-8")
    assert {row[0] for row in SABOTAGES} == {check.id for check in CHECKS} - ELSEWHERE.keys()

"""Ways to do harm to an environment and its store, each a function of a case, which is both."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.dispatch import DispatchTable
from multisite.doctor import damaged_builds, examine, unopened
from multisite.environment import Environment
from multisite.errors import NotAnEnvironment
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
    compiled = next((case.venv / ".multisite/runtime").glob("*/__pycache__/messages.*.pyc"))
    data = bytearray(compiled.read_bytes())
    data[8] ^= 0xFF
    compiled.write_bytes(data)


def torn_bytecode(case: Case) -> None:
    """Have the store's copy be torn, and the environment's as well, which is made from that."""
    (kept,) = case.store.glob("runtime/*/*/__init__.*.pyc")
    (copy,) = (case.venv / ".multisite/runtime").glob("*/__pycache__/__init__.*.pyc")
    assert copy.name == kept.name
    for path in (kept, copy):
        path.write_bytes(path.read_bytes()[:1000])


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

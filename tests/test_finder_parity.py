"""Programs that show where an import hook could differ from a plain environment: each must say the same in both.

The cases are named by the rows of the parity table that they show. Each prints what it sees; a line that is JSON is
compared as a value.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.finder.cases import CASES, POINTS, REG, dist
from tests.finder.scenario import Distribution, Loose, Scenario
from tests.finder.twins import Outcome, Twins, write
from tests.pythons import SUPPORTED, found_pythons

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeTwins = Callable[..., Twins]

PYTHONS = [
    pytest.param(
        version, marks=() if version in found_pythons() else pytest.mark.skip(f"no CPython {version} on this machine")
    )
    for version in SUPPORTED
]
PROBES = Path(__file__).parent / "probes" / "parity"


@pytest.fixture(params=PYTHONS)
def version(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return a new folder at each call; all lie in one folder, where the compiled start-up code is shared."""
    base = tmp_path_factory.mktemp("parity").resolve()
    numbers = itertools.count()
    return lambda: base / str(next(numbers))


@pytest.fixture
def make(version: str, folders: Callable[[], Path]) -> MakeTwins:
    def made(
        distributions: list[Distribution], *, lying: list[Loose] | None = None, program: str = "", system: bool = False
    ) -> Twins:
        scenario = Scenario(distributions=distributions, loose=lying or [])
        twins = Twins.make(found_pythons()[version], version, folders(), scenario, system=system)
        for twin in (twins.plain, twins.locked):
            text = (PROBES / f"{program}.py").read_text(encoding="utf-8") if program else ""
            write(twin.folder / "script" / "program.py", (PROBES / "prelude.py").read_text(encoding="utf-8") + text)
        return twins

    return made


def equal(outcomes: tuple[Outcome, ...]) -> str:
    """Demand that both said the same; return what it was."""
    plain, locked = outcomes
    assert (locked.code, locked.out) == (plain.code, plain.out), locked.err
    # Tracebacks show lines of other files.
    plain_err, err = ([line for line in said.err if not str(line).startswith("    ")] for said in outcomes)
    assert err == plain_err
    return f"{plain.out} {plain_err}"


@pytest.mark.parametrize("name", CASES)
def test_row(name: str, version: str, make: MakeTwins) -> None:
    case = CASES[name]
    if case.since > tuple(map(int, version.split("."))):
        pytest.skip("from {}.{} on".format(*case.since))
    twins = make(case.distributions, lying=case.loose, program=case.program)
    program = ["{script}/program.py"] if case.program else []
    assert case.expected in equal(twins.run(*case.flags, *program, environ=case.environ))


def test_row_2_system_site(make: MakeTwins, tmp_path: Path) -> None:
    # What the interpreter itself has installed comes after site-packages.
    twins = make([dist("pip", "pip/__init__.py", version="0.1"), REG], program="winner", system=True)
    text = "import pip; show(pip.who, where('pip'), metadata.version('pip')); attempt(where, 'pip._internal')\n"
    for twin in (twins.plain, twins.locked):
        write(twin.folder / "script" / "system.py", (PROBES / "prelude.py").read_text(encoding="utf-8") + text)
    assert "pip 0.1 in locked" in equal(twins.run("{script}/system.py"))


def test_row_6_installed_beside_it_and_uninstalled_again(make: MakeTwins) -> None:
    twins = make([REG], program="installed")
    before = equal(twins.run("{script}/program.py"))
    newer = dist("reg", "reg/__init__.py reg/new.py", "site", "2.0")
    twins.plain.remove(REG)
    for twin in (twins.plain, twins.locked):
        twin.unpack(newer, twin.site)
    assert "2.0" in equal(twins.run("{script}/program.py"))
    twins.locked.remove(newer)
    assert repr(twins.locked.run("{script}/program.py").out) in before


def test_row_9_the_known_limit(make: MakeTwins) -> None:
    twins = make([REG], program="known_limit")
    plain, locked = twins.run("{script}/program.py")
    assert locked.out[0] == [None]
    assert plain.out[0] != [None]
    assert locked.out[1:] == plain.out[1:] == [["<site>/reg/__init__.py", True]]


def test_row_20_the_store_stays_what_it_was(make: MakeTwins) -> None:
    twins = make([REG], program="bytecode")
    store = twins.locked.folder / "store"
    contents = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    for flags in ((), ("-O",), ("-OO",)):
        equal(twins.run(*flags, "{script}/program.py", environ={"PYTHONDONTWRITEBYTECODE": ""}))
    found = {path: path.read_bytes() for path in store.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert found == contents


@pytest.mark.parametrize("where", ["copied", "moved", "linked"])
def test_row_24_elsewhere(where: str, make: MakeTwins) -> None:
    twins = make([REG, dist("ns-a", "ns/a.py"), dist("ns-b", "ns/b.py", "site")], program="flags")
    other = twins.copied(linked=where == "linked")
    if where == "moved":
        for twin in (twins.plain, twins.locked):
            shutil.rmtree(twin.venv)
    said = equal(other.run("{script}/program.py"))
    assert "<site>/reg/sub.py" in said


def test_row_38_zipped_application(make: MakeTwins) -> None:
    twins = make([REG], program="flags")
    for twin in (twins.plain, twins.locked):
        with zipfile.ZipFile(twin.folder / "script" / "app.pyz", "w") as archive:
            archive.write(twin.folder / "script" / "program.py", "__main__.py")
    assert "<site>/reg/sub.py" in equal(twins.run("{script}/app.pyz"))


@pytest.mark.index
def test_row_12_pkg_resources(make: MakeTwins, version: str, downloaded: Callable[..., Distribution]) -> None:
    one = dist("one", {"one/__init__.py": "", "one/text.txt": "inside"}, entry_points=POINTS)
    setuptools = downloaded("setuptools<70")
    twins = make([setuptools, one, dist("real", "real.py", "site", "2.0")], program="pkg_resources_working_set")
    assert "'real', '2.0'" in equal(twins.run("{script}/program.py"))


@pytest.mark.index
def test_row_23_the_backport(make: MakeTwins, downloaded: Callable[..., Distribution]) -> None:
    one = dist("one", {"one/__init__.py": ""}, entry_points=POINTS)
    needed = [downloaded(name) for name in ("importlib-metadata<7", "zipp<4", "typing-extensions<5")]
    twins = make([*needed, one, dist("real", "real.py", "site", "2.0")], program="backport")
    assert "'real', '2.0'" in equal(twins.run("{script}/program.py"))


class TestBroken:
    """An environment that is broken says so, and its interpreter runs."""

    CODE = (
        "import sys\nprint('runs')\ntry:\n    import reg\nexcept ImportError as error:\n    print(type(error), error)\n"
    )

    @pytest.fixture
    def twins(self, make: MakeTwins) -> Twins:
        return make([REG])

    @pytest.mark.parametrize("missing", ["store", "store/multi-site-packages/reg"])
    def test_missing_in_store(self, missing: str, twins: Twins) -> None:
        shutil.rmtree(twins.locked.folder / missing)
        said = twins.locked.run("-c", self.CODE)
        assert said.code == 0
        assert said.out[0] == "runs"
        assert said.out[1].startswith("<class 'ModuleNotFoundError'> No module named 'reg': reg 1.0 is locked, but not")
        assert said.out[1].endswith("run: multisite sync --venv <run>/venv")
        assert len(said.err) == (1 if missing == "store" else 0)

    def test_switched_off(self, twins: Twins) -> None:
        said = twins.locked.run("-c", self.CODE, environ={"MULTISITE_DISABLE": "1"})
        assert said.out == ["runs", "<class 'ModuleNotFoundError'> No module named 'reg'"]
        assert not said.err

    def test_switched_off_but_isolated(self, twins: Twins) -> None:
        said = twins.locked.run("-I", "-c", self.CODE, environ={"MULTISITE_DISABLE": "1"})
        assert said.out == ["runs"]

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda data: data[:-1], id="torn"),
            pytest.param(lambda data: b"", id="empty"),
            pytest.param(lambda data: data[:8] + (99).to_bytes(4, "little") + data[12:], id="unknown-format"),
            pytest.param(lambda data: b"x" + data[1:], id="something-else"),
            pytest.param(lambda data: data[:20] + bytes(len(data) - 20), id="zeros"),
        ],
    )
    def test_damaged_table(self, damage: Callable[[bytes], bytes], twins: Twins) -> None:
        table = twins.locked.venv / ".multisite" / "table"
        table.write_bytes(damage(table.read_bytes()))
        said = twins.locked.run("-c", self.CODE)
        assert said.code == 0
        assert said.out == ["runs", "<class 'ModuleNotFoundError'> No module named 'reg'"]
        assert len(said.err) == 1
        assert "multisite sync" in said.err[0]

    @pytest.mark.parametrize("name", ["table", "runtime"])
    def test_missing(self, name: str, twins: Twins) -> None:
        path = twins.locked.venv / ".multisite" / name
        path.rename(path.with_name("gone"))
        said = twins.locked.run("-c", self.CODE)
        assert said.code == 0
        assert said.out == ["runs", "<class 'ModuleNotFoundError'> No module named 'reg'"]
        assert len(said.err) == 1
        assert "multisite sync" in said.err[0]


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder with an index's distribution in it, unpacked once."""
    found: dict[str, Path] = {}

    def unpack(requirement: str) -> Path:
        from uv import find_uv_bin

        if requirement not in found:
            folder = tmp_path_factory.mktemp("unpacked")
            command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--python-version", "3.8"]
            command += ["--target", str(folder), "--python", sys.executable, requirement]
            subprocess.run(command, check=True)
            found[requirement] = folder
        return found[requirement]

    return unpack


@pytest.fixture
def downloaded(unpacked: Callable[[str], Path]) -> Callable[[str], Distribution]:
    def made(requirement: str) -> Distribution:
        folder = unpacked(requirement)
        info = next(folder.glob("*.dist-info"))
        names, version = info.name[: -len(".dist-info")].rsplit("-", 1)
        files = {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in folder.rglob("*")
            if path.suffix in (".py", ".txt") or path.name == "METADATA"
        }
        return Distribution(name=names, version=version, where="locked", info=info.name, files=files)

    return made

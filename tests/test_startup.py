"""What an interpreter says and does at its start where something is not as it should be: one line, and it runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from multisite.bootstrap import runtime_digest
from tests.container import NOBODY, Container, can_be_made, open_folder
from tests.machine import Done, Machine
from tests.pythons import SUPPORTED, found_pythons

VERSIONS = [
    pytest.param(version, marks=[] if version in {"3.8", "3.13"} else [pytest.mark.slow]) for version in SUPPORTED
]
needs_container = pytest.mark.skipif(not can_be_made(), reason="containers need root")
PROBE = """\
print('runs')
import importlib.metadata as m
try:
    import alpha
    print(alpha.version, m.version('alpha'), alpha.__file__)
except Exception as error:
    print(type(error).__name__, error)
"""


@dataclass(frozen=True)
class Place:
    """An environment in which alpha is locked, in a folder that everybody reaches."""

    machine: Machine
    prefix: Path

    @property
    def folder(self) -> Path:
        return self.machine.folder

    @property
    def venv(self) -> Path:
        return self.machine.venv

    @property
    def state(self) -> Path:
        return self.venv / ".multisite"

    def run(self, *options: str, code: str = PROBE, environ: Mapping[str, str] | None = None) -> Done:
        return self.machine.program("python", *options, "-c", code, variables=environ)

    def run_as_nobody(self, *options: str) -> Done:
        container = Container(user=NOBODY, interpreters=[self.prefix])
        return container.run(self.venv / "bin" / "python", *options, "-c", PROBE)

    @property
    def found(self) -> str:
        (file,) = self.machine.store.glob("multi-site-packages/alpha/1.0/*/site-packages/alpha.py")
        return f"runs\n1.0 1.0 {file}\n"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    if request.param not in found_pythons():
        pytest.skip(f"no Python {request.param} here")
    return str(request.param)


@pytest.fixture
def place(version: str) -> Iterator[Place]:
    with open_folder() as folder, Machine.opened(folder / "machine") as machine:
        machine.wheel("alpha")
        python = found_pythons()[version]
        machine.run("lock", "alpha", "--python", python).succeeded()
        yield Place(machine, python.parents[1])


def one_line(place: Place, done: Done, problem: str) -> None:
    assert done.code == 0
    assert done.out.startswith("runs\n")
    (line,) = done.err.splitlines()
    assert line.startswith(f"multisite: {place.venv}: {problem}"), line
    assert line.endswith(f"; run: multisite sync --venv {place.venv}"), line


def denied(place: Place, done: Done, problem: str) -> None:
    """It says what may not be read; no command of that account would help."""
    assert done.code == 0
    assert done.out.startswith("runs\n")
    (line,) = done.err.splitlines()
    assert line.startswith(f"multisite: {place.venv}: {problem}"), line
    assert "[Errno 13] Permission denied" in line
    assert line.endswith("; run it as somebody who may read that"), line


NO_TABLE = "the environment's table cannot be used, nothing locked can be imported ([Errno 13] Permission denied: "


@needs_container
def test_another_user_may_read_it(place: Place) -> None:
    assert place.run_as_nobody() == Done(0, place.found, "")


@needs_container
def test_an_unreadable_table(place: Place) -> None:
    (place.state / "table").chmod(0o600)
    denied(place, place.run_as_nobody(), NO_TABLE)


@needs_container
def test_an_unreadable_folder(place: Place) -> None:
    place.state.chmod(0o700)
    done = place.run_as_nobody()
    assert (done.code, done.out.splitlines()[0]) == (0, "runs")
    (line,) = done.err.splitlines()
    assert "the start-up code cannot be used, nothing locked can be imported (PermissionError" in line


@needs_container
def test_an_unreadable_lockfile_is_not_needed(place: Place) -> None:
    place.machine.lockfile.chmod(0o600)
    assert place.run_as_nobody() == Done(0, place.found, "")


@needs_container
@pytest.mark.parametrize("part", [".", "multi-site-packages", "multi-site-packages/alpha"])
def test_an_unreadable_store(place: Place, part: str) -> None:
    (place.machine.store / part).chmod(0o700)
    done = place.run_as_nobody()
    assert done.out.splitlines()[1].startswith(
        "ModuleNotFoundError No module named 'alpha': alpha 1.0 is locked, but may"
    )
    assert done.out.splitlines()[1].endswith("/site-packages); run it as somebody who may read that")
    assert "Traceback" not in done.err


@needs_container
@pytest.mark.parametrize("part", [".", "multi-site-packages"])
def test_an_unreadable_store_is_said_at_start(place: Place, part: str) -> None:
    (place.machine.store / part).chmod(0o700)
    problem = f"its store is missing or cannot be read, nothing locked can be imported: {place.machine.store}"
    denied(place, place.run_as_nobody(), problem)


@needs_container
def test_nothing_can_be_written(place: Place) -> None:
    container = Container(read_only=[place.folder], interpreters=[place.prefix])
    assert container.run(place.venv / "bin" / "python", "-c", PROBE) == Done(0, place.found, "")
    as_nobody = Container(read_only=[place.folder], interpreters=[place.prefix], user=NOBODY)
    assert as_nobody.run(place.venv / "bin" / "python", "-c", PROBE) == Done(0, place.found, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a dispatch table"),
        (b"MSTABLE\n\x63\0\0\0", "it has format 99, this environment's start-up code knows 3"),
        ("torn", "it is torn"),
    ],
)
def test_a_table_that_is_none(place: Place, content: bytes | str, reason: str) -> None:
    table = place.state / "table"
    table.write_bytes(table.read_bytes()[:-1] if isinstance(content, str) else content)
    done = place.run()
    one_line(place, done, f"the environment's table cannot be used, nothing locked can be imported ({reason})")
    assert done.out == "runs\nModuleNotFoundError No module named 'alpha'\n"
    place.machine.run("sync").succeeded()
    assert place.run() == Done(0, place.found, "")


@pytest.mark.parametrize("name", ["__init__.py", "finding.py", "metadata.py", "messages.py"])
def test_start_up_code_that_is_damaged(place: Place, name: str) -> None:
    path = place.state / "runtime" / runtime_digest() / name
    path.write_text("raise ZeroDivisionError\n")
    for cached in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        cached.unlink()
    done = place.run()
    assert (done.code, done.out.splitlines()[0]) == (0, "runs")
    if name == "metadata.py":
        problem = "importlib.metadata is not told where locked distributions are (ZeroDivisionError())"
        one_line(place, done, problem)
    if name == "finding.py":  # it is loaded late, with the first name that may be locked
        problem = "the start-up code cannot be used, nothing locked can be imported (ZeroDivisionError())"
        one_line(place, done, problem)
        assert done.out == "runs\nModuleNotFoundError No module named 'alpha'\n"
    doctor = place.machine.run("doctor")
    assert doctor.code == 1
    place.machine.run("sync").succeeded()
    assert place.run() == Done(0, place.found, "")
    assert place.machine.run("doctor").code == 0


@pytest.mark.parametrize("options", [("-I",), ("-E",), ("-s",), ("-X", "frozen_modules=off"), ("-O",), ("-B",)])
def test_options(place: Place, options: tuple[str, ...]) -> None:
    assert place.run(*options) == Done(0, place.found, "")


def test_without_site(place: Place) -> None:
    alone = place.run("-S")
    assert alone == Done(0, "runs\nModuleNotFoundError No module named 'alpha'\n", "")
    assert place.run("-S", code=f"import site; site.main()\n{PROBE}") == Done(0, place.found, "")


@pytest.mark.parametrize("options", [(), ("-I",), ("-E",)])
def test_switched_off_and_moved_by_variables(place: Place, options: tuple[str, ...]) -> None:
    heard = not options
    off = place.run(*options, environ={"MULTISITE_DISABLE": "1"})
    assert off == Done(0, "runs\nModuleNotFoundError No module named 'alpha'\n" if heard else place.found, "")
    other = place.folder / "other store"
    shutil.copytree(place.machine.store, other)
    moved = place.run(*options, environ={"MULTISITE_STORE": str(other)})
    assert moved == Done(0, place.found.replace(str(place.machine.store), str(other)) if heard else place.found, "")


@pytest.mark.parametrize("how", ["linked", "moved", "copied"])
def test_elsewhere(place: Place, how: str) -> None:
    there = place.folder / "else where" / "venv"
    there.parent.mkdir()
    if how == "linked":
        there.symlink_to(place.venv)
    elif how == "moved":
        place.venv.rename(there)
    else:
        shutil.copytree(place.venv, there, symlinks=True)
    for options in ((), ("-I",), ("-X", "frozen_modules=off")):
        assert place.machine.program("python", *options, "-c", PROBE, venv=there) == Done(0, place.found, "")
    place.machine.run("sync", "--venv", there).succeeded()
    assert place.machine.program("python", "-c", PROBE, venv=there) == Done(0, place.found, "")
    assert place.machine.run("doctor", "--venv", there).code == 0
    assert len(os.listdir(place.machine.store / "environments")) == (2 if how == "copied" else 1)


@needs_container
@pytest.mark.parametrize(
    ("part", "check"),
    [
        ("venv/pylock.toml", "lockfile-invalid"),
        ("venv/.multisite/table", "state-damaged"),
        ("store", "store-unusable"),
        ("store/multi-site-packages/alpha", "entry-damaged"),
    ],
)
def test_what_one_account_may_not_read_is_nothing_to_mend(tmp_path: Path, part: str, check: str) -> None:
    with Machine.opened(tmp_path / "machine") as machine:
        machine.wheel("alpha")
        machine.run("lock", "alpha").succeeded()
        where = (machine.venv if part.startswith("venv") else machine.store) / "/".join(part.split("/")[1:])
        mode = where.stat().st_mode
        where.chmod(0)
        done = machine.run_unprivileged("doctor", "--json")
        where.chmod(mode)
    findings = {finding["check"]: finding for finding in json.loads(done.out)["findings"]}
    assert "Permission denied" in findings[check]["message"]
    assert findings[check]["fix"] is None

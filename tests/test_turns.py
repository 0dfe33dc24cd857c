"""Several commands that need the same files and builds: each is fetched and built once."""

from __future__ import annotations

import errno
import os
import subprocess
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from multisite import turns
from multisite.turns import Errand, Turns
from tests import builders
from tests.index import Fault
from tests.machine import Machine, hear_interrupts

COMMANDS = 8
NAMES = ("alpha", "beta", "gamma")
BACKEND = """\
import pathlib, shutil
def build_wheel(folder, *args, **kwargs):
    with pathlib.Path({log!r}).open("a") as log:
        log.write("built\\n")
    return pathlib.Path(shutil.copy({wheel!r}, folder)).name
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    hear_interrupts()
    with Machine.opened(tmp_path) as machine:
        yield machine


def source(machine: Machine, name: str, folder: Path) -> Path:
    """Make a project that notes each of its builds, and return its folder."""
    wheel = builders.make_wheel(machine.folder / "made", name, "1.0", {f"{name}.py": "version = '1.0'\n"})
    backend = BACKEND.format(log=str(machine.folder / "builds.log"), wheel=str(wheel))
    project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    return builders.write_tree(folder, {"pyproject.toml": project, "backend.py": backend, "PKG-INFO": metadata})


def lockfile(machine: Machine) -> Path:
    """Return a lockfile with three wheels, an sdist and a folder."""
    text = 'lock-version = "1.0"\ncreated-by = "x"\n'
    for name in NAMES:
        file = machine.wheel(name).name
        given = f'url = "{machine.index.file_url(file)}", hashes = {{sha256 = "{machine.index.sha256(file)}"}}'
        text += f'[[packages]]\nname = "{name}"\nversion = "1.0"\narchive = {{{given}}}\n'
    folder = source(machine, "delta", machine.folder / "delta-1.0")
    path = machine.index.folder / "delta-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    given = f'url = "{machine.index.file_url(path.name)}", hashes = {{sha256 = "{machine.index.sha256(path.name)}"}}'
    text += f'[[packages]]\nname = "delta"\nversion = "1.0"\nsdist = {{{given}}}\n'
    folder = source(machine, "epsilon", machine.folder / "epsilon")
    text += f'[[packages]]\nname = "epsilon"\ndirectory = {{path = "{folder}"}}\n'
    lock = machine.work / "given.toml"
    lock.write_text(text)
    return lock


def builds(machine: Machine) -> int:
    return len((machine.folder / "builds.log").read_text().splitlines())


def said_until(process: subprocess.Popen[str], words: str) -> str:
    """Return the line with *words* that *process* says; it is waited for."""
    assert process.stderr is not None
    line = next((line for line in process.stderr if words in line), None)
    assert line is not None, f"it ended without saying {words!r}"
    return line


def held(machine: Machine, file: str) -> Fault:
    """Have the index not answer for *file* until it is let go."""
    fault = Fault(times=None, hold=threading.Event())
    machine.index.fail(file, fault)
    return fault


def release(fault: Fault) -> None:
    assert fault.hold is not None
    fault.hold.set()


def test_each_file_is_asked_for_once_and_each_source_built_once(machine: Machine) -> None:
    lock = lockfile(machine)
    venvs = [machine.work / f"venv{number}" for number in range(COMMANDS)]
    fault = held(machine, "alpha-1.0-py3-none-any.whl")
    first = machine.spawn("sync", lock, "--venv", venvs[0])
    assert fault.arrived.wait(60)
    others = [machine.spawn("sync", lock, "--venv", venv) for venv in venvs[1:]]
    for process in others:
        line = said_until(process, "waiting for ")
        assert line.startswith("waiting for alpha 1.0, which process ")
        assert line.endswith(" is bringing\n")
    release(fault)
    for process in (first, *others):
        _, err = process.communicate()
        assert process.returncode == 0, err
    files = [f"{name}-1.0-py3-none-any.whl" for name in NAMES] + ["delta-1.0.tar.gz"]
    assert Counter(machine.fetched()) == dict.fromkeys(files, 1)
    assert builds(machine) == 2
    for venv in venvs:
        done = machine.python("import alpha, beta, gamma, delta, epsilon; print(delta.version)", venv=venv)
        assert (done.out, done.err) == ("1.0\n", "")
    assert not list((machine.store / "locks").glob("*.turn"))
    assert not list((machine.folder / "home" / ".cache" / "multisite" / "locks").iterdir())


def test_they_share_the_work_when_none_waits_on_purpose(machine: Machine) -> None:
    lock = lockfile(machine)
    venvs = [machine.work / f"venv{number}" for number in range(COMMANDS)]
    processes = [machine.spawn("sync", lock, "--venv", venv) for venv in venvs]
    for process in processes:
        _, err = process.communicate()
        assert process.returncode == 0, err
    assert set(Counter(machine.fetched()).values()) == {1}
    assert builds(machine) == 2


def test_a_source_for_two_stores_is_built_once(machine: Machine) -> None:
    lock = lockfile(machine)
    fault = held(machine, "delta-1.0.tar.gz")
    first = machine.spawn("sync", lock, "--venv", "one", "--store", machine.folder / "one-store")
    assert fault.arrived.wait(60)
    second = machine.spawn("sync", lock, "--venv", "two", "--store", machine.folder / "two-store")
    assert "waiting for delta 1.0, which process " in said_until(second, "waiting for ")
    release(fault)
    for process in (first, second):
        _, err = process.communicate()
        assert process.returncode == 0, err
    assert Counter(machine.fetched())["delta-1.0.tar.gz"] == 1


def test_a_killed_command_leaves_its_turn_to_the_next(machine: Machine) -> None:
    lock = lockfile(machine)
    fault = held(machine, "beta-1.0-py3-none-any.whl")
    first = machine.spawn("sync", lock, "--venv", "one")
    assert fault.arrived.wait(60)
    second = machine.spawn("sync", lock, "--venv", "two")
    line = said_until(second, "waiting for beta")
    assert line == f"waiting for beta 1.0, which process {first.pid} is bringing\n"
    first.kill()
    first.communicate()
    release(fault)
    _, err = second.communicate()
    assert second.returncode == 0, err
    assert machine.python("import beta; print(beta.version)", venv=machine.work / "two").out == "1.0\n"


def test_interrupted_while_waiting(machine: Machine) -> None:
    lock = lockfile(machine)
    fault = held(machine, "beta-1.0-py3-none-any.whl")
    first = machine.spawn("sync", lock, "--venv", "one")
    assert fault.arrived.wait(60)
    second = machine.spawn("sync", lock, "--venv", "two")
    said_until(second, "waiting for beta")
    second.send_signal(2)
    _, err = second.communicate()
    assert (second.returncode, err) == (130, "interrupted\n")
    release(fault)
    _, err = first.communicate()
    assert first.returncode == 0, err
    assert not (machine.work / "two").exists()


def errand(folder: Path, *names: str) -> Errand:
    return Errand(label="it", places=tuple(folder / name for name in names))


def test_turns_are_taken_and_ended(tmp_path: Path) -> None:
    said: list[str] = []
    mine, other = Turns[str](said.append), Turns[str](said.append)
    with mine.taken([("a", errand(tmp_path, "a")), ("b", errand(tmp_path, "b", "c"))]) as taken:
        assert taken == ["a", "b"]
        with other.taken([("c", errand(tmp_path, "c")), ("d", errand(tmp_path, "d"))]) as rest:
            assert rest == ["d"]
        mine.end("b")
        with other.taken([("c", errand(tmp_path, "c"))]) as rest:
            assert rest == ["c"]
    assert list(tmp_path.iterdir()) == []
    assert said == []


def test_what_nothing_names_is_everybody_s(tmp_path: Path) -> None:
    with Turns[str](pytest.fail).taken([("a", Errand(label="it"))]) as taken:
        assert taken == ["a"]
    assert list(tmp_path.iterdir()) == []


def test_no_more_than_a_process_may_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_AT_ONCE", 2)
    errands = [(name, errand(tmp_path, name)) for name in "abc"]
    with Turns[str](pytest.fail).taken(errands) as taken:
        assert taken == ["a", "b"]


def test_a_filesystem_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", flock)
    said: list[str] = []
    with Turns[str](said.append).taken([("a", errand(tmp_path, "a")), ("b", errand(tmp_path, "b"))]) as taken:
        assert taken == ["a", "b"]
    assert said == [f"{tmp_path}: files cannot be locked there; commands may fetch one file twice"]


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file")
    with Turns[str](pytest.fail).taken([("a", errand(tmp_path / "locks", "a"))]) as taken:
        assert taken == ["a"]


def test_a_lock_file_that_is_removed_keeps_nobody_out(tmp_path: Path) -> None:
    place = tmp_path / "a"
    with ExitStack() as first:
        first.enter_context(Turns[str](pytest.fail).taken([("a", errand(tmp_path, "a"))]))
        place.unlink()
        with Turns[str](pytest.fail).taken([("a", errand(tmp_path, "a"))]) as taken:
            assert taken == ["a"]
            assert place.read_text().split()[0] == str(os.getpid())
            first.close()
            assert place.exists()

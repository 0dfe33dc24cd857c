"""A blueprint is believed only where it is whole, and only of an interpreter that is the one that was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite import blueprint, settled
from multisite.environment import Environment
from tests.machine import Machine

BLOCK = 512  # bytes: disks write these whole


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel("alpha", entry_points={"console_scripts": {"alpha": "alpha:main"}})
        machine.run("lock", "alpha", "--venv", "first").succeeded()
        shutil.copy(machine.work / "first" / "pylock.toml", machine.work)
        yield machine


@pytest.fixture
def cache(machine: Machine) -> Path:
    return machine.folder / "home" / ".cache" / "multisite"


@pytest.mark.parametrize("magic", [settled.MAGIC, blueprint.MAGIC])
def test_whatever_is_torn_counts_for_nothing(tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "note"
    whole = settled.encode({"text": b"x" * 5000, "number": 10**30}, magic)
    path.write_bytes(whole)
    assert settled.read(str(path), magic) is not None
    for at in range(0, len(whole), BLOCK):
        rest = whole[at + BLOCK :]
        path.write_bytes(whole[:at] + bytes(len(whole) - len(rest) - at) + rest)
        assert settled.read(str(path), magic) is None
    path.write_bytes(whole)
    assert settled.read(str(path), magic, settled.FORMAT + 1) is None


def test_no_environment_is_made_of_a_torn_one(machine: Machine, cache: Path) -> None:
    (path,) = (cache / "blueprints").iterdir()
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        file.write(bytes(4096))
    assert blueprint.read(str(cache), path.name) is None
    machine.run("sync", "pylock.toml", "--venv", "other").succeeded()
    assert machine.run("doctor", "--venv", "other").succeeded()
    assert blueprint.read(str(cache), path.name) is not None  # drawn anew


def test_no_number_that_is_there_is_taken_for_one_to_be_filled_in(machine: Machine) -> None:
    base = machine.folder / "base" / "bin" / "python3"
    shutil.copytree(Path(sys.base_prefix) / "bin", base.parent, symlinks=True)
    (base.parents[1] / "lib").symlink_to(Path(sys.base_prefix) / "lib")
    seconds = 1701000000
    for path in base.parent.iterdir():
        os.utime(path, (seconds, seconds), follow_symlinks=False)
    words = ("sync", "pylock.toml", "--python", base)
    for name in ("second", "third"):
        machine.run(*words, "--venv", name).succeeded()
    states = [Environment.open(machine.work / name).read_state() for name in ("second", "third")]
    assert [state and state.python.mtime_ns for state in states] == [seconds * 10**9] * 2


@pytest.mark.skipif(os.name == "nt", reason="a program by its first line")
def test_a_program_that_chooses_an_interpreter_is_asked_each_time(
    machine: Machine, interpreters: dict[str, Path], tmp_path: Path
) -> None:
    versions = list(interpreters)[-2:]
    shim = machine.work / "python"
    shim.write_text(f'#!/bin/sh\nexec "$(cat "{tmp_path}/chosen")" "$@"\n')
    shim.chmod(0o755)
    for version in (*versions, versions[0]):
        (tmp_path / "chosen").write_text(str(interpreters[version]))
        name = f"of-{version}"
        shutil.rmtree(machine.work / name, ignore_errors=True)
        machine.run("lock", "alpha", "--python", shim, "--venv", name).succeeded()
        configured = (machine.work / name / "pyvenv.cfg").read_text(encoding="utf-8")
        assert f"version = {version}." in configured.replace("version_info", "version")


def test_what_a_marker_may_ask_of_the_system_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    system = list(os.uname())
    keys = set()
    for at in (None, 0, 2, 3, 4):  # the name of the machine counts for nothing
        changed = os.uname_result(value + "x" * (number == at) for number, value in enumerate(system))
        monkeypatch.setattr(os, "uname", lambda changed=changed: changed)
        keys.add(blueprint.key(b"", sys.executable, "/store", {}, ()))
    assert len(keys) == 5


def test_a_virtual_environment_s_program_is_followed_to_its_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base" / "bin" / "python3"
    inner = tmp_path / "venv" / "bin" / "python"
    for path in (base, inner):
        path.parent.mkdir(parents=True)
    base.touch()
    inner.symlink_to(base)
    inner.with_name("python3").symlink_to("python")
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "base"))
    monkeypatch.setattr(sys, "_base_executable", str(inner.with_name("python3")), raising=False)
    assert blueprint.asked_for(None, {}) == str(base)
    base.unlink()
    assert blueprint.asked_for(None, {}) is None
    base.symlink_to(inner)  # a circle
    assert blueprint.asked_for(None, {}) is None


def test_a_multisite_is_told_by_its_sizes_where_all_times_are_the_same(tmp_path: Path) -> None:
    package = tmp_path / "multisite"
    shutil.copytree(Path(settled.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    found = set()
    for text in ("", "# more\n"):
        with (package / "_runtime" / "messages.py").open("a", encoding="utf-8") as file:
            file.write(text)
        for path in (*package.rglob("*"), package):
            os.utime(path, (1, 1))
        command = [sys.executable, "-B", "-c", "from multisite.settled import program; print(program())"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 2

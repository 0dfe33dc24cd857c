"""No room on the disk."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from multisite.store import Store
from tests.bad_input.case import Words, existing, files, locked, shown

if TYPE_CHECKING:
    from tests.machine import Machine


@pytest.fixture
def small_disk(machine: Machine) -> Iterator[Callable[[Path, str], None]]:
    mounted: list[Path] = []

    def mount(folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no disk can be mounted here")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def _large(machine: Machine) -> Words:
    wheel = machine.wheel("large", files={"large.bin": os.urandom(300_000)}, compression=zipfile.ZIP_STORED)
    return ["sync", "-q", locked(machine, wheel)]


def test_a_full_store(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    (machine.store / "store.json").unlink()
    small_disk(machine.store, "128k")
    Store.open(machine.store)
    words = _large(machine)
    before = files(machine.store, machine.work)
    done = machine.run(*words)
    message = "error: store ROOT/store: No space left on device\nnext: choose another: --store DIR or MULTISITE_STORE\n"
    assert (shown(done.err, machine), done.code) == (message, 3)
    assert files(machine.store, machine.work) == before


def test_a_full_place_for_environments(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    small_disk(machine.work / "small", "8k")
    words: Words = [
        "sync",
        "-q",
        "--venv",
        "small/.venv",
        locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl"),
    ]
    done = machine.run(*words)
    place = "ROOT/work/small/.venv"
    message = f"error: {place}: it cannot be made: No space left on device\nnext: choose another folder: --venv DIR\n"
    assert (shown(done.err, machine), done.code) == (message, 3)
    assert list((machine.work / "small").iterdir()) == []


def test_a_full_environment(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    existing(machine)
    wheel = machine.wheel("large", data={"data": {"large.bin": os.urandom(600_000)}}, compression=zipfile.ZIP_STORED)
    words: Words = ["sync", "-q", locked(machine, wheel)]
    kept = machine.venv.rename(machine.work / "kept")
    small_disk(machine.venv, "512k")
    subprocess.run(["cp", "-a", f"{kept}/.", str(machine.venv)], check=True)
    before = {name: content for name, content in files(machine.venv).items() if not name.endswith("next.json")}
    done = machine.run(*words)
    assert re.fullmatch(
        r"error: (.*): No space left on device\nnext: make room there, then run the same command again\n", done.err
    )
    assert done.err.startswith(f"error: {machine.venv}/")
    assert done.code == 3
    assert machine.python("import kept; print(kept.version)").out == "1.0\n"
    after = {name: content for name, content in files(machine.venv).items() if not name.endswith("next.json")}
    assert after == before


def test_a_full_cache(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    small_disk(machine.folder / "cache", "64k")
    machine.variables["MULTISITE_CACHE"] = str(machine.folder / "cache")
    words = _large(machine)
    before = files(machine.store, machine.venv)
    done = machine.run(*words)
    assert re.sub("work/[0-9a-f]{16}", "work/X", shown(done.err, machine)) == (
        "error: large-1.0-py3-none-any.whl: could not be fetched from INDEX/files/large-1.0-py3-none-any.whl: "
        "No space left on device: ROOT/cache/work/X/large\n"
        "next: make room there, or choose another folder: MULTISITE_CACHE\n"
    )
    assert done.code == 3
    assert files(machine.store, machine.venv) == before
    cache = machine.folder / "cache"
    kept = {path.relative_to(cache).parts[0] for path in cache.rglob("*") if path.is_file()}
    assert kept == {"CACHEDIR.TAG", "interpreters"}


@pytest.mark.parametrize("size", [100_000, 4_000])
def test_files_that_may_not_be_so_large(machine: Machine, size: int) -> None:
    words = _large(machine)
    before = files(machine.store, machine.venv)
    # Bytecode of multisite itself would be cut off as well, and every later process would read it.
    machine.variables["PYTHONDONTWRITEBYTECODE"] = "1"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    with machine.spawn(*words, preexec_fn=limit) as process:
        _, err = process.communicate()
    assert re.sub("work/[0-9a-f]{16}", "work/X", shown(err, machine)) == (
        "error: large-1.0-py3-none-any.whl: could not be fetched from INDEX/files/large-1.0-py3-none-any.whl: "
        "File too large: ROOT/home/.cache/multisite/work/X/large\n"
        "next: make room there, or choose another folder: MULTISITE_CACHE\n"
    )
    assert process.returncode == 3
    assert files(machine.store, machine.venv) == before

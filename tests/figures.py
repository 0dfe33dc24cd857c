"""The figures that the documentation states, measured anew: ``python -m tests.figures [NAME…]``.

Sizes are those of ``du -sk`` and ``find | wc -l``. Times are the processor's (user and system, in the process and what
it starts), the least of some runs: what else the machine does matters little then. Environments are made in a folder
that is removed afterwards, of what an index has today.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from uv import find_uv_bin

from multisite.headers import read_native
from multisite.unpacking import unpack
from multisite.wheel import WheelFile
from tests.pythons import found_pythons
from tests.test_real_environments import LARGE, Machine, succeeded

PYTHON = "3.11"
SMALL = ("requests", "rich", "django")
WEB = ("flask", "requests", "sqlalchemy", "pydantic", "rich")
NATIVE = "PySide6-Essentials"
RUNS = 8


def sizes(machine: Machine) -> None:
    """Print what a plain environment takes, and the second of multisite's, of a few and of many distributions."""
    for label, requirements in (("small", SMALL), ("large", tuple(LARGE))):
        first, second, plain = (machine.folder / f"{label}-{kind}" for kind in ("first", "second", "plain"))
        _locked(machine, first, requirements)
        lockfile = first / "pylock.toml"
        succeeded(machine.multisite("sync", lockfile, "--venv", second, "--offline"))
        succeeded(machine.run(find_uv_bin(), "venv", "--quiet", "--python", found_pythons()[PYTHON], plain))
        copies = ("--quiet", "--link-mode", "copy", "--python", plain / "bin" / "python")
        succeeded(machine.run(find_uv_bin(), "pip", "sync", *copies, lockfile))
        count = lockfile.read_text(encoding="utf-8").count("[[packages]]")
        print(f"{label}, {count} distributions: plain {_size(plain)}; second {_size(second)}")
        print(f"  of which in share/ and etc/: {_size(second / 'share')}; {_size(second / 'etc')}")


def bytecode(machine: Machine) -> None:
    """Print what the import of some distributions takes, with their bytecode and where none can be written."""
    venv = machine.folder / "web"
    _locked(machine, venv, WEB)
    command: list[str | Path] = [venv / "bin" / "python", "-c", f"import {', '.join(WEB)}"]
    succeeded(machine.run(*command))
    compiled = min(_seconds(command) for _ in range(RUNS))
    for folder in list(machine.store.rglob("__pycache__")):
        shutil.rmtree(folder)
    without = min(_seconds(command, {"PYTHONDONTWRITEBYTECODE": "1"}) for _ in range(RUNS))
    print(f"import {', '.join(WEB)}: {compiled:.2f} s with bytecode, {without:.2f} s without")


def start(machine: Machine) -> None:
    """Print what a start takes, and how much more where the lockfile's time is another than the table knows."""
    venv = machine.folder / "start"
    _locked(machine, venv, WEB + SMALL + ("jupyterlab",))
    lockfile = venv / "pylock.toml"
    count = lockfile.read_text(encoding="utf-8").count("[[packages]]")
    command: list[str | Path] = [venv / "bin" / "python", "-c", "pass"]
    usual = min(_seconds(command) for _ in range(RUNS * 10))
    os.utime(lockfile, (0, 0))
    other = min(_seconds(command) for _ in range(RUNS * 10))
    said = f"start with {count} distributions, a lockfile of {lockfile.stat().st_size} bytes"
    print(f"{said}: {usual * 1000:.1f} ms, with another time {other * 1000:.1f} ms")


def headers(machine: Machine) -> None:
    """Print what reading the headers of many native files takes, beside the unpacking of their wheel."""
    wheels = machine.folder / "wheels"
    pip = machine.folder / "pip"
    succeeded(machine.run(found_pythons()[PYTHON], "-m", "venv", pip))
    words = ("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", wheels, NATIVE)
    succeeded(machine.run(pip / "bin" / "pip", *words))
    (path,) = wheels.iterdir()
    unpacked = [_user(partial(_unpacked, path, machine.folder / f"unpacked-{number}")) for number in range(3)]
    site = machine.folder / "unpacked-0" / "site-packages"
    files = {str(file.relative_to(site)): file for file in site.rglob("*") if file.is_file()}
    native = {name: files[name] for name in read_native(files).files}
    read = [_user(partial(read_native, native)) for _ in range(RUNS)]
    share = min(read) / min(unpacked)
    print(
        f"{path.name}: unpacked in {min(unpacked):.2f} s, headers of {len(native)} files {min(read) * 1000:.0f} ms",
        end="",
    )
    print(f" ({share:.1%}), both of the user's time")


def _unpacked(path: Path, folder: Path) -> None:
    with WheelFile.open(path) as wheel:
        unpack(wheel, folder)


def _locked(machine: Machine, venv: Path, requirements: tuple[str, ...]) -> None:
    succeeded(machine.multisite("lock", *requirements, "--venv", venv, "--python", found_pythons()[PYTHON]))


def _size(folder: Path) -> str:
    """Return what du and find say of *folder*."""
    if not folder.exists():
        return "nothing"
    used = subprocess.run(["du", "-sk", folder], capture_output=True, text=True, check=True).stdout.split()[0]
    found = subprocess.run(["find", folder], capture_output=True, text=True, check=True).stdout.count("\n")
    return f"{int(used):,} KiB, {found:,} files and folders"


def _seconds(command: Sequence[str | Path], variables: Mapping[str, str] | None = None) -> float:
    """Run *command*, and return the processor's time for it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in command], env={**clean, **(variables or {})}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _user(work: Callable[[], object]) -> float:
    """Return the user's time for *work* in this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


FIGURES: dict[str, Callable[[Machine], None]] = {
    "sizes": sizes,
    "bytecode": bytecode,
    "start": start,
    "headers": headers,
}


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.figures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(FIGURES)} (default: all)")
    names = parser.parse_args().names or list(FIGURES)
    if unknown := [name for name in names if name not in FIGURES]:
        parser.error(f"no such NAME: {', '.join(unknown)}")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="figures-") as folder:
            FIGURES[name](Machine(folder=Path(folder).resolve()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

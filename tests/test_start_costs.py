"""What a start and a question for a version cost, in things that can be counted: modules, and calls to the system."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine
from tests.pythons import SUPPORTED, found_pythons

MODULES = "import sys; print(*sorted(sys.modules))"
# The audit hook is there before the question; importing what answers is not counted.
VERSION = """\
import importlib.metadata, sys
calls = []
kinds = ("open", "os.listdir", "os.scandir", "os.stat")
sys.addaudithook(lambda kind, given: calls.append(str(given[0])) if kind in kinds else None)
version = importlib.metadata.version("alpha")
print(version, *[path for path in list(calls) if any(path.startswith(part) for part in sys.argv[1:])])
"""


@pytest.fixture(params=SUPPORTED)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if request.param not in found_pythons():
        pytest.skip(f"no Python {request.param} here")
    with Machine.opened(tmp_path / "machine") as machine:
        machine.wheel("alpha")
        machine.run("lock", "alpha", "--python", found_pythons()[request.param]).succeeded()
        yield machine


def test_a_start_loads_one_module(machine: Machine) -> None:
    ours = set(machine.program("python", "-I", "-c", MODULES).out.split())
    without = set(machine.program("python", "-I", "-S", "-c", f"import site; {MODULES}").out.split())
    assert {name for name in ours - without if name.startswith("_multisite")} == {"_multisite"}


def test_a_start_asks_for_four_files_of_ours(machine: Machine, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace here")
    trace = tmp_path / "trace"
    python = machine.venv / "bin" / "python"
    command = [strace, "-f", "-o", str(trace), "-e", "trace=%file", str(python), "-I", "-c", "pass"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("strace cannot trace here")
    named = [line for line in trace.read_text().splitlines() if "execve" not in line]
    state, store = machine.venv / ".multisite", machine.store
    calls = [line for line in named if f'"{state}/' in line or f'"{store}/' in line or '/pylock.toml"' in line]
    # The bytecode, the table, a look at the lockfile, and one at the store.
    assert len(calls) <= 4, "\n".join(calls)


def test_a_version_is_told_without_a_look_at_the_store(machine: Machine) -> None:
    (site,) = (machine.venv / "lib").glob("python*/site-packages")
    done = machine.program("python", "-I", "-c", VERSION, f"{machine.store}/", f"{site}/")
    assert done.succeeded().out == "1.0\n"


MODULES_HELD = """\
import _multisite, types
print(*[name for name, value in vars(_multisite).items() if type(value) is types.ModuleType])
"""
FUNCTIONS = """\
import _multisite
made = [*vars(_multisite).values(), *vars(_multisite.Dormant).values()]
print(sum(hasattr(value, "__code__") for value in made))
"""


def test_what_outlives_the_modules_at_the_end_holds_none_of_them(machine: Machine) -> None:
    # While "os" was among these, taking it apart at the end took longer than reading the table.
    assert machine.program("python", "-I", "-c", MODULES_HELD).succeeded().out.split() == ["marshal", "sys"]


def test_the_code_that_each_start_makes_is_small(machine: Machine) -> None:
    # Each function is five containers, and a collection of garbage begins at every 700th.
    assert int(machine.program("python", "-I", "-c", FUNCTIONS).succeeded().out) <= 17

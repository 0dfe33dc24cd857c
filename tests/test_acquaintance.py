"""What interpreters have said is kept, for as long as it holds."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from multisite import acquaintance
from multisite.acquaintance import Acquaintance
from multisite.cache import Cache
from multisite.environment import Environment
from multisite.errors import InterpreterNotUsable
from multisite.interpreter import inspect_interpreter, interpreter_facts
from tests.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel("alpha")
        machine.run("lock", "alpha").succeeded()
        yield machine


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    found: list[Path] = []

    def ask(executable: Path) -> dict[str, object]:
        found.append(executable)
        return interpreter_facts(executable)

    monkeypatch.setattr(acquaintance, "interpreter_facts", ask)
    return found


def test_an_interpreter_is_asked_once(tmp_path: Path, asked: list[Path]) -> None:
    known = Acquaintance(cache=Cache(tmp_path / "cache"), environ=os.environ)
    program = Path(sys.executable)
    assert [known.inspect(program) for _ in range(3)] == [inspect_interpreter(program)] * 3
    assert asked == [program]


def test_without_a_cache_it_is_asked_each_time(asked: list[Path]) -> None:
    known = Acquaintance(cache=Cache(), environ=os.environ)
    assert known.inspect(Path(sys.executable)) == known.inspect(Path(sys.executable))
    assert len(asked) == 2


def change_configuration(machine: Machine) -> None:
    with (machine.venv / "pyvenv.cfg").open("a", encoding="utf-8") as file:
        file.write("other = 1\n")


def install_a_start_file(machine: Machine) -> None:
    (machine.environment.site_packages / "other.pth").write_text("\n", encoding="utf-8")


def lead_elsewhere(machine: Machine) -> None:
    target = (machine.venv / "bin" / "python").resolve()
    (machine.venv / "bin" / "python").unlink()
    (machine.venv / "bin" / "python").symlink_to(target)
    os.utime(machine.venv / "bin" / "python", ns=(time.time_ns(), 1), follow_symlinks=False)


def change_table(machine: Machine) -> None:
    os.utime(machine.venv / ".multisite" / "table", ns=(1, 1))


def change_start_up_code(machine: Machine) -> None:
    (code,) = (machine.venv / ".multisite" / "runtime").glob("*/__init__.py")
    os.utime(code, ns=(1, 1))


def set_a_variable(machine: Machine) -> None:
    machine.variables["PYTHONHASHSEED"] = "1"


@pytest.mark.parametrize(
    "change",
    [change_configuration, install_a_start_file, lead_elsewhere, change_table, change_start_up_code, set_a_variable],
    ids=lambda change: change.__name__,
)
def test_an_environment_is_asked_again_once_it_may_start_otherwise(
    machine: Machine, asked: list[Path], change: Callable[[Machine], None]
) -> None:
    def ask() -> None:
        known = Acquaintance(cache=Cache(machine.folder / "cache"), environ=machine.environ())
        assert known.of(machine.environment) == inspect_interpreter(machine.environment.python)

    ask()
    ask()
    assert len(asked) == 1
    change(machine)
    ask()
    assert len(asked) == 2


def test_one_that_does_not_start_is_asked_again(machine: Machine, asked: list[Path]) -> None:
    known = Acquaintance(cache=Cache(machine.folder / "cache"), environ=machine.environ())
    (machine.environment.site_packages / "sitecustomize.py").write_text("import os; os._exit(1)\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InterpreterNotUsable):
            known.of(machine.environment)
    assert len(asked) == 2
    (machine.environment.site_packages / "sitecustomize.py").unlink()
    assert known.of(Environment.open(machine.venv)).version == ".".join(map(str, sys.version_info[:3]))


def test_a_lock_that_comes_to_the_same_changes_one_document(machine: Machine, asked: list[Path]) -> None:
    (machine.work / "wanted.txt").write_text("alpha\n", encoding="utf-8")
    machine.run("lock", "-r", "wanted.txt").succeeded()
    files = {path: path.stat().st_mtime_ns for path in machine.venv.rglob("*") if path.is_file()}
    before = machine.state
    (machine.work / "wanted.txt").write_text("alpha  # the same\n", encoding="utf-8")
    asked.clear()
    assert "mended; 1 distribution" in machine.run("lock", "-r", "wanted.txt").succeeded().err
    changed = [path.name for path, time in files.items() if path.stat().st_mtime_ns != time]
    assert changed == ["environment.json"]
    assert not asked
    assert machine.state.request != before.request
    assert machine.state.builds == before.builds
    assert "unchanged; 1 distribution" in machine.run("lock", "-r", "wanted.txt").succeeded().err

"""Bytecode that is made before it is asked for (``--compile all``), and the processes that make it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from multisite.asking import ask
from multisite.errors import InvalidRequest
from multisite.turns import Errand, Turns
from tests.machine import Machine

if TYPE_CHECKING:
    from tests.builders import Tree

FILES: Tree = {
    "foo": {"__init__.py": "", "deep": {"one.py": "def f():\n    assert 1\n"}, "template.py": "{{ name }} = (\n"},
    "foo_data": {"note.txt": "x"},
}
TAG = sys.implementation.cache_tag
MODULES = [f"__pycache__/__init__.{TAG}.pyc", f"deep/__pycache__/one.{TAG}.pyc"]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel("foo", files=FILES)
        yield machine


def package(machine: Machine) -> Path:
    (found,) = machine.store.glob("multi-site-packages/foo/1.0/*/site-packages/foo")
    return found


def compiled(machine: Machine) -> dict[str, tuple[int, int]]:
    """Return the bytecode that is there, with what changes when it is written."""
    folder = package(machine)
    paths = sorted(path for path in folder.rglob("*") if path.parent.name == "__pycache__")
    return {path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def test_everything_is_compiled_at_once(machine: Machine) -> None:
    done = machine.run("lock", "foo", "--compile", "all").succeeded()
    assert done.err.splitlines()[-1].startswith(f"{machine.venv}: made; 1 distribution, 1 fetched, 2 modules compiled")
    assert list(compiled(machine)) == MODULES
    for name in MODULES:
        path = package(machine) / name
        source = path.parent.parent / f"{path.name.partition('.')[0]}.py"
        data = path.read_bytes()
        head = importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + importlib.util.source_hash(source.read_bytes())
        assert data[:16] == head
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755


def test_it_is_what_imports_take(machine: Machine) -> None:
    machine.run("lock", "foo", "--compile", "all").succeeded()
    before = compiled(machine)
    code = "import foo.deep.one as m; print(m.f.__code__.co_filename == m.__file__, m.__cached__)"
    for _ in range(2):
        done = machine.python(code).succeeded()
        assert done.out.split() == ["True", str(package(machine) / MODULES[1])]
    assert compiled(machine) == before
    machine.run("verify").succeeded()


def test_what_is_there_and_right_is_kept(machine: Machine) -> None:
    machine.run("lock", "foo", "--compile", "all").succeeded()
    first = compiled(machine)
    wrong = package(machine) / MODULES[1]
    wrong.write_bytes(b"x" * 40)
    done = machine.run("sync", "--compile", "all").succeeded()
    assert done.err.splitlines()[-1].endswith(", 1 modules compiled")
    assert compiled(machine)[MODULES[0]] == first[MODULES[0]]
    assert wrong.read_bytes()[:4] == importlib.util.MAGIC_NUMBER
    assert "compiled" not in machine.run("sync", "--compile", "all").succeeded().err


CHOSEN: dict[str, tuple[str | None, tuple[str, ...], bool]] = {
    "nothing said": (None, (), False),
    "none": (None, ("--compile", "none"), False),
    "by the variable": ("all", (), True),
    "the option wins": ("all", ("--compile", "none"), False),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_when(machine: Machine, case: str) -> None:
    variable, words, wanted = CHOSEN[case]
    if variable:
        machine.variables["MULTISITE_COMPILE"] = variable
    machine.run("lock", "foo", *words).succeeded()
    assert bool(compiled(machine)) == wanted


@pytest.mark.parametrize("way", ["option", "variable"])
def test_another_environment_of_the_same_lockfile(machine: Machine, way: str) -> None:
    machine.run("lock", "foo", "-o", "pylock.toml").succeeded()
    machine.run("sync", "pylock.toml", "--venv", "second").succeeded()
    assert compiled(machine) == {}
    words = ["--compile", "all"] if way == "option" else []
    machine.variables.update({} if words else {"MULTISITE_COMPILE": "all"})
    machine.run("sync", "pylock.toml", "--venv", "third", *words).succeeded()
    assert list(compiled(machine)) == MODULES


def test_a_variable_that_is_neither(machine: Machine) -> None:
    machine.variables["MULTISITE_COMPILE"] = "some"
    done = machine.run("lock", "foo")
    assert done.code == InvalidRequest.exit_code
    assert "MULTISITE_COMPILE is 'some': neither all nor none\n" in done.err
    assert not machine.venv.exists()


def test_a_shared_folder_is_compiled_where_it_is_imported_from(machine: Machine) -> None:
    machine.wheel("one", files={"both": {"__init__.py": "", "a.py": ""}})
    machine.wheel("two", files={"both": {"b.py": ""}})
    machine.run("lock", "one", "two", "--compile", "all").succeeded()
    found = sorted(path.name for path in machine.store.glob("shared/*/site-packages/both/__pycache__/*"))
    assert found == [f"{name}.{TAG}.pyc" for name in ("__init__", "a", "b")]
    assert not list(machine.store.glob("multi-site-packages/*/*/*/site-packages/both/__pycache__"))


def test_a_private_copy_is_left_alone(machine: Machine) -> None:
    machine.run("lock", "foo").succeeded()
    machine.run("edit", "foo").succeeded()
    machine.run("sync", "--compile", "all").succeeded()
    assert compiled(machine) == {}
    assert not list((machine.venv / ".multisite" / "edits").rglob("*.pyc"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a store to another account")
def test_nothing_is_written_into_the_store_of_another(machine: Machine) -> None:
    machine.run("lock", "foo").succeeded()
    os.chown(machine.store, 12345, -1)
    machine.variables["MULTISITE_TRUST"] = "12345"
    done = machine.run("sync", "--compile", "all").succeeded()
    assert f"{machine.store}: nothing is compiled there, which is for its owner to do\n" in done.err
    assert compiled(machine) == {}


def test_what_cannot_be_written_ends_nothing(machine: Machine) -> None:
    machine.run("lock", "foo").succeeded()
    (package(machine) / "__pycache__").write_text("in the way")
    done = machine.run("sync", "--compile", "all").succeeded()
    assert "bytecode is not kept: " in done.err


def test_who_comes_second_waits_and_finds_it(machine: Machine) -> None:
    machine.run("lock", "foo").succeeded()
    done: list[Any] = []
    root = package(machine).parent.relative_to(machine.store).as_posix()
    import hashlib

    name = hashlib.sha256(f"{TAG} {root}".encode()).hexdigest()
    errand = Errand(label="x", places=(machine.store / "locks" / f"{name}.turn",))
    with Turns[str](lambda text: None).taken([("x", errand)]):
        process = machine.spawn("sync", "--compile", "all")
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any(f"waiting for bytecode of {root}" in line for line in lines)
        assert compiled(machine) == {}
    done.append(process.communicate())
    assert process.returncode == 0
    assert list(compiled(machine)) == MODULES


class TestAsking:
    PYTHON = Path(sys.executable)

    def ask(self, program: str, questions: list[tuple[Any, ...]], processes: int = 2) -> dict[int, Any]:
        return dict(ask(self.PYTHON, program, questions, dict(os.environ), processes=processes))

    def test_each_is_answered(self) -> None:
        questions = [(number, "\udcff") for number in range(100)]
        found = self.ask("def answer(number, text): return [number, text]\n", questions)
        assert found == {number: [number, "\udcff"] for number in range(100)}

    def test_no_questions(self) -> None:
        assert self.ask("raise SystemExit\n", []) == {}

    def test_one_that_ends_the_process_is_told_from_the_others(self) -> None:
        program = "import os\ndef answer(number): return os._exit(1) if number % 10 == 3 else number\n"
        found = self.ask(program, [(number,) for number in range(50)])
        assert found == {number: None if number % 10 == 3 else number for number in range(50)}

    def test_no_more_processes_than_are_needed(self) -> None:
        found = self.ask("import os\ndef answer(): return os.getpid()\n", [()] * 20, processes=64)
        assert len(set(found.values())) <= 2

    def test_who_stops_listening_ends_them(self) -> None:
        program = "import os, time\ndef answer(number): return os.getpid() if number == 0 else time.sleep(600)\n"
        with contextlib.closing(
            ask(self.PYTHON, program, [(number,) for number in range(20)], dict(os.environ), processes=1)
        ) as answers:
            number, pid = next(answers)
        assert number == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert [thread for thread in threading.enumerate() if thread.name.startswith("multisite-ask")] == []

    def test_an_interpreter_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            list(ask(tmp_path / "python", "", [()], {}, processes=1))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_command_that_is_ended_ends_its_processes(machine: Machine) -> None:
    big = "x = [" + "1, 'a', " * 400_000 + "]\n"
    machine.wheel("slow", files={f"slow{number}.py": big for number in range(12)})
    machine.run("lock", "slow").succeeded()
    process = machine.spawn("sync", "--compile", "all")
    assert process.stderr is not None
    assert any(line.startswith("compiling for") for line in iter(process.stderr.readline, ""))
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    listed = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert str(machine.folder) not in listed
    left = [path for path in machine.store.rglob("*.tmp") if "multi-site-packages" in path.parts]
    assert left == []
    assert json.loads(machine.run("list", "--json").succeeded().out)[0]["name"] == "slow"

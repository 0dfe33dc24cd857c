"""Bytecode that the loader writes into the store: of which kind, by whom, and what becomes of another kind."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine
from tests.pythons import found_pythons

needs_root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="another account's folder needs root")
COMPILE = "import py_compile, sys; py_compile.compile(sys.argv[1], doraise=True)"


@pytest.fixture(params=["3.8", "3.13"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if request.param not in found_pythons():
        pytest.skip(f"no Python {request.param} here")
    with Machine.opened(tmp_path / "machine") as machine:
        machine.wheel("alpha", files={"alpha/__init__.py": "", "alpha/part.py": "who = 'part'\n"})
        python = found_pythons()[request.param]
        machine.run("lock", "alpha", "--compile", "none", "--python", python).succeeded()
        yield machine


def folder(machine: Machine) -> Path:
    (found,) = machine.store.glob("multi-site-packages/alpha/*/*/site-packages/alpha")
    return found


def bytecode(machine: Machine) -> list[Path]:
    return sorted((folder(machine) / "__pycache__").glob("part.*.pyc"))


def imported(machine: Machine, *options: str, code: str = "") -> str:
    done = machine.program("python", *options, "-c", f"{code}\nimport alpha.part; print(alpha.part.who)")
    assert (done.code, done.err) == (0, "")
    return done.out.strip()


def test_it_is_not_to_be_checked(machine: Machine) -> None:
    assert imported(machine, code="import os; os.umask(0)") == "part"
    (path,) = bytecode(machine)
    source = folder(machine) / "part.py"
    text = machine.python(
        f"import importlib.util; print(importlib.util.source_hash({source.read_bytes()!r}).hex())"
    ).out
    assert path.read_bytes()[4:16] == b"\1\0\0\0" + bytes.fromhex(text)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    assert {file.suffix for file in path.parent.iterdir()} == {".pyc"}
    assert machine.run("verify").code == 0


def test_that_with_the_time_of_its_source_is_compared_and_written_anew(machine: Machine) -> None:
    source = folder(machine) / "part.py"
    machine.program("python", "-c", COMPILE, str(source)).succeeded()
    (path,) = bytecode(machine)
    before = path.read_bytes()
    assert before[4:8] == bytes(4)
    assert imported(machine, "-B") == "part"
    assert path.read_bytes() == before
    assert imported(machine) == "part"
    assert path.read_bytes()[4:8] == b"\1\0\0\0"
    assert path.read_bytes()[16:] == before[16:]


def test_that_with_another_time_is_not_believed(machine: Machine) -> None:
    source = folder(machine) / "part.py"
    machine.program("python", "-c", COMPILE, str(source)).succeeded()
    (path,) = bytecode(machine)
    os.utime(source, (1, 1))
    path.write_bytes(path.read_bytes().replace(b"part", b"trap"))
    assert imported(machine, "-B") == "part"
    assert imported(machine) == "part"
    assert path.read_bytes()[4:8] == b"\1\0\0\0"


@pytest.mark.parametrize("content", [b"", b"\0" * 64, importlib.util.MAGIC_NUMBER], ids=["empty", "zeros", "torn"])
def test_that_which_is_none_is_made_anew(machine: Machine, content: bytes) -> None:
    assert imported(machine) == "part"
    (path,) = bytecode(machine)
    path.write_bytes(content)
    assert imported(machine) == "part"
    assert path.read_bytes()[4:8] == b"\1\0\0\0"


@needs_root
def test_root_leaves_nothing_in_a_folder_of_somebody_else(machine: Machine) -> None:
    os.chown(folder(machine), 1234, -1)
    assert imported(machine) == "part"
    assert bytecode(machine) == []


@needs_root
def test_nor_where_real_files_are_merged_with_it(machine: Machine) -> None:
    real = machine.environment.site_packages / "alpha"
    real.mkdir()
    (real / "more.py").write_text("who = 'more'\n")
    assert imported(machine, code="import alpha.more; print(alpha.more.who)").split() == ["more", "part"]
    assert bytecode(machine)
    shutil.rmtree(folder(machine) / "__pycache__")
    os.chown(folder(machine), 1234, -1)
    assert imported(machine, code="import alpha.more") == "part"
    assert bytecode(machine) == []


def test_where_none_is_to_be_written_none_is(machine: Machine, tmp_path: Path) -> None:
    assert imported(machine, "-B") == "part"
    assert imported(machine, "-X", f"pycache_prefix={tmp_path / 'elsewhere'}") == "part"
    assert bytecode(machine) == []
    (path,) = (tmp_path / "elsewhere").rglob("part.*.pyc")
    assert path.read_bytes()[4:8] == bytes(4)

"""The main job with real distributions, from an index: a large environment, and a small one of every interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from multisite.state import EnvironmentState
from tests.pythons import found_pythons

pytestmark = [pytest.mark.index, pytest.mark.slow, pytest.mark.xdist_group("real")]

# 173 distributions on CPython 3.11 when this was written.
LARGE = (
    "django djangorestframework celery requests flask sqlalchemy pandas scipy scikit-learn matplotlib jupyterlab"
    " fastapi uvicorn pytest black mypy sphinx boto3 rich httpx pydantic aiohttp ansible-core"
).split()
MODULES = (
    "django rest_framework celery requests flask sqlalchemy pandas scipy sklearn matplotlib jupyterlab"
    " fastapi uvicorn pytest black mypy sphinx boto3 rich httpx pydantic aiohttp ansible"
).split()
PROGRAMS = ("pytest", "black", "mypy", "django-admin", "jupyter lab", "celery", "sphinx-build")
PROBE = Path(__file__).parent / "probes" / "environment_answers.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A folder with a store, and commands run against it."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def environ(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
        return clean | {"MULTISITE_STORE": str(self.store)}

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in command]
        return subprocess.run(
            words, cwd=self.folder, env=self.environ(), capture_output=True, text=True, check=False, timeout=1200
        )

    def multisite(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "multisite", *arguments)


def succeeded(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, index: None) -> Machine:
    return Machine(folder=tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def large(machine: Machine) -> Path:
    python = found_pythons().get("3.11")
    if python is None:
        pytest.skip("no CPython 3.11 on this machine")
    succeeded(machine.multisite("lock", *LARGE, "--venv", "large", "--python", python))
    return machine.folder / "large"


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below *folder* but bytecode."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_dir() and path.suffix != ".pyc"
    }


def test_everything_that_was_asked_for_can_be_imported(machine: Machine, large: Path) -> None:
    program = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    succeeded(machine.run(large / "bin" / "python", "-c", program, *MODULES))


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_answer(machine: Machine, large: Path, program: str) -> None:
    name, *arguments = program.split()
    done = succeeded(machine.run(large / "bin" / name, *arguments, "--version"))
    assert any(character.isdigit() for character in done.stdout)


@pytest.mark.parametrize("options", [(), ("--deep",)], ids=["doctor", "doctor --deep"])
def test_doctor_finds_nothing(machine: Machine, large: Path, options: tuple[str, ...]) -> None:
    done = succeeded(machine.multisite("doctor", *options, "--json", "--venv", large))
    assert json.loads(done.stdout)["findings"] == []


def test_every_answer_is_that_of_a_plain_environment(machine: Machine, large: Path) -> None:
    from uv import find_uv_bin

    uv = find_uv_bin()
    plain = machine.folder / "plain"
    succeeded(machine.run(uv, "venv", "--quiet", "--python", (large / "bin" / "python").resolve(), plain))
    succeeded(machine.run(uv, "pip", "sync", "--quiet", "--python", plain / "bin" / "python", large / "pylock.toml"))
    (site_packages,) = (plain / "lib").glob("python*/site-packages")
    names = sorted({path.name.partition(".")[0] for path in site_packages.iterdir() if path.suffix != ".dist-info"})
    expected, found = (
        json.loads(succeeded(machine.run(venv / "bin" / "python", PROBE, *names)).stdout) for venv in (plain, large)
    )
    assert len(expected["distributions"]) > 150
    assert found.keys() == expected.keys()
    for key, answer in expected.items():
        assert found[key] == answer, key


def test_a_second_environment_costs_only_small_files(machine: Machine, large: Path) -> None:
    before = snapshot(machine.store)
    succeeded(machine.multisite("sync", large / "pylock.toml", "--venv", "second", "--offline"))
    after = snapshot(machine.store)
    assert {path: facts for path, facts in after.items() if not path.startswith(("environments/", "locks/"))} == {
        path: facts for path, facts in before.items() if not path.startswith(("environments/", "locks/"))
    }
    second = machine.folder / "second"
    document = second / ".multisite" / "environment.json"
    files = EnvironmentState.from_document(document.read_bytes(), document).files
    own = {path: facts for path, facts in snapshot(second).items() if path not in files}
    assert len(own) < 40
    program = "import django, pandas"
    succeeded(machine.run(second / "bin" / "python", "-c", program))


def test_nothing_to_do_writes_nothing(machine: Machine, large: Path) -> None:
    before = {"environment": snapshot(large), "store": snapshot(machine.store)}
    succeeded(machine.multisite("sync", "--venv", large))
    succeeded(machine.multisite("lock", *LARGE, "--venv", large))
    after = {"environment": snapshot(large), "store": snapshot(machine.store)}
    for place, files in before.items():
        changed = sorted(path for path, facts in after[place].items() if files.get(path) != facts)
        assert (place, changed) == (place, [])


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_every_interpreter_on_one_store(machine: Machine, version: str) -> None:
    python = found_pythons().get(version)
    if python is None:
        pytest.skip(f"no CPython {version} on this machine")
    venv = machine.folder / f"small-{version}"
    succeeded(machine.multisite("lock", "requests", "rich", "django", "--venv", venv, "--python", python))
    program = "import requests, rich, django, sys; print('%d.%d' % sys.version_info[:2])"
    assert succeeded(machine.run(venv / "bin" / "python", "-c", program)).stdout == f"{version}\n"
    succeeded(machine.run(venv / "bin" / "django-admin", "--version"))
    for options in ((), ("--deep",)):
        done = succeeded(machine.multisite("doctor", *options, "--json", "--venv", venv))
        assert json.loads(done.stdout)["findings"] == []

"""An environment that is broken, or switched off, says so, and its interpreter runs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.parity.header import Case
from tests.pythons import SUPPORTED, found_pythons

if TYPE_CHECKING:
    from tests.parity.environments import Bench, Environment

CODE = """\
import sys
print('runs')
try:
    import regular
except ImportError as error:
    print(type(error).__name__, error)
"""
CASE = "# /// parity\n# rows = [1]\n# says = 'anything'\n# ///\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of an environment and of its store."""

    folder: Path

    @property
    def venv(self) -> Path:
        return self.folder / "venv"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def run(self, *options: str, **variables: str) -> tuple[int, list[str], list[str]]:
        command = [str(self.venv / "bin" / "python"), *options, "-c", CODE]
        environ = {"MULTISITE_STORE": str(self.store), **variables}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


@pytest.fixture(params=SUPPORTED)
def environment(request: pytest.FixtureRequest, bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    if request.param not in found_pythons():
        pytest.skip(f"no CPython {request.param} on this machine")
    path = tmp_path_factory.mktemp("case") / "case.py"
    path.write_text(CASE)
    return bench.environment(Case.from_path(path), request.param, "multisite")


@pytest.fixture
def copy(environment: Environment, tmp_path: Path) -> Copy:
    shutil.copytree(environment.venv, tmp_path / "venv", symlinks=True)
    for entry in environment.store.glob("multi-site-packages/regular/1.0"):
        shutil.copytree(entry, tmp_path / "store" / entry.relative_to(environment.store), symlinks=True)
    return Copy(folder=tmp_path)


def test_nothing_is_wrong(copy: Copy) -> None:
    assert copy.run() == (0, ["runs"], [])


@pytest.mark.parametrize("missing", ["store", "store/multi-site-packages/regular"])
def test_missing_in_store(missing: str, copy: Copy) -> None:
    shutil.rmtree(copy.folder / missing)
    code, out, err = copy.run()
    assert code == 0
    assert out[0] == "runs"
    assert out[1].startswith("ModuleNotFoundError No module named 'regular': regular 1.0 is locked, but not")
    assert out[1].endswith(f"run: multisite sync --venv {copy.venv}")
    assert len(err) == (1 if missing == "store" else 0)


def test_switched_off(copy: Copy) -> None:
    said = copy.run(MULTISITE_DISABLE="1")
    assert said == (0, ["runs", "ModuleNotFoundError No module named 'regular'"], [])


def test_switched_off_but_isolated(environment: Environment) -> None:
    command = [str(environment.python), "-I", "-c", CODE]
    done = subprocess.run(command, env={"MULTISITE_DISABLE": "1"}, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("runs\n", "")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-1], id="torn"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[:8] + (99).to_bytes(4, "little") + data[12:], id="unknown-format"),
        pytest.param(lambda data: b"x" + data[1:], id="something-else"),
        pytest.param(lambda data: data[:20] + bytes(len(data) - 20), id="zeros"),
    ],
)
def test_damaged_table(damage: Callable[[bytes], bytes], copy: Copy) -> None:
    table = copy.venv / ".multisite" / "table"
    table.write_bytes(damage(table.read_bytes()))
    _finds_nothing_and_says_so(copy)


@pytest.mark.parametrize("name", ["table", "runtime"])
def test_missing(name: str, copy: Copy) -> None:
    path = copy.venv / ".multisite" / name
    path.rename(path.with_name("gone"))
    _finds_nothing_and_says_so(copy)


def _finds_nothing_and_says_so(copy: Copy) -> None:
    code, out, err = copy.run()
    assert (code, out) == (0, ["runs", "ModuleNotFoundError No module named 'regular'"])
    assert len(err) == 1
    assert "multisite sync" in err[0]

"""Everything of Qt's is in one shared folder. ``tests/parity/cases/native`` compares its windows with a plain one's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pythons import found_pythons

pytestmark = [pytest.mark.index, pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.xdist_group("qt")]

CASES = [
    ("PyQt5", "PyQt5", "3.8"),
    ("PyQt5", "PyQt5", "3.12"),
    ("PySide6", "PySide6-Essentials", "3.9"),
    ("PySide6", "PySide6-Essentials", "3.13"),
    ("PySide6", "PySide6", "3.11"),
    ("PyQt6", "PyQt6", "3.11"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("qt")


def run(folder: Path, *words: str | Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    environ = {**clean, "MULTISITE_STORE": str(folder / "store")}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.parametrize(("binding", "requirement", "version"), CASES)
def test_all_parts_are_in_one_folder(folder: Path, binding: str, requirement: str, version: str) -> None:
    python = found_pythons().get(version)
    if python is None:
        pytest.skip(f"no CPython {version} on this machine")
    venv = folder / f"{requirement}-{version}"
    run(folder, sys.executable, "-m", "multisite", "lock", requirement, "--venv", venv, "--python", python)
    file = run(folder, venv / "bin" / "python", "-c", f"import {binding}; print({binding}.__file__)")
    root = Path(file.strip()).parents[1]
    # All that is locked belongs together: bindings, what they run on, and Qt.
    assert root.parent.parent == folder / "store" / "shared"
    locked = (venv / "pylock.toml").read_text().count("[[packages]]")
    assert len(list(root.glob("*.dist-info"))) == locked > 1
    assert '"findings": []' in run(folder, sys.executable, "-m", "multisite", "doctor", "--json", "--venv", venv)

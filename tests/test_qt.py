"""A window of Qt, without a screen: what it shows and finds in a plain environment and in multisite's."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pythons import found_pythons

pytestmark = [pytest.mark.index, pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.xdist_group("qt")]

PROBE = Path(__file__).parent / "probes" / "qt_window.py"
# What Qt's wheels expect of the system.
LIBRARIES = (
    "libGL.so.1",
    "libEGL.so.1",
    "libxkbcommon.so.0",
    "libdbus-1.so.3",
    "libfontconfig.so.1",
    "libglib-2.0.so.0",
)
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
    for name in LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            pytest.skip(f"no {name} on this machine, which Qt needs")
    return tmp_path_factory.mktemp("qt")


def run(folder: Path, *words: str | Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "QT"))}
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    environ = {**clean, "XDG_RUNTIME_DIR": str(runtime), "MULTISITE_STORE": str(folder / "store")}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.parametrize(("binding", "requirement", "version"), CASES)
def test_a_window(folder: Path, binding: str, requirement: str, version: str) -> None:
    from uv import find_uv_bin

    python, uv = found_pythons().get(version), find_uv_bin()
    if python is None:
        pytest.skip(f"no CPython {version} on this machine")
    ours, plain = folder / f"ours-{requirement}-{version}", folder / f"plain-{requirement}-{version}"
    run(folder, sys.executable, "-m", "multisite", "lock", requirement, "--venv", ours, "--python", python)
    run(folder, uv, "venv", "--quiet", "--python", python, plain)
    run(folder, uv, "pip", "sync", "--quiet", "--python", plain / "bin" / "python", ours / "pylock.toml")
    expected, found = (run(folder, venv / "bin" / "python", PROBE, binding) for venv in (plain, ours))
    assert "offscreen 200 80 0xff204060" in expected
    assert "platforms/libqoffscreen.so" in expected
    assert found == expected
    file = run(folder, ours / "bin" / "python", "-c", f"import {binding}; print({binding}.__file__)")
    root = Path(file.strip()).parents[1]
    # All that is locked belongs together: bindings, what they run on, and Qt.
    assert root.parent.parent == folder / "store" / "shared"
    locked = (ours / "pylock.toml").read_text().count("[[packages]]")
    assert len(list(root.glob("*.dist-info"))) == locked > 1
    assert '"findings": []' in run(folder, sys.executable, "-m", "multisite", "doctor", "--json", "--venv", ours)

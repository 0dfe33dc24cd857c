"""The interpreters of this machine that tests can use."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["SUPPORTED", "found_pythons"]

SUPPORTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@cache
def found_pythons() -> dict[str, Path]:
    """Return one CPython for each supported minor version that is there, oldest first."""
    found = {version: _find(version) for version in SUPPORTED}
    return {version: path for version, path in found.items() if path is not None}


def _find(version: str) -> Path | None:
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    pyenv = sorted(versions.glob(f"{version}.*/bin/python"), key=_numbers, reverse=True)
    on_path = shutil.which(f"python{version}")
    candidates = [*pyenv, *([Path(on_path)] if on_path else []), *_uv_python(version)]
    return next((found for found in (_interpreter(path, version) for path in candidates) if found), None)


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.parent.parent.name)]


def _uv_python(version: str) -> list[Path]:
    from uv import find_uv_bin

    command = [find_uv_bin(), "python", "find", "--no-python-downloads", "--system", f"cpython@{version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [Path(done.stdout.strip())] if done.returncode == 0 else []


def _interpreter(path: Path, version: str) -> Path | None:
    """Return the interpreter that *path* starts: it may be a script that looks for one, or in a virtual environment."""
    probe = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys._base_executable)"
    done = subprocess.run([path, "-I", "-c", probe], capture_output=True, text=True, check=False)
    implementation, found, executable = (*done.stdout.split(maxsplit=2), "", "", "")[:3]
    return Path(executable.strip()) if (implementation, found) == ("cpython", version) else None

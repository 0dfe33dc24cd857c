"""A folder of wheels that programs can install from, instead of an index."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["offer"]

_NOT_PASSED_ON = ("PYTHON", "VIRTUAL_ENV")


def offer(requirements: Sequence[str], *, interpreter: Path, folder: Path) -> Path:
    """Have wheels of *requirements*, and of what they require, in a folder below *folder*; nothing is fetched twice."""
    key = hashlib.sha256("\n".join([str(interpreter), *sorted(requirements)]).encode()).hexdigest()[:16]
    offered = folder / "offers" / key
    if requirements and not offered.exists():
        pip = folder / "pip" / interpreter.parents[1].name
        if not pip.exists():
            _do(interpreter, "-m", "venv", pip)
        unfinished = offered.with_suffix(".unfinished")
        options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        _do(pip / "bin" / "python", "-m", "pip", "download", *options, "--dest", unfinished, *requirements)
        unfinished.rename(offered)
    offered.mkdir(parents=True, exist_ok=True)
    return offered


def _do(*command: str | Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environ, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")

"""What pip fetches for a comparison: wheels that programs can install from a folder, sources of distributions."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["download", "offer"]

_NOT_PASSED_ON = ("PYTHON", "VIRTUAL_ENV")


def offer(requirements: Sequence[str], *, interpreter: Path, folder: Path) -> Path:
    """Have wheels of *requirements*, and of what they require, in a folder below *folder*; nothing is fetched twice."""
    key = hashlib.sha256("\n".join([str(interpreter), *sorted(requirements)]).encode()).hexdigest()[:16]
    offered = folder / "offers" / key
    if requirements:
        download("--only-binary", ":all:", *requirements, interpreter=interpreter, folder=folder, target=offered)
    offered.mkdir(parents=True, exist_ok=True)
    return offered


def download(*words: str, interpreter: Path, folder: Path, target: Path) -> None:
    """Have what ``pip download`` fetches in *target*, unless that is there; pip is in an environment in *folder*."""
    if target.exists():
        return
    pip = folder / "pip" / interpreter.parents[1].name
    if not pip.exists():
        _do(interpreter, "-m", "venv", pip)
    unfinished = target.with_name(f"{target.name}.unfinished")
    options = ["--quiet", "--disable-pip-version-check", "--dest", str(unfinished)]
    _do(pip / "bin" / "python", "-m", "pip", "download", *options, *words)
    unfinished.rename(target)


def _do(*command: str | Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environ, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")

"""What a test needs of the machine, and this one has not."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterable

__all__ = ["lacking"]


def lacking(names: Iterable[str]) -> list[str]:
    """Return those of *names* that are not here: programs on PATH, libraries (``libGL.so.1``) that can be loaded."""
    return [name for name in names if not _is_there(name)]


def _is_there(name: str) -> bool:
    if ".so" not in name:
        return shutil.which(name) is not None
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True

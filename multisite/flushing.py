"""What was written reaches the disk: file by file, or all of a filesystem in one call where that is as sure.

Where it is, ``wholesale.py`` tells.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from multisite import wholesale
from multisite.files import OTHERS_WRITE, flush_folder, naming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Flush", "flush_tree", "flushing"]

# Waiting for the disk, not for the processor: the file system writes many of these in one go.
_FLUSHERS = 16


class Flush:
    """What has a folder written to the disk that was filled while ``flushing`` held."""

    def __init__(self, whole: Callable[[], None] | None) -> None:
        self._whole = whole

    def __call__(self, folder: Path, *, size: int) -> None:
        """Have everything in *folder* written, *size* bytes.

        What lies directly in there, and the folder itself, others cannot write to any more, whatever the umask; what is
        below has been made so.
        """
        if self._whole is None or wholesale.waiting(size):
            flush_tree(folder)
            return
        for path in (str(folder), *(entry.path for entry in os.scandir(folder))):
            _close_to_others(path)
        with naming(folder):
            self._whole()


@contextlib.contextmanager
def flushing(place: Path) -> Iterator[Flush]:
    """Yield what flushes the folders that are filled in the block, all on the filesystem of the folder *place*."""
    call = wholesale.syncfs() if sys.platform == "linux" else None
    if call is None:
        yield Flush(None)
        return
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Flush((lambda: call(descriptor)) if wholesale.sure(descriptor) else None)
    finally:
        os.close(descriptor)


def flush_tree(folder: Path) -> None:
    """Have everything in *folder* written to the disk, files before the folders that name them.

    What others could write to by a generous umask they cannot any more.
    """
    files: list[str] = []
    folders: list[Path] = []
    for path, _, names in os.walk(folder):
        folders.append(Path(path))
        files += [f"{path}/{name}" for name in names]
    with ThreadPoolExecutor(_FLUSHERS) as pool:
        for flushed in (pool.map(_flush, files), pool.map(_flush_folder, folders)):
            list(flushed)


def _flush(path: str) -> None:
    # Windows flushes only what is open for writing.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        with naming(Path(path)):
            _close_to_others(descriptor)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    _close_to_others(str(folder))
    flush_folder(folder)


def _close_to_others(place: int | str) -> None:
    mode = os.stat(place).st_mode  # noqa: PTH116 -- a path or a descriptor
    if os.name != "nt" and mode & OTHERS_WRITE:
        os.chmod(place, stat.S_IMODE(mode) & ~OTHERS_WRITE)  # noqa: PTH101 -- the same

"""Several files written at once, each whole or not at all, and flushed together: faster than one after the other.

After a power failure a name may be on the disk whose content is not: so content is flushed before it gets its name, and
the names before anything is written that relies on them.
"""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from multisite.files import flush_folder, make_folders, naming, temporary_name, write_new

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["flush", "make_flushed", "write_together"]

# Waiting for the disk, not for the processor: the file system writes many of these in one go.
_FLUSHERS = 16


def write_together(files: Iterable[tuple[Path, bytes, int]]) -> None:
    """Give each file its content and mode, making folders that are missing; all are on the disk when this returns.

    The umask is taken off the mode. Names change in the order of *files*, once the content of all is on the disk.
    """
    pending: list[tuple[Path, Path]] = []
    try:
        for path, data, mode in files:
            make_flushed(path.parent)
            temporary = temporary_name(path)
            with naming(path), os.fdopen(write_new(temporary, mode=mode), "wb") as file:
                pending.append((temporary, path))
                file.write(data)
        flush([temporary for temporary, _ in pending])
        for temporary, path in pending:
            temporary.replace(path)
    except BaseException:  # an interruption as well: no temporary file stays, and it is raised again
        for temporary, _ in pending:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
        raise
    for folder in dict.fromkeys(path.parent for _, path in pending):
        flush_folder(folder)


def make_flushed(folder: Path, *, published: bool = False) -> None:
    """Make *folder*, and those above it that are missing, with their names on the disk.

    Into what is *published* only its owner may write, whatever the umask.
    """
    missing = []
    above = folder
    while not above.exists():
        missing.append(above)
        above = above.parent
    if published:
        make_folders(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        flush_folder(made.parent)


def flush(files: Iterable[Path]) -> None:
    """Have the content of *files* written to the disk."""
    with ThreadPoolExecutor(_FLUSHERS) as pool:
        list(pool.map(_flush, files))


def _flush(path: Path) -> None:
    # Windows flushes only what is open for writing.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)

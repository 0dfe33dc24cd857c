"""Files of an environment that is being made: written, copied from the store and flushed, by few calls.

Whatever is not as it should be is raised, and left to the ordinary way.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the import of typing takes longer than much of what is done here
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Copies", "OtherwiseError", "flush", "write"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class OtherwiseError(Exception):
    """This is for the ordinary way."""


class Copies:
    """Data files of the *store*, copied into a folder; *records* has the RECORD of each entry that they are from."""

    def __init__(self, store: str, folder: str, records: Mapping[str, str]) -> None:
        self._store = store
        self._folder = folder
        self._records = records
        self._written: dict[str, int] = {}

    def make(self, copies: Sequence[tuple[str, int, str, int]]) -> None:
        """Copy files; blocks are shared where the filesystem can (copy_file_range(2))."""
        for name, mode, source, size in copies:
            reading = os.open(f"{self._store}/{source}", os.O_RDONLY | os.O_NOFOLLOW)
            try:
                # RECORD is the last that is written of an entry: what is later was touched since.
                if os.fstat(reading).st_mtime_ns > self._recorded("/".join(source.split("/", 4)[:4])):
                    raise OtherwiseError
                writing = os.open(f"{self._folder}/{name}", _NEW, mode)
                try:
                    left = size + 1  # so that one that is longer is found out
                    while left > 1 and (done := _copied(reading, writing, left)):
                        left -= done
                finally:
                    os.close(writing)
            finally:
                os.close(reading)
            if left != 1:
                raise OtherwiseError

    def _recorded(self, entry: str) -> int:
        """Return when the RECORD of an *entry* was written, in nanoseconds."""
        found = self._written.get(entry)
        if found is None:
            found = self._written[entry] = os.lstat(f"{self._store}/{self._records[entry]}").st_mtime_ns
        return found


def write(path: str, data: bytes, mode: int) -> None:
    """Write a new file. Raises OSError, OtherwiseError."""
    descriptor = os.open(path, _NEW, mode)
    try:
        if os.write(descriptor, data) != len(data):
            raise OtherwiseError  # the disk is full
    finally:
        os.close(descriptor)


def _copied(reading: int, writing: int, most: int) -> int:
    """Copy some bytes, *most* of them at most; return how many. 0 is the end."""
    if sys.platform != "linux":
        raise OtherwiseError
    if hasattr(os, "copy_file_range"):  # a Python that was compiled for glibc before 2.27 has it not
        try:
            return os.copy_file_range(reading, writing, most)
        except OSError as error:
            import errno

            # Between two filesystems, or where one of them or the kernel cannot do it.
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
    return os.sendfile(writing, reading, None, most)


def flush(paths: Iterable[str]) -> None:
    """Have files and folders on the disk, one after the other."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

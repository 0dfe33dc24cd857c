"""Clones: copies of files that share their blocks, where the filesystem can; elsewhere they are copies."""

from __future__ import annotations

import errno
import os
import struct
import sys
from pathlib import Path

from multisite.files import naming

__all__ = ["CannotShare", "copy_file", "share_blocks", "shares_blocks"]

# A filesystem, a kernel or a pair of places where nothing can be cloned.
_NO_CLONE = frozenset(
    {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EPERM, errno.ETXTBSY}
)
_NEVER = _NO_CLONE | {errno.ENOTTY}
_CHUNK = 1 << 20
# ioctl_fideduperange(2); a filesystem may do no more than this much in one call (btrfs: 16 MiB).
_FIDEDUPERANGE = 0xC0189436
_RANGE = struct.Struct("=QQHHI")
_INFO = struct.Struct("=qQQiI")
_AT_ONCE = 16 << 20
_SAME = 0
# fiemap(2): the first extents tell enough, since contents that are equal are shared from the beginning.
_FIEMAP = 0xC020660B
_FLUSH_FIRST = 1
_EXTENTS = 32
_MAP = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQ16xI12x")
_NOT_TOLD = 0x2 | 0x4 | 0x200  # no place known, not written yet, kept among the metadata


class CannotShare(OSError):
    """The filesystem has no blocks that files share, or not between these two places."""


def copy_file(source: str | Path, target: str | Path, *, mode: int = 0o666) -> None:
    """Copy the content of *source* to the new file *target*; its blocks are shared where that can be.

    The kernel takes the umask off *mode*. Raises FileExistsError, and FileNotFoundError with the path that is missing.
    """
    reading = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        writing = os.open(target, flags, mode)
        try:
            with naming(Path(target)):
                _clone_or_copy(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _clone_or_copy(reading: int, writing: int) -> None:
    """Give one open file the content of another (copy_file_range(2) clones where it can)."""
    size = os.fstat(reading).st_size
    # A Python that was compiled for glibc before 2.27 has it not.
    done = 0 if hasattr(os, "copy_file_range") else size
    try:
        while sys.platform == "linux" and done < size:
            done += os.copy_file_range(reading, writing, size - done) or size
    except OSError as error:
        if error.errno not in _NO_CLONE:
            raise
    while chunk := os.read(reading, _CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(writing, view) :]


def share_blocks(source: Path, target: Path) -> bool:
    """Have *target* share the blocks of *source*; False, with nothing changed, where their contents differ.

    The kernel compares them while it holds both, so that nobody sees anything of it: *target* stays the file that it
    is, with its times and modes. Raises CannotShare, and OSError where a file cannot be opened.
    """
    if sys.platform != "linux":
        raise CannotShare(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(target))
    import fcntl

    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        # For whoever owns a file it need not be open for writing, which a program that runs from it forbids.
        changed = os.open(target, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            size = os.fstat(reading).st_size
            if os.fstat(changed).st_size != size:
                return False
            done = 0
            while done < size:
                request = bytearray(
                    _RANGE.pack(done, min(_AT_ONCE, size - done), 1, 0, 0) + _INFO.pack(changed, done, 0, 0, 0)
                )
                try:
                    fcntl.ioctl(reading, _FIDEDUPERANGE, request)
                except OSError as error:
                    raise _failure(error.errno, target) from error
                _, _, shared, status, _ = _INFO.unpack_from(request, _RANGE.size)
                if status < 0:
                    raise _failure(-status, target)
                if status != _SAME:
                    return False
                if not shared:
                    raise _failure(errno.EINVAL, target)
                done += shared
            return True
        finally:
            os.close(changed)
    finally:
        os.close(reading)


def shares_blocks(one: Path, other: Path) -> bool:
    """Tell whether two files of equal content lie in the same blocks; False as well where that cannot be told."""
    if sys.platform != "linux":
        return False
    places = _places(one)
    return bool(places) and places == _places(other)


def _places(path: Path) -> tuple[tuple[int, int, int], ...]:
    """Return where the first blocks of a file are: offset in the file, on the disk, and how many bytes."""
    import fcntl

    request = bytearray(_MAP.pack(0, (1 << 64) - 1, _FLUSH_FIRST, 0, _EXTENTS, 0) + bytes(_EXTENTS * _EXTENT.size))
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.ioctl(opened, _FIEMAP, request)
    except OSError as error:
        if error.errno not in _NEVER:
            raise
        return ()
    finally:
        os.close(opened)
    count = _MAP.unpack_from(request)[3]
    found = [_EXTENT.unpack_from(request, _MAP.size + at * _EXTENT.size) for at in range(count)]
    return () if any(flags & _NOT_TOLD for *_, flags in found) else tuple((a, b, c) for a, b, c, _ in found)


def _failure(number: int | None, target: Path) -> OSError:
    kind = CannotShare if number in _NEVER else OSError
    return kind(number, os.strerror(number or 0), str(target))

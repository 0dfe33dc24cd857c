"""What was written reaches the disk: file by file, or all of a filesystem in one call where that is as sure.

syncfs(2) writes everything that anybody has written to the filesystem, with one transaction of its journal in the place
of one for each file. It is used where it keeps what fsync(2) promises:

* on filesystems that are known to write contents, names and the disk's own cache in that call;
* on Linux 5.8 and later, where it tells of what could not be written, also earlier and by the kernel itself, since the
  folder was opened that it is called for: so that is opened before anything is written;
* where little of others waits to be written, for that is waited for as well.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.files import OTHERS_WRITE, flush_folder, naming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Flush", "flush_tree", "flushing"]

# Waiting for the disk, not for the processor: the file system writes many of these in one go.
_FLUSHERS = 16
# statfs(2). Of overlayfs, FUSE and network filesystems the call does not tell everything, or does not reach the disk.
_WHOLE = frozenset(
    {
        0xEF53,  # ext4, and its predecessors
        0x58465342,  # XFS
        0x9123683E,  # btrfs
        0x01021994,  # tmpfs
    }
)
_TELLS = (5, 8)
# Of others' writes, and of other threads': what a disk takes in a few seconds.
_MOST_WAITING = 512 << 20
_WAITING = re.compile(rb"^(?:Dirty|Writeback): +(\d+) kB$", re.MULTILINE)
_STATFS = 256  # more than the structure takes anywhere; the type of the filesystem is its first word


class Flush:
    """What has a folder written to the disk that was filled while ``flushing`` held."""

    def __init__(self, whole: Callable[[], None] | None) -> None:
        self._whole = whole

    def __call__(self, folder: Path, *, size: int) -> None:
        """Have everything in *folder* written, *size* bytes.

        What lies directly in there, and the folder itself, others cannot write to any more, whatever the umask; what is
        below has been made so.
        """
        if self._whole is None or _waiting() > size + _MOST_WAITING:
            flush_tree(folder)
            return
        for path in (str(folder), *(entry.path for entry in os.scandir(folder))):
            _close_to_others(path)
        with naming(folder):
            self._whole()


@contextlib.contextmanager
def flushing(place: Path) -> Iterator[Flush]:
    """Yield what flushes the folders that are filled in the block, all on the filesystem of the folder *place*."""
    call = _syncfs() if sys.platform == "linux" and _release() >= _TELLS else None
    if call is None:
        yield Flush(None)
        return
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Flush((lambda: call(descriptor)) if _kind(descriptor) in _WHOLE else None)
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


def _release() -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return tuple(map(int, found.groups())) if found else (0,)


def _waiting() -> int:
    """Return how many bytes wait to be written to any disk; more than there are where nothing tells."""
    try:
        return sum(int(kilobytes) << 10 for kilobytes in _WAITING.findall(Path("/proc/meminfo").read_bytes()))
    except OSError:
        return sys.maxsize


def _syncfs() -> Callable[[int], None] | None:
    """Return syncfs(2), which Python has no name for; None where the C library has none either."""
    import ctypes

    found = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if found is None:
        return None

    def call(descriptor: int) -> None:
        if found(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return call


def _kind(descriptor: int) -> int:
    """Return the kind of filesystem that the file is on, as statfs(2) numbers them; 0 where it does not say."""
    import ctypes

    found = (ctypes.c_uint32 * _STATFS)()
    return 0 if ctypes.CDLL(None).fstatfs(descriptor, ctypes.byref(found)) else int(found[0])

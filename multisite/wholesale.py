"""syncfs(2): all that was written to a filesystem reaches the disk in one call, where that is as sure as fsync(2).

It writes everything that anybody has written to the filesystem, with one transaction of its journal in the place of one
for each file. It keeps what fsync(2) promises

* on filesystems that are known to write contents, names and the disk's own cache in that call;
* on Linux 5.8 and later, where it tells of what could not be written, also earlier and by the kernel itself, since the
  folder was opened that it is called for: so that is opened before anything is written;
* and it is quicker where little of others waits to be written, for that is waited for as well.

``ctypes`` takes longer to import than the call saves for a small environment, so what is below it is used.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the import of typing takes longer than the call
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kind", "release", "sure", "syncfs", "waiting"]

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
_STATFS = 256  # more than the structure takes anywhere; the type of the filesystem is its first word
# Of others' writes, and of other threads': what a disk takes in a few seconds.
_MOST_WAITING = 512 << 20


def sure(descriptor: int) -> bool:
    """Tell whether one call is as sure as fsync(2) of each file, where the open folder is."""
    return sys.platform == "linux" and release() >= _TELLS and kind(descriptor) in _WHOLE


def release() -> tuple[int, ...]:
    """Return the first two numbers of the kernel's release."""
    numbers = os.uname().release.split(".", 2)[:2]
    return tuple(map(int, numbers)) if all(map(str.isdecimal, numbers)) else (0,)


def waiting(own: int) -> bool:
    """Tell whether so much waits to be written, *own* bytes left out, that one call takes longer than many."""
    try:
        with open("/proc/meminfo", "rb") as file:  # noqa: PTH123 -- pathlib is slow
            lines = file.read().splitlines()
    except OSError:
        return True
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith((b"Dirty:", b"Writeback:"))]
    return sum(kilobytes) << 10 > own + _MOST_WAITING


def syncfs() -> Callable[[int], None] | None:
    """Return what has a filesystem written, which Python has no name for; None where it cannot be called."""
    return _call("syncfs")


def kind(descriptor: int) -> int:
    """Return the kind of filesystem that the file is on, as statfs(2) numbers them; 0 where it does not say."""
    call = _call("fstatfs")
    if call is None:
        return 0
    import _ctypes

    class Word(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 -- what ctypes makes its types of
        _type_ = "I"

    class Words(_ctypes.Array):  # type: ignore[type-arg]
        _type_, _length_ = Word, _STATFS

    found = Words()
    try:
        call(descriptor, found)
    except OSError:
        return 0
    return int(found[0])


def _call(name: str) -> Callable[..., None] | None:
    """Return a function of the C library that returns 0, or else raises OSError."""
    try:
        import _ctypes

        address = _ctypes.dlsym(_ctypes.dlopen(None, 0), name)  # type: ignore[arg-type]
    except (ImportError, AttributeError, OSError):  # built without libffi, another Python, a static one
        return None

    class Number(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001
        _type_ = "i"

    class Function(_ctypes.CFuncPtr):
        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = Number

    function = Function(address)

    def call(*arguments: object) -> None:
        if function(*arguments):
            number = _ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return call

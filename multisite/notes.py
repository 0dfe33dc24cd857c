"""Small files that several accounts may leave in the folders of a store: who uses it, what their commands hold.

Where a store is open to others, everybody may write to these folders, and changes only what is his own (sticky). So
nothing there is followed or waited for that is not a plain file, and what is written can be read by the store's owner.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from multisite.files import naming, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["notes", "owner", "read_note", "write_note"]

_LARGEST = 1 << 26  # bytes; a registration of a thousand distributions with its history has three million
_OPEN_TO_OTHERS = stat.S_ISVTX | stat.S_IWOTH
_MODE = 0o644
# A link is ELOOP to O_NOFOLLOW; a named pipe that nobody reads, or a socket, ENXIO.
_PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_note(path: Path) -> bytes:
    """Read a file that anybody may have put there. Raises FileNotFoundError, and OSError for what is no plain file."""
    descriptor = os.open(path, _PLAIN)
    with os.fdopen(descriptor, "rb") as file, naming(path):
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "no plain file")
        if facts.st_size > _LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return file.read(_LARGEST)


def write_note(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write a file; in a folder that others write to as well, its owner can read it, whatever the umask."""
    is_open = path.parent.stat().st_mode & _OPEN_TO_OTHERS == _OPEN_TO_OTHERS
    write_atomic(path, data, mode=_MODE, exact=is_open, sync=sync)


def notes(folder: Path, suffix: str) -> Iterator[Path]:
    """Yield the files in *folder* with this *suffix*, sorted, without those that are being written."""
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    yield from (path for path in found if path.name.endswith(suffix) and not path.name.startswith("."))


def owner(path: Path) -> str:
    """Return whose a file is, for people."""
    try:
        return path.owner() if not path.is_symlink() else _named(path.lstat().st_uid)
    except (OSError, KeyError, NotImplementedError):
        return "somebody"


def _named(uid: int) -> str:
    import pwd

    return pwd.getpwuid(uid).pw_name

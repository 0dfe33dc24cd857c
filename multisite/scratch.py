"""Folders for what is not finished: held while their maker lives, and swept once it does not.

A process that is killed cannot take its folders away. A lock on the folder itself tells whoever comes next whether
anybody still works in it, on the same machine or in another container of it; it ends with the process. Where a
filesystem has no such locks, or the platform, nothing is swept.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.files import make_folders, remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["abandoned", "incoming", "is_abandoned", "scratch", "sweep", "temporary"]

_ATTEMPTS = 20
_PUBLISHED = 0o755
_RANDOM = 16  # hexadecimal digits
# Whoever may not write there leaves it to its owner.
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def scratch(parent: Path, *, before: str = "", after: str = "", mode: int = 0o777) -> Iterator[Path]:
    """Make a new folder in *parent*, its random name between *before* and *after*; it is gone after the block.

    Unless it was renamed. Those with such names that somebody left there are swept first. The umask is taken off
    *mode*.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent, before=before, after=after)
    folder, descriptor = _held(parent, before, after, mode)
    try:
        yield folder
    finally:
        try:
            remove_tree(folder)
        finally:
            if descriptor is not None:
                os.close(descriptor)


def incoming(room: Path) -> contextlib.AbstractContextManager[Path]:
    """Make a folder as ``scratch`` does, for what is to be published in *room*: only its owner may write there."""
    parent = room / ".incoming"
    make_folders(parent)
    return scratch(parent, mode=_PUBLISHED)


def temporary() -> contextlib.AbstractContextManager[Path]:
    """Make a folder as ``scratch`` does, for this user alone, among the system's temporary files."""
    import tempfile

    return scratch(Path(tempfile.gettempdir()).resolve(), before="multisite-", mode=0o700)


def sweep(parent: Path, *, before: str = "", after: str = "") -> None:
    """Remove the folders in *parent* that ``scratch`` made there with these names, and that nobody holds."""
    for path in _made_in(parent, before, after):
        _sweep(path)


def abandoned(parent: Path, *, before: str = "", after: str = "") -> list[Path]:
    """Return the folders that ``sweep`` would remove; none where *parent* is missing."""
    try:
        found = sorted(_made_in(parent, before, after))
    except FileNotFoundError:
        return []
    return [path for path in found if is_abandoned(path)]


def _made_in(parent: Path, before: str, after: str) -> list[Path]:
    name = re.compile(f"{re.escape(before)}[0-9a-f]{{{_RANDOM}}}{re.escape(after)}", re.ASCII)
    return [path for path in parent.iterdir() if name.fullmatch(path.name)]


def is_abandoned(folder: Path) -> bool:
    """Tell whether whoever made *folder* is gone; False where that cannot be told."""
    try:
        descriptor = _lock(folder)
    except OSError:
        return False
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def _sweep(folder: Path) -> None:
    try:
        descriptor = _lock(folder)
    except OSError:
        return  # gone, not ours, or no folder
    if descriptor is None:
        return
    try:
        remove_tree(folder)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
    finally:
        os.close(descriptor)


def _held(parent: Path, before: str, after: str, mode: int) -> tuple[Path, int | None]:
    for _ in range(_ATTEMPTS):
        folder = parent / f"{before}{secrets.token_hex(_RANDOM // 2)}{after}"
        folder.mkdir(mode)
        try:
            descriptor = _lock(folder, wait=True)
        except FileNotFoundError:
            continue
        # Somebody may have swept it before it was held.
        if descriptor is None or _is_there(folder, descriptor):
            return folder, descriptor
        os.close(descriptor)
    raise FileNotFoundError(f"{parent}: what is made there is removed again and again")


def _is_there(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(folder: Path, *, wait: bool = False) -> int | None:
    """Return a descriptor that holds *folder*, None where somebody else holds it or there are no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        return None
    return descriptor

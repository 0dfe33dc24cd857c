"""Damaged files of the store, replaced one by one, each in one step: running programs never miss one.

What replaces a file is made beside the entries, where everything unfinished is made, and renamed to its place. The file
is given a time that is not later than that of the RECORD there, which stands for not having been touched
(docs/formats.md). Nothing is written through a link.
"""

from __future__ import annotations

import filecmp
import os
import stat
from typing import TYPE_CHECKING

from multisite.files import OTHERS_WRITE, flush_folder, make_folders

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["discard", "put", "reset_mode", "restore"]

_SET_ID = stat.S_ISUID | stat.S_ISGID


def restore(made: Path, folder: Path, aside: Path, *, newest: int | None) -> list[str]:
    """Put each file of the tree *made* into *folder* where it is another one there; return the paths of those.

    *aside* is a folder, of the same filesystem, for what stands in the way. *newest* is the latest time (ns) that a
    file may have, None where RECORD is among those that are put there.
    """
    changed = []
    for path, _, names in os.walk(made):
        for name in names:
            source = made.joinpath(path, name)
            relative = source.relative_to(made)
            if not _is_same(source, folder, folder / relative):
                put(source, folder, relative.as_posix(), aside, newest=newest)
                changed.append(relative.as_posix())
    return sorted(changed)


def put(source: Path, folder: Path, path: str, aside: Path, *, newest: int | None) -> None:
    """Rename the file *source* to *path* in *folder*; the arguments are those of ``restore``."""
    target = folder / path
    _clear_way(folder, target.parent, aside)
    if newest is not None and source.stat().st_mtime_ns > newest:
        os.utime(source, ns=(newest, newest))
    if target.is_dir() and not target.is_symlink():
        _move_aside(target, aside)
    source.replace(target)
    flush_folder(target.parent)


def discard(folder: Path, path: str, aside: Path) -> None:
    """Take away the file, link or folder *path* of *folder*; what is gone already is no error."""
    for parent in reversed((folder / path).parents):
        if parent.is_relative_to(folder) and parent.is_symlink():
            return  # it lies elsewhere, and goes with the link
    _move_aside(folder / path, aside)


def reset_mode(path: Path, *, executable: bool) -> None:
    """Take from a file or folder what others could do with it, and let its owner read it; no link is followed."""
    descriptor = _opened(path)
    try:
        facts = path.lstat() if descriptor is None else os.fstat(descriptor)
        if stat.S_ISLNK(facts.st_mode):
            return
        mode = stat.S_IMODE(facts.st_mode) & ~OTHERS_WRITE
        if stat.S_ISDIR(facts.st_mode):
            mode |= stat.S_IRWXU
        else:
            mode = (mode & ~_SET_ID) | stat.S_IRUSR
            mode |= (mode & 0o444) >> 2 if executable else 0
        if descriptor is None:
            path.chmod(mode)
        else:
            os.fchmod(descriptor, mode)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _opened(path: Path) -> int | None:
    """Return a descriptor of *path*; None where its mode does not let even its owner open it."""
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None


def _is_same(source: Path, folder: Path, target: Path) -> bool:
    try:
        facts, wanted = target.lstat(), source.lstat()
    except OSError:
        return False
    if not stat.S_ISREG(facts.st_mode) or facts.st_size != wanted.st_size or facts.st_uid != wanted.st_uid:
        return False
    is_linked = any(parent.is_symlink() for parent in target.parents if parent.is_relative_to(folder))
    try:
        return not is_linked and filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False


def _clear_way(folder: Path, parent: Path, aside: Path) -> None:
    """Have real folders lead from *folder* to *parent*."""
    for above in reversed([parent, *parent.parents]):
        if above != folder and above.is_relative_to(folder) and (above.is_symlink() or not above.is_dir()):
            _move_aside(above, aside)
            make_folders(above)


def _move_aside(path: Path, aside: Path) -> None:
    number = len(list(aside.iterdir()))
    try:
        path.rename(aside / str(number))
    except FileNotFoundError:
        return
    flush_folder(path.parent)

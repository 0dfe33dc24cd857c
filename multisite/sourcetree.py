"""A folder that a wheel is built from: whether anything in it has changed since it was last looked at."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tree_state"]

# What builds, interpreters and tools leave in a tree without changing what is built from it.
_BY_PRODUCTS = frozenset({"__pycache__", "node_modules"})
_BY_PRODUCTS_ON_TOP = frozenset({"build", "dist"})
# Where versions are read from: the commit that is checked out, and the tags.
_OF_GIT = ("HEAD", "logs/HEAD", "packed-refs", "refs/tags")


def tree_state(folder: Path) -> str:
    """Return a SHA-256 over the paths, sizes and modification times in *folder*: another one once a file has changed.

    Hidden folders and by-products of builds do not count, but for what git says of commit and tags.
    """
    digest = hashlib.sha256()
    for line in sorted(_lines(folder)):
        digest.update(f"{line}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _lines(folder: Path) -> Iterator[str]:
    for path in (folder / ".git" / name for name in _OF_GIT):
        if path.exists():
            yield _line(path, folder)
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _counts(Path(root, name), is_top=Path(root) == folder)]
        yield from (_line(Path(root, name), folder) for name in names)


def _counts(folder: Path, *, is_top: bool) -> bool:
    name = folder.name
    by_product = name in _BY_PRODUCTS or (is_top and name in _BY_PRODUCTS_ON_TOP) or name.endswith(".egg-info")
    return not (by_product or name.startswith(".") or (folder / "pyvenv.cfg").exists())


def _line(path: Path, folder: Path) -> str:
    facts = path.lstat()
    target = path.readlink() if stat.S_ISLNK(facts.st_mode) else ""
    return f"{path.relative_to(folder).as_posix()}\0{facts.st_size}\0{facts.st_mtime_ns}\0{target}"

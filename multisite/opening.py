"""A store that is open to other accounts: they read all of it, and leave in it what is their own.

It is marked by what it needs: the folders ``environments`` and ``pins`` are sticky and may be written to by everybody,
so that whoever uses the store can say so. In such a store everything is readable by all, whatever the umask of the
command that puts it there; nobody but its owner may change anything else.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.files import make_folders, naming

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MARK", "OPEN", "OpeningPlan", "is_open", "opened", "plan_opening"]

OPEN = ("environments", "pins")
MARK = 0o1777
_READABLE, _SEARCHABLE, _WRITABLE = 0o444, 0o555, 0o022


def is_open(root: Path) -> bool:
    """Tell whether the store in *root* is open to other accounts."""
    try:
        return stat.S_IMODE((root / OPEN[0]).lstat().st_mode) == MARK
    except OSError:
        return False


@contextlib.contextmanager
def opened(root: Path) -> Iterator[None]:
    """Let what is made in the block be readable by all where the store in *root* is open, and changed by its owner."""
    if not is_open(root):
        yield
        return
    before = os.umask(_WRITABLE)
    try:
        yield
    finally:
        os.umask(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPlan:
    """What opens the store in ``root``: the mode that each file and folder is to have, and ``closed`` folders above."""

    root: Path
    modes: tuple[tuple[Path, int], ...]
    closed: tuple[Path, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield what is to be done, for people."""
        for path, mode in self.modes:
            yield f"{mode:04o} {path}"
        for folder in self.closed:
            yield f"left to you, for others may not enter it: chmod a+x {shlex.quote(str(folder))}"

    def to_json(self) -> dict[str, object]:
        """Return the plan as plain values."""
        return {
            "store": str(self.root),
            "modes": {str(path): f"{mode:04o}" for path, mode in self.modes},
            "closed": [str(folder) for folder in self.closed],
        }

    def carry_out(self) -> None:
        """Set the modes: folders that are missing are made; the mark comes last. No link is followed."""
        for name in OPEN:
            make_folders(self.root / name)
        marks = {self.root / name for name in OPEN}
        for path, mode in sorted(self.modes, key=lambda item: item[0] in marks):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            try:
                descriptor = os.open(path, flags)
            except FileNotFoundError:
                continue  # a temporary file of a command that runs
            try:
                with naming(path):
                    os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)


def plan_opening(root: Path) -> OpeningPlan:
    """Return what is to be done for the store in *root* to be open to other accounts."""
    marks = {root / name for name in OPEN}
    found = [*((path, path.lstat()) for path in [root]), *_below(root)]
    wanted = [
        (path, MARK if path in marks else _open_mode(facts.st_mode), stat.S_IMODE(facts.st_mode))
        for path, facts in found
    ]
    missing = [(path, MARK, -1) for path in sorted(marks) if not path.is_dir()]
    modes = tuple((path, mode) for path, mode, now in [*wanted, *missing] if mode != now)
    closed = tuple(folder for folder in Path(os.path.realpath(root)).parents if not folder.stat().st_mode & 0o001)
    return OpeningPlan(root=root, modes=modes, closed=closed)


def _open_mode(mode: int) -> int:
    has_to_be_entered = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
    return (stat.S_IMODE(mode) | (_SEARCHABLE if has_to_be_entered else _READABLE)) & ~_WRITABLE


def _below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield every file and folder below *folder*, no link, but what others have left in the open folders."""
    for path in sorted(folder.iterdir()):
        facts = path.lstat()
        if stat.S_ISDIR(facts.st_mode):
            yield path, facts
            if not (path.name in OPEN and stat.S_IMODE(facts.st_mode) == MARK):
                yield from _below(path)
        elif stat.S_ISREG(facts.st_mode):
            yield path, facts

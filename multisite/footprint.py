"""What files take up on the disk, and what removing them gives back: a file with several names counts once."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Footprint", "Scales", "readable"]

_BLOCK = 512  # bytes; what st_blocks counts in, whatever the filesystem's own are (stat(3type))
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """A number of ``files``, their sizes in ``bytes``, and what removing all of them gives back on the disk.

    ``freed`` leaves out what has other names that stay. Blocks that a filesystem shares between files (reflinks) count
    as if they were not shared: nothing tells.
    """

    files: int = 0
    bytes: int = 0
    freed: int = 0


@dataclass(slots=True)
class Scales:
    """Weighs files and trees that are to go together."""

    _files: int = 0
    _bytes: int = 0
    _freed: int = 0
    # Of files with several names: how many of these are still missing here.
    _others: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, path: Path) -> Footprint:
        """Add a file or a tree; return what it comes to. What is gone already weighs nothing; no link is followed."""
        before = self._files, self._bytes, self._freed
        self._weigh(os.fspath(path))
        return Footprint(files=self._files - before[0], bytes=self._bytes - before[1], freed=self._freed - before[2])

    @property
    def total(self) -> Footprint:
        """What all of it comes to."""
        return Footprint(files=self._files, bytes=self._bytes, freed=self._freed)

    def _weigh(self, path: str) -> None:
        try:
            facts = os.lstat(path)
            if stat.S_ISDIR(facts.st_mode):
                with os.scandir(path) as entries:
                    names = [entry.path for entry in entries]
                self._freed += _blocks(facts)
                for name in names:
                    self._weigh(name)
                return
        except FileNotFoundError:
            return
        self._files += 1
        self._bytes += facts.st_size
        if facts.st_nlink > 1:
            key = (facts.st_dev, facts.st_ino)
            self._others[key] = self._others.get(key, facts.st_nlink) - 1
            if self._others[key]:
                return
        self._freed += _blocks(facts)


def _blocks(facts: os.stat_result) -> int:
    return getattr(facts, "st_blocks", -(-facts.st_size // _BLOCK)) * _BLOCK


def readable(number: int) -> str:
    """Return a number of bytes for people."""
    value, unit = float(number), 0
    while value >= _THOUSAND and unit < len(_UNITS) - 1:
        value, unit = value / _THOUSAND, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{number} B"

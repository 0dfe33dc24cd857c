"""Turns: of commands that need the same file or build at once, one brings it, and the others find it then.

Each thing has a lock file, in the store that it is brought into and for sources in the cache as well, held by whoever
is at work on it (flock(2)). Nothing is waited for while anything is held, so no two commands wait for each other; the
lock of a killed command ends with it. Locks only save work: without them a file is fetched twice, and published once
all the same. So where a filesystem, a platform or file modes allow none, the work goes on without.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from multisite.files import make_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Errand", "Turns"]

_AT_ONCE = 128  # lock files that are held at most: macOS gives a process 256 open files
_PAUSES = (0.01, 0.25)  # seconds between two looks at a lock, the first and the longest
_REMINDER = 60.0  # seconds until it is said again who is waited for
_WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One thing to bring. ``label`` is for people, ``places`` are its lock files; without any nobody else brings it."""

    label: str
    places: tuple[Path, ...] = ()


class Turns(Generic[_Key]):
    """What this command is at work on; *notice* is told who is waited for, and where there are no locks."""

    def __init__(self, notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._told: set[Path] = set()
        self._held: dict[_Key, list[tuple[Path, int]]] = {}

    @contextlib.contextmanager
    def taken(self, errands: Sequence[tuple[_Key, Errand]]) -> Iterator[list[_Key]]:
        """Take as many of *errands*, which have keys, as nobody else is at work on; what is left at the end is ended.

        Where there is none, the first is waited for, so that there is one at least.
        """
        try:
            for key, errand in errands:
                if len(self._held) < _AT_ONCE and (files := self._take(errand)) is not None:
                    self._held[key] = files
            if not self._held and errands:
                key, errand = errands[0]
                self._held[key] = self._wait(errand)
            yield list(self._held)
        finally:
            for key in list(self._held):
                self.end(key)

    def end(self, key: _Key) -> None:
        """Let others have their turn at the errand with this *key*."""
        _release(self._held.pop(key))

    def _take(self, errand: Errand) -> list[tuple[Path, int]] | None:
        """Return the lock files of *errand* with the descriptors that hold them, None where somebody else has one."""
        files: list[tuple[Path, int]] = []
        for place in errand.places:
            try:
                descriptor = _held(place)
            except OSError as error:
                if error.errno in _WITHOUT_LOCKS and place.parent not in self._told:
                    self._told.add(place.parent)
                    self._notice(f"{place.parent}: files cannot be locked there; commands may fetch one file twice")
                continue
            if descriptor is None:
                _release(files)
                return None
            files.append((place, descriptor))
        return files

    def _wait(self, errand: Errand) -> list[tuple[Path, int]]:
        pause, longest = _PAUSES
        said, told = "", 0.0
        while (files := self._take(errand)) is None:
            holder = _holder(errand.places)
            if holder != said or time.monotonic() > told + _REMINDER:
                self._notice(f"waiting for {errand.label}, which {holder or 'another command'} is bringing")
                said, told = holder, time.monotonic()
            time.sleep(pause)
            pause = min(2 * pause, longest)
        return files


def _held(place: Path) -> int | None:
    """Return a descriptor that holds the lock file *place*, None where somebody else does. Raises OSError."""
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(place))
    import fcntl

    make_folders(place.parent)
    while True:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it until now has removed it: a lock on what has no name keeps nobody out.
            if _has_name(descriptor, place):
                _sign(descriptor)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _has_name(descriptor: int, place: Path) -> bool:
    try:
        return os.path.samestat(place.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    """Write into a lock file who holds it, for those who wait; a full disk is no reason not to work."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)


def _holder(places: Sequence[Path]) -> str:
    """Return who holds one of *places*, for people; nothing where nobody says so."""
    for place in places:
        try:
            number, _, host = place.read_text(encoding="utf-8", errors="replace").strip().partition(" ")
        except OSError:
            continue
        if number.isdecimal():
            return f"process {number}" + ("" if host == socket.gethostname() else f" on {host}")
    return ""


def _release(files: Sequence[tuple[Path, int]]) -> None:
    for place, descriptor in files:
        with contextlib.suppress(OSError):
            if _has_name(descriptor, place):
                place.unlink()
        os.close(descriptor)

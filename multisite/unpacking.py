"""The way from a wheel file to a folder: one pass in which every file is inflated, hashed, compared and written.

Of a file no more than two pieces are in memory at once. Large files are left to a few threads, for inflating and
hashing give up the interpreter's lock; with small ones that costs more than it gains.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from multisite.content import starts_as_python
from multisite.errors import InvalidWheel
from multisite.files import PUBLISHED, write_new
from multisite.native import HEAD, native_kind
from multisite.record import RecordEntry, format_record
from multisite.wheel import DAMAGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from multisite.wheel import Member, WheelFile

__all__ = ["Unpacked", "unpack"]

_EXECUTABLE = 0o755
_FOLDER = 0o755
_LARGE = 1 << 18  # bytes that are worth another thread
_MOST_HELPERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What was written: the lines of RECORD, and which files are native, or may be run, by their paths there."""

    record: tuple[RecordEntry, ...]
    native: frozenset[str]
    executable: frozenset[str]


def unpack(wheel: WheelFile, folder: Path, *, proceed: Callable[[], None] = lambda: None) -> Unpacked:
    """Write the content of *wheel* into the new *folder*: ``site-packages/``, ``data/<scheme>/``, and its RECORD.

    RECORD lists what was written: files of purelib and platlib where they landed, with SHA-256, and nothing that
    installing adds or replaces. It is written last: a file that is newer was touched since. *proceed* is called for
    each piece of a file, from several threads, and may raise to end it all. Raises InvalidWheel with every file whose
    content is not what the wheel's RECORD says.
    """
    _make_folders(folder, wheel)
    done = _Work(wheel, str(folder), proceed).carry_out()
    if problems := [problem for one in done for problem in one.problems]:
        raise InvalidWheel(wheel.filename, problems)
    own = RecordEntry(path=f"{wheel.dist_info}/RECORD")
    written = [one for one in done if one.is_content]
    rows = sorted((*(one.row for one in written), own), key=lambda row: row.path)
    _write(f"{folder}/site-packages/{own.path}", PUBLISHED, [format_record(rows).encode()])
    return Unpacked(
        record=tuple(rows),
        native=frozenset(one.row.path for one in written if one.is_native),
        executable=frozenset(one.row.path for one in written if one.is_executable),
    )


def _make_folders(folder: Path, wheel: WheelFile) -> None:
    places = {_place(member).rpartition("/")[0] for member in wheel.members if member.is_content}
    places.add(f"site-packages/{wheel.dist_info}")
    for place in list(places):
        while (place := place.rpartition("/")[0]) and place not in places:
            places.add(place)
    folder.mkdir(_FOLDER, parents=True, exist_ok=True)
    for place in sorted(places):  # those above first
        os.mkdir(f"{folder}/{place}", _FOLDER)  # noqa: PTH102 -- a path object for each takes longer than the call


@dataclass(slots=True, kw_only=True)
class _Done:
    """What came of a member; ``row`` is its line of RECORD."""

    row: RecordEntry
    problems: list[str]
    is_content: bool
    is_native: bool = False
    is_executable: bool = False


class _Work:
    """The members of a wheel on their way into *folder*."""

    def __init__(self, wheel: WheelFile, folder: str, proceed: Callable[[], None]) -> None:
        self._wheel = wheel
        self._folder = folder
        self._proceed = proceed
        self._ended = False

    def carry_out(self) -> list[_Done]:
        """Return what came of each member, in their order."""
        members = self._wheel.members
        sizes = [self._wheel.size(member) for member in members]
        large = [at for at, size in enumerate(sizes) if size >= _LARGE]
        waiting = deque(sorted(large, key=lambda at: -sizes[at]))
        done: dict[int, _Done] = {}

        def take_large() -> None:
            while not self._ended:
                try:
                    at = waiting.popleft()
                except IndexError:
                    return
                done[at] = self._take(members[at], sizes[at])

        helpers = min(_MOST_HELPERS, (os.cpu_count() or 1) - 1, len(large) - 1)
        with ThreadPoolExecutor(max(helpers, 1), thread_name_prefix="multisite-unpack") as pool:
            try:
                theirs = [pool.submit(take_large) for _ in range(helpers)]
                for at, size in enumerate(sizes):
                    if size < _LARGE:
                        done[at] = self._take(members[at], size)
                take_large()
                for future in theirs:
                    future.result()
            except BaseException:  # an interruption as well: no thread writes on, and it is raised again
                self._ended = True
                raise
        return [done[at] for at in range(len(members))]

    def _take(self, member: Member, size: int) -> _Done:
        """Write *member*, unless it is left out, and compare it with its line of RECORD."""
        expected = member.record
        done = _Done(row=expected, problems=[], is_content=member.is_content)
        if expected.size is not None and size > expected.size:
            # A few bytes of a wheel can stand for gigabytes: what is too large anyway is not written first.
            done.problems.append(_wrong_size(member, size))
            return done
        pieces = _Counted(self._pieces(member), expected.algorithm)
        try:
            start = next(pieces, b"")
            if member.is_content:
                is_ours = member.scheme == "scripts" and starts_as_python(start)
                done.is_executable = member.executable or is_ours
                done.is_native = native_kind(start[:HEAD]) is not None
                mode = _EXECUTABLE if done.is_executable else PUBLISHED
                _write(f"{self._folder}/{_place(member)}", mode, chain((start,), pieces))
            else:
                deque(pieces, maxlen=0)
        except DAMAGED as error:
            done.problems.append(f"{member.name}: damaged: {error}")
            return done
        if expected.digest is not None and expected.digest != pieces.digest:
            done.problems.append(f"{member.name}: its {expected.algorithm} is not the one in RECORD")
        if expected.size is not None and expected.size != pieces.size:
            done.problems.append(_wrong_size(member, pieces.size))
        done.row = RecordEntry(
            path=member.path if member.scheme == "site" else member.name,
            algorithm="sha256",
            digest=pieces.sha256,
            size=pieces.size,
        )
        return done

    def _pieces(self, member: Member) -> Iterator[bytes]:
        for piece in self._wheel.content(member):
            self._proceed()
            if self._ended:
                raise CancelledError
            yield piece


class _Counted:
    """Pieces of a file, hashed as they pass: by SHA-256, and once more only where RECORD has another *algorithm*."""

    def __init__(self, pieces: Iterator[bytes], algorithm: str | None) -> None:
        self._pieces = pieces
        self._sha256 = hashlib.sha256()
        self._other = self._sha256 if algorithm in {None, "sha256"} else hashlib.new(algorithm or "")
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self._sha256.update(piece)
        if self._other is not self._sha256:
            self._other.update(piece)
        self.size += len(piece)
        return piece

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def digest(self) -> str:
        """The hash by the algorithm that was asked for."""
        return self._other.hexdigest()


def _write(path: str, mode: int, pieces: Iterable[bytes]) -> None:
    """Write the new file *path* without a buffer between: the pieces are large enough, or the whole file."""
    descriptor = write_new(path, mode=mode)
    try:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        error.filename = path  # a full disk does not say which file there was no room for
        raise
    finally:
        os.close(descriptor)


def _wrong_size(member: Member, size: int) -> str:
    return f"{member.name}: it has {size} bytes, and {member.record.size} in RECORD"


def _place(member: Member) -> str:
    return f"site-packages/{member.path}" if member.scheme == "site" else f"data/{member.scheme}/{member.path}"

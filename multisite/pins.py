"""Pins: what running commands have published or chosen and not registered yet (docs/formats.md, "Pins").

A pin holds while its process lives. Who pins an entry relies on it only after having looked whether garbage collection
is about to remove it (``multisite.condemned``).

The file is a document in its first line, then a line for each entry, appended: a sync that finds hundreds of entries
pins each of them before it relies on it. A line that is not ended yet is not relied on.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multisite.condemned import await_verdict
from multisite.document import Fields, load_document
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import make_folders, naming
from multisite.liveness import Writer
from multisite.names import BuildId
from multisite.notes import notes, read_note, write_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Pin", "PinRecord", "pins", "sweep"]

FORMAT = 1
_KIND = "pin"
_SHARED = "shared/"
_SLASHES = 2  # in a build's name; a distribution may be called "shared" as well
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HINT = "remove the file when no multisite runs"
_HOLDS = 24 * 3600.0  # seconds; on another host
# Another account's store: nothing can be published there either, and who collects its garbage is warned (registry).
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Pin:
    """Keep entries from garbage collection while the ``with`` block runs. Threads may share it.

    Pins of the dead are swept first, but in a store that is not *ours* to write to. *notice* is told of waiting.
    """

    def __init__(
        self,
        store_root: Path,
        *,
        ours: bool = True,
        notice: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    ) -> None:
        self._root = store_root
        self._path = store_root / "pins" / f"{secrets.token_hex(16)}.pin"
        self._ours = ours
        self._notice = notice
        self._lock = threading.Lock()
        self._lines: set[str] = set()
        self._file: int | None = None
        self._read_only = False

    def __enter__(self) -> Self:
        if self._ours:
            sweep(self._path.parent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._path.unlink(missing_ok=True)

    def add(self, *builds: BuildId) -> None:
        """Pin entries; when this returns they are safe, or gone."""
        self._add(str(build) for build in builds)

    def add_shared(self, *digests: str) -> None:
        """Pin shared folders; when this returns they are safe, or gone."""
        self._add(f"{_SHARED}{digest}" for digest in digests)

    def look(self, *builds: BuildId, shared: Iterable[str] = ()) -> None:
        """Be sure of what the environment is registered with, and needs no pin: it is safe when this returns, or gone.

        It was registered for a path at which it may not have been when garbage collection looked.
        """
        self._await([*map(str, builds), *(f"{_SHARED}{digest}" for digest in shared)])

    def _add(self, lines: Iterable[str]) -> None:
        with self._lock:
            new = sorted(set(lines) - self._lines)
            if new and not self._read_only:
                try:
                    self._append("".join(f"{line}\n" for line in new).encode())
                except OSError as error:
                    if error.errno not in _READ_ONLY:
                        raise
                    self._read_only = True
            self._lines.update(new)
        self._await(new)

    def _await(self, lines: Iterable[str]) -> None:
        await_verdict(self._root, lines, notice=self._notice)

    def _append(self, data: bytes) -> None:
        if self._file is None:
            make_folders(self._path.parent)
            write_note(self._path, PinRecord.this_process().to_document(), sync=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        with naming(self._path):
            if os.write(self._file, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRecord(Writer):
    """A pin as it is written."""

    builds: tuple[BuildId, ...] = ()
    shared: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> PinRecord:
        """Read a pin. Raises InvalidDocument with every fault, UnsupportedFormat."""
        fields = _head(document, where)
        builds, shared = [], []
        _, *lines = document.split(b"\n")
        for number, line in enumerate(lines[:-1], start=2):
            text = line.decode("utf-8", "replace")
            try:
                if text.startswith(_SHARED) and text.count("/") != _SLASHES:
                    shared.append(_digest(text[len(_SHARED) :]))
                else:
                    builds.append(BuildId.parse(text))
            except ValueError as error:
                fields.problem(f"line {number}", str(error))
        record = replace(cls.from_fields(fields), builds=tuple(sorted(builds)), shared=tuple(sorted(shared)))
        fields.finish(_KIND, where, hint=_HINT)
        return record

    def to_document(self) -> bytes:
        """Return the pin as it is written."""
        value = {"format": FORMAT, **self.plain()}
        lines = [json.dumps(value), *map(str, self.builds), *(f"{_SHARED}{digest}" for digest in self.shared)]
        return "".join(f"{line}\n" for line in lines).encode()

    def holds(self, now: float) -> bool:
        """Tell whether the pin is in force at the time *now* (seconds)."""
        return self.lives(now, unseen=_HOLDS)


def pins(store_root: Path) -> Iterator[tuple[Path, PinRecord]]:
    """Yield each pin of a store with its file, sorted, but for those that are torn and hold nothing any more.

    Raises InvalidDocument, UnsupportedFormat.
    """
    for path in notes(store_root / "pins", ".pin"):
        try:
            document = read_note(path)
        except FileNotFoundError:
            continue  # its process has ended since it was listed
        try:
            record = PinRecord.from_document(document, path)
        except InvalidDocument:
            if not _is_dead(document, path):
                raise
        else:
            yield path, record


def sweep(folder: Path) -> None:
    """Remove the pins in *folder* that hold nothing any more, since their processes were killed."""
    for path in notes(folder, ".pin"):
        try:
            is_dead = _is_dead(read_note(path), path)
        except (OSError, InvalidDocument, UnsupportedFormat):
            continue  # its process has ended, or garbage collection will ask about it
        if is_dead:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _is_dead(document: bytes, where: Path) -> bool:
    """Tell whether a pin holds nothing any more, by its first line alone: a power failure may have torn the others."""
    fields = _head(document, where)
    writer = PinRecord.from_fields(fields)
    fields.finish(_KIND, where, hint=_HINT)
    return not writer.holds(time.time())


def _head(document: bytes, where: str | Path) -> Fields:
    try:
        return Fields(load_document(document.partition(b"\n")[0], kind=_KIND, format=FORMAT, where=where))
    except InvalidDocument as error:
        raise InvalidDocument(_KIND, where, error.problems, hint=_HINT) from error


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"not a shared folder's digest: {text!r}")
    return text

"""What garbage collection is about to remove: said first, so that it never takes what a command begins to rely on.

Whoever is to rely on something writes that down (a pin, or a registration), and then looks here. Garbage collection
writes here what it is about to remove, and then looks once more at what is written down. Whichever comes second sees
the other: so either garbage collection leaves it, or the other waits until it is gone, or left, and looks again.
Nobody else waits, nothing is held, and what a killed garbage collection left here counts for nothing
(docs/formats.md, "Condemned").
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multisite.document import Fields, load_document
from multisite.entry import ENTRIES
from multisite.errors import InvalidDocument
from multisite.files import make_folders
from multisite.liveness import Writer
from multisite.notes import notes, read_note, write_note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["FOLDER", "Condemnation", "CondemnedRecord", "await_verdict", "condemned", "place"]

FORMAT = 1
FOLDER = "condemned"
# Seconds for which the word of a process on another host counts. Garbage collection takes no longer than half of it
# from its word to its deed.
HOLDS = 3600.0
_KIND = "condemnation"
_SUFFIX = ".condemned"
_HINT = "remove the file when no multisite gc runs"
_PAUSE = 0.01  # seconds between two looks
_SAID = 1.0  # seconds of waiting that a person wants to know of


def place(store_root: Path, name: str) -> Path:
    """Return where something is: an entry ``name/version/build``, ``shared/<digest>`` or ``tables/<key>``."""
    return store_root / ENTRIES / name if name.count("/") == 2 else store_root / name


@dataclass(frozen=True, slots=True, kw_only=True)
class CondemnedRecord(Writer):
    """A condemnation as it is written; ``names`` are those that ``place`` knows."""

    names: frozenset[str] = frozenset()

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> CondemnedRecord:
        """Read a condemnation. Raises InvalidDocument, UnsupportedFormat."""
        head, *lines = document.split(b"\n")
        fields = Fields(load_document(head, kind=_KIND, format=FORMAT, where=where))
        names = frozenset(line.decode("utf-8", "replace") for line in lines[:-1])
        record = replace(cls.from_fields(fields), names=names)
        fields.finish(_KIND, where, hint=_HINT)
        return record

    def to_document(self) -> bytes:
        """Return the condemnation as it is written."""
        lines = [json.dumps({"format": FORMAT, **self.plain()}), *sorted(self.names)]
        return "".join(f"{line}\n" for line in lines).encode()


class Condemnation:
    """Say that *names* are about to be removed while the ``with`` block runs. Only one command at a time may do so."""

    def __init__(self, store_root: Path, names: Iterable[str]) -> None:
        self._path = store_root / FOLDER / f"{secrets.token_hex(8)}{_SUFFIX}"
        self._record = replace(CondemnedRecord.this_process(), names=frozenset(names))

    def __enter__(self) -> Self:
        make_folders(self._path.parent)
        self._write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)

    def withdraw(self, names: Collection[str]) -> None:
        """Let some of them live."""
        if names:
            self._record = replace(self._record, names=self._record.names - frozenset(names))
            self._write()

    @property
    def is_heard(self) -> bool:
        """Whether it still counts wherever somebody may look, so that what it says may be done."""
        return 0 <= time.time() - self._record.time < HOLDS / 2

    def _write(self) -> None:
        write_note(self._path, self._record.to_document())


def condemned(store_root: Path, now: float) -> Iterator[tuple[Path, frozenset[str]]]:
    """Yield what is about to be removed, with the file that says so; nothing for one whose writer is dead.

    Raises UnsupportedFormat, OSError.
    """
    for path in notes(store_root / FOLDER, _SUFFIX):
        names: frozenset[str] = frozenset()
        # One is written whole by whoever lives; a damaged one was on its way when the machine went down.
        with contextlib.suppress(FileNotFoundError, InvalidDocument):
            record = CondemnedRecord.from_document(read_note(path), path)
            names = record.names if record.lives(now, unseen=HOLDS) else names
        yield path, names


def await_verdict(store_root: Path, names: Iterable[str], *, notice: Callable[[str], None]) -> None:
    """Return once nobody is about to remove any of *names*, which the caller has pinned: they are safe then, or gone.

    *notice* is told where that takes long. Raises UnsupportedFormat.
    """
    waited_for, since, said = set(names), time.monotonic(), False
    while True:
        doomed = frozenset().union(*(found for _, found in condemned(store_root, time.time())))
        waited_for = {name for name in waited_for & doomed if place(store_root, name).exists()}
        if not waited_for:
            return
        if not said and time.monotonic() - since > _SAID:
            notice(f"waiting for multisite gc, which is about to remove {min(waited_for)}")
            said = True
        time.sleep(_PAUSE)

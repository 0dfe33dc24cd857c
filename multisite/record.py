"""RECORD: the list of a distribution's files with their hashes and sizes (PEP 376, PEP 427)."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["RecordEntry", "format_record", "parse_record"]


_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """One line of RECORD. ``digest`` is hexadecimal; the hash and the size may be absent, as RECORD's own are."""

    path: str
    algorithm: str | None = None
    digest: str | None = None
    size: int | None = None

    @property
    def sha256(self) -> str | None:
        """The SHA-256 as hexadecimal digits, None where the line has none or another hash."""
        return self.digest if self.algorithm == "sha256" else None


def parse_record(text: str, *, where: str | Path) -> list[RecordEntry]:
    """Read the lines of RECORD. Raises InvalidDocument with the faults of all of them.

    Backslashes in paths become slashes, as every installer reads what old tools wrote on Windows.
    """
    # Only line feeds end a line: str.splitlines() would also cut paths at U+2028 and the like.
    reader = csv.reader((line + "\n" for line in text.split("\n")), strict=True)
    entries, problems = [], []
    while True:
        try:
            row = next(reader, None)
            if row is None:
                break
            if row:
                entries.append(_entry(row))
        except (csv.Error, ValueError) as error:
            problems.append(f"line {reader.line_num}: {error}")
    if problems:
        raise InvalidDocument("RECORD", where, problems)
    return entries


def format_record(entries: Iterable[RecordEntry]) -> str:
    """Return the text of a RECORD: *entries* sorted by path, SHA-256 and others as ``algorithm=urlsafe base64``."""
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\n")
    for entry in sorted(entries, key=lambda entry: entry.path):
        size = "" if entry.size is None else str(entry.size)
        writer.writerow([entry.path, _encoded(entry.algorithm, entry.digest), size])
    return "".join(lines)


class _Lines:
    """What ``csv.writer`` needs of a file."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def _entry(row: list[str]) -> RecordEntry:
    if len(row) != 3:
        raise ValueError(f"expected path, hash and size, found {len(row)} fields")
    path, signed, size = row
    if not path:
        raise ValueError("the path is empty")
    shown = path if path.isprintable() else repr(path)
    if len(size) > _MOST_DIGITS:
        raise ValueError(f"{shown}: the size has {len(size)} digits")
    if size and not (size.isascii() and size.isdigit()):
        raise ValueError(f"{shown}: the size is {size!r}")
    algorithm, digest = _decoded(shown, signed) if signed else (None, None)
    path = path.replace("\\", "/")
    return RecordEntry(path=path, algorithm=algorithm, digest=digest, size=int(size) if size else None)


def _decoded(path: str, signed: str) -> tuple[str, str]:
    algorithm, _, value = signed.partition("=")
    value = value.rstrip("=")
    if algorithm not in hashlib.algorithms_available or not value:
        raise ValueError(f"{path}: the hash is {signed!r}")
    try:
        digest = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"{path}: the hash is {signed!r}") from error
    # Variable-length digests have size 0.
    if len(digest) != (hashlib.new(algorithm).digest_size or len(digest)):
        raise ValueError(f"{path}: the hash is {signed!r}")
    return algorithm, digest.hex()


def _encoded(algorithm: str | None, digest: str | None) -> str:
    if algorithm is None or digest is None:
        return ""
    return f"{algorithm}={base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip('=')}"

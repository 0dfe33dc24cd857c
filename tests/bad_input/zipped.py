"""Zip archives made by hand, with every number in them open to lies (APPNOTE.TXT)."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

__all__ = ["Lies", "Part", "Shape", "changed", "parts_of", "zipped"]

Lies: TypeAlias = "Mapping[str, int | bytes]"
REGULAR = 0o100644 << 16


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file of an archive. ``header`` and ``listed`` replace numbers in front of it and in the directory.

    ``before`` stands in front of its header; ``repeat`` lists it as often, all at one place; ``streamed`` puts its sums
    behind it. The names of numbers: name flags method crc packed size at extra attributes.
    """

    name: bytes
    content: bytes
    method: int = 8
    attributes: int = REGULAR
    before: bytes = b""
    streamed: bool = False
    header: Lies = field(default_factory=dict)
    listed: Lies = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What is around the files: bytes before and after, the comment, numbers of the end, an end in 64 bits."""

    before: bytes = b""
    between: bytes = b""
    after: bytes = b""
    comment: bytes = b""
    end: Mapping[str, int] = field(default_factory=dict)
    end64: Mapping[str, int] | None = None


def parts_of(wheel: Path) -> list[Part]:
    """Return the files of an archive, to be changed and put together again."""
    with zipfile.ZipFile(wheel) as archive:
        return [Part(name=info.filename.encode(), content=archive.read(info)) for info in archive.infolist()]


def changed(parts: Iterable[Part], name: str, **changes: object) -> list[Part]:
    """Return *parts*, the one of that *name* with *changes*."""
    return [replace(part, **changes) if part.name == name.encode() else part for part in parts]  # type: ignore[arg-type]


def zipped(parts: Iterable[Part], shape: Shape = Shape()) -> bytes:
    """Return the bytes of an archive."""
    body, directory, count = shape.before, b"", 0
    for part in parts:
        packed = _packed(part)
        true = {"flags": 0x800, "method": part.method, "crc": zlib.crc32(part.content), "packed": len(packed)}
        true |= {"size": len(part.content), "at": len(body) + len(part.before)}
        facts = {**true, "name": part.name, "extra": b"", "attributes": part.attributes}
        front = {
            **facts,
            **({"flags": 0x808, "crc": 0, "packed": 0, "size": 0} if part.streamed else {}),
            **part.header,
        }
        listed = {**facts, **({"flags": 0x808} if part.streamed else {}), **part.listed}
        sums = struct.pack("<4sLLL", b"PK\x07\x08", true["crc"], true["packed"], true["size"])
        body += part.before + _header(front) + packed + (sums if part.streamed else b"")
        directory += _listed(listed)
        count += 1
    at = len(body)
    return body + directory + shape.between + _end(count, len(directory), at, shape) + shape.after


def _packed(part: Part) -> bytes:
    if part.method != zipfile.ZIP_DEFLATED:
        return part.content
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(part.content) + packer.flush()


def _header(facts: Mapping[str, object]) -> bytes:
    name, extra = facts["name"], facts["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    numbers = (facts["flags"], facts["method"], 0, 0x21, facts["crc"], facts["packed"], facts["size"])
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, *numbers, len(name), len(extra)) + name + extra


def _listed(facts: Mapping[str, object]) -> bytes:
    name, extra = facts["name"], facts["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    numbers = (facts["flags"], facts["method"], 0, 0x21, facts["crc"], facts["packed"], facts["size"])
    tail = (len(name), len(extra), 0, 0, 0, facts["attributes"], facts["at"])
    return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 0x314, 20, *numbers, *tail) + name + extra


def _end(count: int, size: int, at: int, shape: Shape) -> bytes:
    true = {"disk": 0, "first": 0, "here": count, "count": count, "size": size, "at": at, "comment": len(shape.comment)}
    facts = {**true, **shape.end}
    wide = b""
    if shape.end64 is not None:
        long = {**true, "where": at + size + len(shape.between), "disks": 1, **shape.end64}
        numbers = (long["disk"], long["first"], long["here"], long["count"], long["size"], long["at"])
        wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, *numbers)
        wide += struct.pack("<4sLQL", b"PK\x06\x07", 0, long["where"], long["disks"])
    return wide + struct.pack("<4s4H2LH", b"PK\x05\x06", *facts.values()) + shape.comment

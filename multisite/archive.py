"""The zip archive of a wheel, taken only where every reader of zip archives sees the same in it (APPNOTE.TXT).

An archive says twice what it holds: before each file, and in a directory at its end. Some tools believe the one, some
the other, and some look for the end in another place, so that a scanner may see other files than an installer. What
is refused here: a directory that is not at the end or not the only one, bytes that belong to no file, files that lie
in one another, headers that contradict the directory, and directories or contents that are out of all proportion.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from threading import Lock
from typing import IO, TYPE_CHECKING

from multisite.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["LIMIT", "Survey", "expansion", "reader", "survey"]

LIMIT = "MULTISITE_UNPACKED_LIMIT"
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_LISTED = struct.Struct("<4s6H3L5H2L")
_HEADER = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_USUAL_EXTRA = 36
_MOST_FILES, _LARGEST_DIRECTORY = 200_000, 64 << 20
# Of a file whose sizes follow it: with a signature or without, in 32 or in 64 bits.
_DESCRIPTORS = tuple(struct.Struct(form) for form in ("<4sLLL", "<4sLQQ", "<LLL", "<LQQ"))
_DESCRIPTOR = b"PK\x07\x08"
_FOLLOWED = 0x8
_MEANINGFUL = 0x1 | 0x800  # encrypted; the name is UTF-8
_ZIP64, _OTHER_NAME = 0x0001, 0x7075
_FULL = {16: 0xFFFF, 32: 0xFFFFFFFF}
# The densest of four hundred wheels of well-known projects has 7 times its size; deflate can reach 1032 times.
_ALWAYS = 512 << 20
_TIMES = 50
_AMOUNT = re.compile(r"(\d{1,18})([KMGT]?)", re.ASCII | re.IGNORECASE)


class _Torn(ValueError):
    """The end or the directory of an archive cannot be read; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What the directory says of a file."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    at: int

    @property
    def shown(self) -> str:
        text = self.name.decode("utf-8", "backslashreplace")
        return text if text.isprintable() else repr(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """An archive as it lies in its file: what is wrong with it, and where the content of each file begins.

    ``problems`` are what could be read in more than one way, or is too much to be read at all; ``starts`` are by the
    place of each file's header.
    """

    problems: tuple[str, ...]
    starts: Mapping[int, int]


def survey(file: IO[bytes]) -> Survey:
    """Go through an archive, without its contents."""
    try:
        start, count, data = _directory(file)
        listed = list(_entries(data, count))
    except _Torn as error:
        return Survey(problems=(str(error),), starts={})
    starts: dict[int, int] = {}
    problems = _out_of_place(reader(file), sorted(listed, key=lambda one: one.at), start, starts)
    return Survey(problems=tuple(problems), starts=starts)


def reader(file: IO[bytes]) -> Callable[[int, int], bytes]:
    """Return what reads from a place in *file* so many bytes, or those that there are; threads may share it."""
    try:
        descriptor = file.fileno()
    except OSError:  # what is in memory has none
        descriptor = -1
    if descriptor >= 0 and hasattr(os, "pread"):
        return lambda at, size: os.pread(descriptor, size, at)
    lock = Lock()

    def read(at: int, size: int) -> bytes:
        with lock:
            file.seek(at)
            return file.read(size)

    return read


def expansion(packed: int, unpacked: int, environ: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """Return what is wrong with an archive of *packed* bytes that becomes *unpacked*, and what permits it; or None.

    The variable ``MULTISITE_UNPACKED_LIMIT`` (``20G``) takes the place of the rule. Raises InvalidRequest for one that
    is no amount.
    """
    given = environ.get(LIMIT)
    if given:
        most, rule = _amount(given), f"{LIMIT} permits {given}"
    else:
        most, rule = max(_ALWAYS, _TIMES * packed), f"at most {_ALWAYS >> 20} MiB or {_TIMES} times the size is taken"
    if unpacked <= most:
        return None
    return (
        f"its {packed} bytes unpack to {unpacked}; {rule}",
        f"if you know what is in it: {LIMIT}={(unpacked >> 30) + 1}G multisite sync",
    )


def _amount(text: str) -> int:
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise InvalidRequest(f"{LIMIT} is {text!r}: not an amount", hint=f"write it as in {LIMIT}=20G")
    return int(found[1]) << 10 * " KMGT".index(found[2].upper() or " ")


def _directory(file: IO[bytes]) -> tuple[int, int, bytes]:
    """Return where the directory begins, how many files it should list, and its bytes."""
    length = file.seek(0, os.SEEK_END)
    tail_at = max(0, length - _END.size - _LONGEST_COMMENT)
    file.seek(tail_at)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END.size:
        raise _Torn("it is not a whole zip archive: File is not a zip file")
    _, *disks, here, total, size, start, comment = _END.unpack_from(tail, end)
    if end + _END.size + comment != len(tail):
        raise _Torn("something stands after its end, or its comment could be taken for its end")
    if _ends_before(tail, end):
        raise _Torn("it has two ends: which files it holds depends on the reader")
    at = tail_at + end
    if any(disks) or here != total:
        raise _Torn("it is one part of several")
    if at >= _LOCATOR.size:
        file.seek(at - _LOCATOR.size)
        locator = file.read(_LOCATOR.size)
        if locator.startswith(b"PK\x06\x07"):
            at, total, size, start = _in_64_bits(file, at - _LOCATOR.size, locator, (total, size, start))
    if start + size != at:
        raise _Torn("its directory is not where it says: something stands before it, or between its parts")
    if total > _MOST_FILES or size > _LARGEST_DIRECTORY:
        most = f"{_MOST_FILES} in {_LARGEST_DIRECTORY}"
        raise _Torn(f"its directory lists {total} files in {size} bytes; at most {most} are taken")
    file.seek(start)
    return start, total, file.read(size)


def _ends_before(tail: bytes, end: int) -> bool:
    """Tell whether what comes earlier could be an end as well, the one that is known being its comment."""
    at = tail.find(b"PK\x05\x06", 0, end)
    while at >= 0:
        if at + _END.size + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
            return True
        at = tail.find(b"PK\x05\x06", at + 1, end)
    return False


def _in_64_bits(file: IO[bytes], at: int, locator: bytes, plain: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return where the end in 64 bits begins, and what it says in the place of the *plain* number, size and start."""
    _, disk, where, disks = _LOCATOR.unpack(locator)
    if not 0 <= where <= at - _END64.size:
        raise _Torn("its end in 64 bits is not where it says")
    file.seek(where)
    signature, size, _, _, *numbers = _END64.unpack(file.read(_END64.size))
    one, two, here, total, length, start = numbers
    if signature != b"PK\x06\x06" or where + 12 + size != at:
        raise _Torn("its end in 64 bits is not where it says")
    if disk or disks > 1 or one or two or here != total:
        raise _Torn("it is one part of several")
    for bits, short, long in zip((16, 32, 32), plain, (total, length, start), strict=True):
        if short not in {long, _FULL[bits]}:
            raise _Torn("its two ends, in 32 and in 64 bits, contradict each other")
    return where, total, length, start


def _entries(data: bytes, count: int) -> Iterator[_Listed]:
    """Read the directory. Raises _Torn where it is not *count* files, one after the other."""
    at = found = 0
    while at < len(data):
        if len(data) - at < _LISTED.size or data[at : at + 4] != b"PK\x01\x02":
            raise _Torn("it is not a whole zip archive: its directory is damaged")
        row = _LISTED.unpack_from(data, at)
        flags, method, crc, packed, size = row[3], row[4], *row[7:10]
        names, extras, comments, disk, offset = *row[10:14], row[16]
        at += _LISTED.size
        name, extra = data[at : at + names], data[at + names : at + names + extras]
        at += names + extras + comments
        found += 1
        if at > len(data) or disk or found > count:
            raise _Torn(f"it is not a whole zip archive: its directory does not list {count} files")
        if extra:
            size, packed, offset = _widened(extra, (size, packed, offset))
        one = _Listed(name=name, flags=flags, method=method, crc=crc, packed=packed, size=size, at=offset)
        if extra and _other_name(extra, name):
            raise _Torn(f"{one.shown}: it has a second name")
        yield one
    if found != count:
        raise _Torn(f"it is not a whole zip archive: its directory does not list {count} files")


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _widened(extra: bytes, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return *numbers*, those that do not fit into 32 bits from the *extra* field that has them."""
    wide = next((value for kind, value in _fields(extra) if kind == _ZIP64), b"")
    found = []
    for number in numbers:
        if number == _FULL[32] and len(wide) >= 8:
            number, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        found.append(number)
    return tuple(found)


def _other_name(extra: bytes, name: bytes) -> bool:
    return any(kind == _OTHER_NAME and value[5:] != name for kind, value in _fields(extra))


def _out_of_place(
    read: Callable[[int, int], bytes], listed: list[_Listed], end: int, starts: dict[int, int]
) -> Iterator[str]:
    """Say what lies between the files, in one another, and which headers contradict the directory; fill *starts*."""
    at = 0
    for one, then in zip(listed, [*(other.at for other in listed), end][1:], strict=True):
        found = read(one.at, _HEADER.size + len(one.name) + _USUAL_EXTRA)  # one call where it is as usual
        if len(found) < _HEADER.size or not found.startswith(b"PK\x03\x04"):
            yield f"{one.shown}: it is not where the directory says"
            continue
        if one.at != at:
            yield f"{one.shown}: it lies within another file" if one.at < at else _nobodys(one.at - at)
        _, _, flags, method, _, _, crc, packed, size, names, extras = _HEADER.unpack_from(found)
        length = _HEADER.size + names + extras
        if length > len(found):
            found = read(one.at, length)
        name, extra = found[_HEADER.size : _HEADER.size + names], found[_HEADER.size + names : length]
        if extras:
            size, packed = _widened(extra, (size, packed))
        starts[one.at] = one.at + length
        at = one.at + length + one.packed
        if flags & _FOLLOWED:
            following = _followed(read(at, min(max(then - at, 0), 24)), one)
            at += following or 0
            is_said = following is not None and all(
                number in {0, said} for number, said in zip((crc, packed, size), _sums(one), strict=True)
            )
        else:
            is_said = (crc, packed, size) == _sums(one)
        if (name, method, flags & _MEANINGFUL) != (one.name, one.method, one.flags & _MEANINGFUL):
            is_said = False
        if not is_said or (extras and _other_name(extra, name)):
            yield f"{one.shown}: what stands before it and what the directory says of it differ"
    if at != end:
        yield "the last file reaches into the directory" if at > end else _nobodys(end - at)


def _sums(one: _Listed) -> tuple[int, int, int]:
    return one.crc, one.packed, one.size


def _followed(data: bytes, one: _Listed) -> int | None:
    """Return the length of the sums that follow a file, None where they are not those of the directory."""
    for form in _DESCRIPTORS:
        if form.size == len(data):
            values = form.unpack(data)
            signature = values[:-3]
            if values[-3:] == _sums(one) and signature in {(), (_DESCRIPTOR,)}:
                return form.size
    return None


def _nobodys(count: int) -> str:
    return f"{count} bytes in it belong to no file"

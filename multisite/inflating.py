"""The content of one file in a zip archive, in pieces of bounded size, its CRC-32 compared at the end.

``zipfile`` reads through one position that threads would share, reads the header of each file again, and takes longer
to open a small file than to inflate it.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PIECE", "inflated"]

# So much of a file is in memory at once: as it is, and as it is packed.
PIECE = 1 << 20
_RAW = -15  # a deflated stream without a header of its own
_OTHERWISE = 0x20 | 0x40  # patched data, strong encryption


def inflated(read: Callable[[int, int], bytes], start: int, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of the file *info*, which begins at *start*; nothing for an empty one.

    No more than its size is read. Raises BadZipFile, zlib.error or NotImplementedError where it is not sound.
    """
    if info.flag_bits & _OTHERWISE:
        raise NotImplementedError("it is encrypted or a patch")
    size, crc = info.file_size, 0
    pieces = _stored if info.compress_type == zipfile.ZIP_STORED else _deflated
    for piece in pieces(read, start, info.compress_size, size):
        crc = zlib.crc32(piece, crc)
        size -= len(piece)
        yield piece
    if crc != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {info.filename!r}")
    if size:
        raise zipfile.BadZipFile(f"{size} bytes of {info.filename!r} are missing")


def _stored(read: Callable[[int, int], bytes], at: int, packed: int, size: int) -> Iterator[bytes]:
    end = at + min(packed, size)
    while at < end and (piece := read(at, min(end - at, PIECE))):
        at += len(piece)
        yield piece


def _deflated(read: Callable[[int, int], bytes], at: int, packed: int, size: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(_RAW)
    end, rest = at + packed, b""
    while size > 0 and not stream.eof:
        if not rest:
            rest = read(at, min(end - at, PIECE))
            at += len(rest)
        piece = stream.decompress(rest, min(size, PIECE))
        if not piece and not rest:
            return  # it ends too early
        rest = stream.unconsumed_tail
        size -= len(piece)
        if piece:
            yield piece

"""The smallest native files that say what they need, written byte by byte for systems that this one is not."""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["elf", "fat_macho", "macho", "pe"]


def elf(
    needed: Sequence[str] = (),
    *,
    rpath: str | None = None,
    runpath: str | None = None,
    bits: int = 64,
    order: str = "<",
) -> bytes:
    """Return a shared library: a header, one loaded segment with everything in it, and a dynamic section."""
    word, wide = ("Q", True) if bits == 64 else ("I", False)
    header_size, segment_size = (64, 56) if wide else (52, 32)
    strings, tags = b"\0", []
    for number, texts in ((1, needed), (15, [rpath]), (29, [runpath])):
        for text in texts:
            if text is not None:
                tags.append((number, len(strings)))
                strings += text.encode() + b"\0"
    address = 0x1000  # that of the beginning of the file
    start = header_size + 2 * segment_size
    tags += [(5, address + start), (10, len(strings)), (0, 0)]
    table = b"".join(struct.pack(f"{order}2{word}", *tag) for tag in tags)
    at, end = start + len(strings), start + len(strings) + len(table)

    def segment(kind: int, offset: int, size: int) -> bytes:
        if wide:
            return struct.pack(f"{order}IIQQQQQQ", kind, 4, offset, address + offset, 0, size, size, 1)
        return struct.pack(f"{order}8I", kind, offset, address + offset, 0, size, size, 4, 1)

    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = struct.pack(f"{order}HHI3{word}I6H", 3, 62, 1, 0, header_size, 0, 0, header_size, segment_size, 2, 0, 0, 0)
    return ident + header + segment(1, 0, end) + segment(2, at, len(table)) + strings + table


def macho(
    needed: Sequence[str] = (),
    *,
    rpaths: Sequence[str] = (),
    bits: int = 64,
    order: str = "<",
    weak: Sequence[str] = (),
) -> bytes:
    """Return a library for macOS: a header and its load commands."""
    commands = [_macho_command(0xD, "@rpath/libself.dylib", order, more=3)]  # its own name is none that it needs
    commands += [_macho_command(0xC, name, order, more=3) for name in needed]
    commands += [_macho_command(0x80000018, name, order, more=3) for name in weak]
    commands += [_macho_command(0x8000001C, path, order) for path in rpaths]
    # What no reader may know yet.
    commands.append(struct.pack(f"{order}2I", 0x7FFFFFF0, 16) + bytes(8))
    magic = 0xFEEDFACF if bits == 64 else 0xFEEDFACE
    header = struct.pack(f"{order}7I", magic, 0x0100000C, 0, 6, len(commands), sum(map(len, commands)), 0)
    return header + (bytes(4) if bits == 64 else b"") + b"".join(commands)


def _macho_command(number: int, text: str, order: str, *, more: int = 0) -> bytes:
    start = 12 + 4 * more
    content = text.encode() + b"\0"
    content += bytes(-len(content) % 8)
    return struct.pack(f"{order}3I", number, start + len(content), start) + bytes(4 * more) + content


def fat_macho(*images: bytes) -> bytes:
    """Return one file of several architectures."""
    at, heads = 4096, []
    for image in images:
        heads.append(struct.pack(">5I", 0x0100000C, 0, at, len(image), 12))
        at += -(-len(image) // 4096) * 4096
    head = struct.pack(">2I", 0xCAFEBABE, len(images)) + b"".join(heads)
    return head.ljust(4096, b"\0") + b"".join(image.ljust(-(-len(image) // 4096) * 4096, b"\0") for image in images)


def pe(needed: Sequence[str] = (), *, delayed: Sequence[str] = ()) -> bytes:
    """Return a library for 64-bit Windows: headers, and one section with the tables of its imports."""
    base, raw = 0x1000, 0x400
    imports, delays = 20 * (len(needed) + 1), 32 * (len(delayed) + 1)
    names_at = base + imports + delays
    # One imported function, by number, for all; a table of none counts as damaged.
    thunks = names_at
    texts = struct.pack("<2Q", 1 << 63 | 1, 0)

    def name(text: str) -> int:
        nonlocal texts
        texts += text.encode() + b"\0"
        return names_at + len(texts) - len(text) - 1

    table = b"".join(struct.pack("<5I", thunks, 0, 0, name(text), thunks) for text in needed) + bytes(20)
    delay_table = b"".join(struct.pack("<8I", 1, name(text), 0, thunks, thunks, 0, 0, 0) for text in delayed)
    content = table + delay_table + bytes(32) + texts
    content += bytes(-len(content) % 0x200)
    directories = [(0, 0)] * 16
    directories[1] = (base, imports)
    directories[13] = (base + imports, delays) if delayed else (0, 0)
    sizes = (len(content), 0, 0, base, 0x180000000, 0x1000, 0x200)
    limits = (0x3000, raw, 0, 3, 0, 1 << 20, 4096, 1 << 20, 4096, 0, 16)
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 14, 0, 0, *sizes, 6, 0, 0, 0, 6, 0, 0, *limits)
    optional += b"".join(struct.pack("<2I", *directory) for directory in directories)
    header = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 0x2022)
    section = b".rdata\0\0" + struct.pack("<6I2HI", len(content), base, len(content), raw, 0, 0, 0, 0, 0x40000040)
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    return (dos + b"PE\0\0" + header + optional + section).ljust(raw, b"\0") + content

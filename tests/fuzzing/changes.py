"""Changes to a sample: bytes flipped, cut, doubled, moved, and replaced by what parsers stumble over."""

# ruff: noqa: E501 -- a table of tokens

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["KINDS", "Change", "apply", "some"]

KINDS = ("flip", "cut", "double", "move", "put", "over", "end", "number")
# Wherever a parser has a limit, an escape, a separator or a special value.
TOKENS = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b"\x1b[31m",
    b'"', b"'", b'"""', b"\\", b"\\u0000", b"\\ud800", b"\\udcff", b"../", b"/", b"//", b"C:\\", b"..", b".", b"~", b":", b";", b",",
    b"[", b"]", b"{", b"}", b"[" * 1500, b'{"a":' * 1500, b"[[x]]\n", b"a." * 1200, b"null", b"true", b"NaN", b"-Infinity", b"1e999",
    b"9" * 400, b"9" * 5000, b"-1", b"0", b"18446744073709551616", b"=", b"==", b" ", b"\t", b"#", b"%", b"${X}", b"@", b"!", b"*",
    b"file:///etc/passwd", b"http://[::1", b"javascript:x", b"x" * 300, b"\xc3\xa9", b"e\xcc\x81", b"\xe2\x80\xae", b"\xed\xa0\x80",
    b"sha256=", b"md5", b"shake_128", b"format", b"PK\3\4", b"PK\1\2", b"PK\5\6", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change: its kind, where (as a part of the length, in millionths), and two numbers that mean what it needs."""

    kind: str
    at: int
    number: int
    other: int


def apply(sample: bytes, changes: Sequence[Change], samples: Sequence[bytes] = ()) -> bytes:
    """Return *sample* with *changes*, one after the other; parts of other *samples* may be put into it."""
    data = bytearray(sample)
    for change in changes:
        at = change.at * len(data) // 1_000_000
        length = 1 + change.number % 64
        if change.kind == "flip" and data:
            at = min(at, len(data) - 1)
            data[at] ^= 1 << change.number % 8
        elif change.kind == "cut":
            del data[at : at + length]
        elif change.kind == "double":
            data[at:at] = data[at : at + length] * (1 + change.other % 3)
        elif change.kind == "move":
            piece = data[at : at + length]
            del data[at : at + length]
            to = change.other % (len(data) + 1)
            data[to:to] = piece
        elif change.kind == "put":
            data[at:at] = TOKENS[change.number % len(TOKENS)]
        elif change.kind == "over":
            token = TOKENS[change.number % len(TOKENS)]
            data[at : at + len(token)] = token
        elif change.kind == "end":
            source = samples[change.other % len(samples)] if samples else b""
            data[at:] = source[change.number % (len(source) + 1) :]
        elif change.kind == "number":
            width = (1, 2, 4, 8)[change.number % 4]
            data[at : at + width] = (change.other % (1 << 8 * width)).to_bytes(width, "little")
    return bytes(data)


def some(chance: random.Random) -> list[Change]:
    """Return a few changes; most often one or two, seldom many."""
    count = chance.choice((1, 1, 1, 2, 2, 3, 5, 12))
    return [
        Change(
            chance.choice(KINDS),
            chance.randrange(1_000_000),
            chance.randrange(1 << 16),
            chance.choice((0, 1, 2, chance.randrange(1 << 64), (1 << 64) - 1, 1 << 31, 1 << 63)),
        )
        for _ in range(count)
    ]

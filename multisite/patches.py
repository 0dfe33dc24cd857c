"""A patch: what makes one state of files another, in git's form (``git apply``, ``patch -p1`` for text)."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from difflib import diff_bytes, unified_diff
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["file_patch"]

_HEAD = 8000  # bytes in which git looks for a NUL, to tell binary files
_LINE = 52  # bytes in a line of a binary patch
_PLAIN = re.compile(r"[!#-\[\]-~ ]+", re.ASCII)
_NO_END = b"\n\\ No newline at end of file\n"


def file_patch(
    path: str, before: bytes | None, after: bytes | None, *, executable: bool = False, was_executable: bool = False
) -> bytes:
    """Return the part of a patch that is about the file *path*; None stands for no file.

    *executable* is what it is, or was where it is gone; *was_executable* counts where both are. What is equal in
    content and in that needs no part.
    """
    is_both = None not in {before, after}
    is_other_mode = is_both and executable != was_executable
    if before == after and not is_other_mode:
        return b""
    old, new = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    mode = _mode(executable)
    lines = [b"diff --git %s %s\n" % (old, new)]
    lines += [b"new file mode %s\n" % mode] if before is None else []
    lines += [b"deleted file mode %s\n" % mode] if after is None else []
    lines += [b"old mode %s\nnew mode %s\n" % (_mode(was_executable), mode)] if is_other_mode else []
    if before == after:
        return b"".join(lines)
    ids = b"..".join(_blob_id(content).encode() for content in (before, after))
    lines.append(b"index %s%s\n" % (ids, b" " + mode if is_both and not is_other_mode else b""))
    if _is_binary(before) or _is_binary(after):
        lines += [b"GIT binary patch\n", *_literal(after), *_literal(before)]
    else:
        names = (old if before is not None else b"/dev/null", new if after is not None else b"/dev/null")
        lines += _unified(_lines(before), _lines(after), *(name + b"\t" * (b" " in name) for name in names))
    return b"".join(lines)


def _mode(executable: bool) -> bytes:
    return b"100755" if executable else b"100644"


def _unified(old: Sequence[bytes], new: Sequence[bytes], old_name: bytes, new_name: bytes) -> Iterator[bytes]:
    for line in diff_bytes(unified_diff, old, new, old_name, new_name, lineterm=b"\n"):
        yield line if line.endswith(b"\n") else line + _NO_END


def _lines(content: bytes | None) -> list[bytes]:
    # Lines end where git and patch end them; bytes.splitlines() knows more ends.
    return re.findall(rb"[^\n]*\n|[^\n]+", content or b"")


def _is_binary(content: bytes | None) -> bool:
    return content is not None and b"\0" in content[:_HEAD]


def _blob_id(content: bytes | None) -> str:
    """Return what git names a file's content by."""
    if content is None:
        return "0" * 40
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _literal(content: bytes | None) -> Iterator[bytes]:
    """Yield a whole content: compressed, in lines that begin with their length, as a letter."""
    yield b"literal %d\n" % len(content or b"")
    packed = zlib.compress(content or b"")
    for at in range(0, len(packed), _LINE):
        part = packed[at : at + _LINE]
        letter = ord("A") + len(part) - 1 if len(part) <= 26 else ord("a") + len(part) - 27
        yield bytes([letter]) + base64.b85encode(part, pad=True) + b"\n"
    yield b"\n"


def _quoted(name: str) -> bytes:
    """Return *name* as git spells it: in quotes where it has more than plain letters."""
    if _PLAIN.fullmatch(name):
        return name.encode()
    special = {ord("\t"): r"\t", ord("\n"): r"\n", ord('"'): r"\"", ord("\\"): r"\\"}
    spelled = "".join(
        special.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
        for byte in name.encode("utf-8", "surrogateescape")
    )
    return f'"{spelled}"'.encode()

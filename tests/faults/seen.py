"""What folders hold, as one value: what cannot differ in its consequences is equal.

Many faults leave the same on the disk, and what the doctor says of it, and what a repeated command makes of it, follows
from that alone. Left out are names made up at random, times of this moment, and numbers of processes that are dead.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["seen"]

_RANDOM = re.compile(r"[0-9a-f]{16,32}(?![0-9a-f])", re.ASCII)
_TEMPORARY = re.compile(r"(?<=\.pyc\.)[0-9.]+$", re.ASCII)  # an interpreter's
_NAMED_AT_RANDOM = {"pins", "condemned", "environments", ".incoming"}
_NOW = re.compile(rb"\b1[0-9]{9}(\.[0-9]+)?\b|(?<=\"pid\": )[0-9]+|(?<=\"started\": )[^,}\n]+")
_ID = re.compile(rb"(?<=\"id\": \")[0-9a-f]{32}")
_HEAD = slice(8, 16)  # of bytecode: time and size of its source


def seen(folders: Sequence[Path], since: int) -> str:
    """Return a digest of all that is in *folders*; what was changed after *since* (nanoseconds) is just new."""
    links: dict[int, int] = {}
    lines = [line for folder in folders if folder.is_dir() for line in _lines(str(folder), folder.name, since, links)]
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def _lines(folder: str, name: str, since: int, links: dict[int, int]) -> Iterator[str]:
    strange = not _NAMED_AT_RANDOM.isdisjoint(name.split("/"))
    with os.scandir(folder) as items:
        found = [(f"{name}/{_named(item.name, strange=strange)}", item) for item in items]
    for named, item in sorted(found, key=lambda one: one[0]):
        facts = item.stat(follow_symlinks=False)
        what = f"{named}\t{facts.st_mode:o}"
        if stat.S_ISREG(facts.st_mode):
            is_new = facts.st_mtime_ns >= since
            what += f"\t{'new' if is_new else facts.st_mtime_ns}\t{_content(item.path, is_new=is_new)}"
            if facts.st_nlink > 1:
                what += f"\tfile {links.setdefault(facts.st_ino, len(links))}"
        elif stat.S_ISLNK(facts.st_mode):
            what += f"\t{Path(item.path).readlink()}"
        yield what
        if stat.S_ISDIR(facts.st_mode):
            yield from _lines(item.path, named, since, links)


def _named(name: str, *, strange: bool) -> str:
    name = _TEMPORARY.sub("*", name)
    return _RANDOM.sub("*", name) if strange or name[0] == "." else name


def _content(path: str, *, is_new: bool) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read()
    except PermissionError:
        return "may not be read"
    if path.endswith(".pyc") and is_new:
        data = data[: _HEAD.start] + data[_HEAD.stop :]
    elif is_new:
        data = _ID.sub(b"*", _NOW.sub(b"now", data))
    return hashlib.sha256(data).hexdigest()

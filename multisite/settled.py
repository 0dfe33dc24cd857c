"""What the last sync of an environment looked at: as long as all of it is as it was, there is nothing to do.

A command that finds nothing to do has read hundreds of files to know. So it writes down what they were: identity, size
and time of each file that it took a fact from, and which command that was. The next one of the same words compares
(docs/formats.md, "Cache"). It counts in the same boot of the machine alone: after a power failure a file may have its
size and time and not its content.

Nothing is imported here that an interpreter has not loaded at its start but ``marshal``: what is saved would be lost.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
from _imp import source_hash

from multisite import __version__

TYPE_CHECKING = False  # the import of typing takes longer than all that is here
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

__all__ = [
    "DURABLE",
    "FOLDER",
    "FORMAT",
    "INPUT",
    "KIND",
    "MAGIC",
    "PLACE",
    "THROUGH",
    "WHOLE",
    "answer",
    "circumstances",
    "command_key",
    "encode",
    "holds",
    "name_for",
    "print_of",
    "printed",
    "program",
    "read",
    "take",
    "takes",
]

KIND = "settled"  # the folder in the cache
MAGIC = b"MSSETTLED\x00"
FORMAT = 3
_MARSHAL = 4
_KEY = 0x6D756C7469  # of the checksum: any number
_CHECKSUM = 8  # bytes
_LARGEST = 1 << 26

# What is compared of a path. Of a place only what it is and who may change it; its content may change. Of a folder in
# the store that it is there, and who else may change it. Of what people write also when it was last changed, for that
# no program can set; of interpreters not, which installers link to by other names.
WHOLE, THROUGH, PLACE, FOLDER, INPUT = range(5)
DURABLE = ("MULTISITE_STORE", "MULTISITE_TRUST", "MULTISITE_COMPILE", "HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS")
_RESOLVERS = ("UV_", "PIP_", "XDG_CONFIG")
_QUIET = frozenset({"-q", "--quiet"})


def take(path: str, kind: int) -> tuple[int, ...] | None:
    """Return what is compared of *path*, None where nothing is there."""
    try:
        found = os.lstat(path) if kind in (WHOLE, FOLDER) else os.stat(path)  # noqa: PTH116 -- see the top
    except (OSError, ValueError):
        return None
    if kind == FOLDER:
        if not stat.S_ISDIR(found.st_mode):
            return None
        sound = found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return () if sound else (found.st_mode, found.st_uid, found.st_gid)
    who = (found.st_mode, found.st_uid, found.st_gid, found.st_dev, found.st_ino)
    if kind == PLACE:
        return who
    known = (*who, found.st_size, found.st_mtime_ns)
    return (*known, found.st_ctime_ns) if kind == INPUT else known


def circumstances(environ: Mapping[str, str], own: tuple[Any, ...] | None = None) -> tuple[Any, ...] | None:
    """Return what else the outcome depends on: account, machine, this program; None where a boot cannot be told.

    *own* is what ``program`` returned, for whoever has asked already.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:  # noqa: PTH123 -- see the top
            boot = file.read(64)
    except OSError:
        return None
    account = (os.geteuid(), os.getegid(), *sorted(os.getgroups()))
    variables = tuple(environ.get(name, "") for name in DURABLE)
    return (*(own or program()), os.uname().release, boot, account, variables)


def program() -> tuple[Any, ...]:
    """Return what tells this multisite from another.

    Who edits its source: a file of the start-up code that is another counts, and any module that was added, removed or
    replaced by renaming. One that is written in its place does not, for a look at each of them takes 0.3 ms.
    """
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 -- see the top
    runtime = os.path.join(here, "_runtime")  # noqa: PTH118
    found = [os.stat(path) for path in (here, runtime)]  # noqa: PTH116
    found += [item.stat() for item in sorted(os.scandir(runtime), key=lambda item: item.name)]
    # Where all files have one time, as in images that can be made again, the sizes tell.
    return (here, __version__, sys.version, hash(tuple([(item.st_mtime_ns, item.st_size) for item in found])))


def command_key(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return what a command is known by: its words and folder, for ``lock`` also what the resolver is told.

    A plain ``sync`` means the same wherever it is typed. How loud it is, and where its environment is, does not count.
    """
    words, skip = [], False
    for word in arguments:
        if not skip and word not in _QUIET and word != "--venv" and not word.startswith("--venv="):
            words.append(word)
        skip = word == "--venv" and not skip
    if words == ["sync"]:
        return "sync"
    told: list[Any] = [words, os.getcwd()]  # noqa: PTH109 -- see the top
    if words[:1] != ["lock"]:
        return repr(told)
    told.append(sorted(item for item in environ.items() if item[0].startswith(_RESOLVERS)))
    import hashlib  # there may be passwords in what is told, and it takes a millisecond

    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()


def encode(value: Mapping[str, Any], magic: bytes = MAGIC, version: int = FORMAT) -> bytes:
    """Return the bytes of a file that begins with *magic* and the *version* of its format.

    None of it is flushed, and after a power failure parts may be torn: so it has a checksum (SipHash, which an
    interpreter has without loading anything).
    """
    body = marshal.dumps(dict(value), _MARSHAL)
    head = magic + version.to_bytes(4, "little") + len(body).to_bytes(4, "little")
    return head + source_hash(_KEY, head + body) + body


def read(path: str, magic: bytes = MAGIC, version: int = FORMAT) -> dict[str, Any] | None:
    """Return what the file *path* says; None where it is missing, torn, of another format or of another account."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_size > _LARGEST:
            return None
        data = os.read(descriptor, found.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    at = len(magic) + 8
    head, checksum, body = data[:at], data[at : at + _CHECKSUM], data[at + _CHECKSUM :]
    wanted = magic + version.to_bytes(4, "little") + len(body).to_bytes(4, "little")
    if head != wanted or checksum != source_hash(_KEY, head + body):
        return None
    try:
        value = marshal.loads(body)  # noqa: S302 -- the account's own
    except (EOFError, MemoryError, TypeError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def name_for(folder: str) -> str:
    """Return what the file for the environment *folder* is called in the cache; another may be called the same."""
    return f"{hash(tuple(os.fsencode(folder))) & (1 << 64) - 1:016x}"


def answer(
    cache: str, folder: str, arguments: Sequence[str], environ: Mapping[str, str], now: float, own: tuple[Any, ...]
) -> tuple[str, ...] | None:
    """Return what the command with these *arguments* says where it finds nothing to do in the environment *folder*.

    None where that cannot be told so quickly. *own* is what ``program`` returned.
    """
    found = _known(cache, folder, environ, now, own)
    command = None if found is None else found["commands"].get(command_key(arguments, environ))
    if found is None or command is None:
        return None
    said, *inputs = command
    same = print_of(inputs[0]) == inputs[1] and print_of(found["looked_at"]) == found["print"]
    return tuple(said) if same else None


def holds(cache: str, folder: str, environ: Mapping[str, str], now: float) -> bool:
    """Tell whether the environment *folder*, and what it uses, is as it was after the last sync."""
    found = _known(cache, folder, environ, now)
    return found is not None and print_of(found["looked_at"]) == found["print"]


def _known(
    cache: str, folder: str, environ: Mapping[str, str], now: float, own: tuple[Any, ...] | None = None
) -> dict[str, Any] | None:
    found = read(f"{cache}/{KIND}/{name_for(folder)}")
    if found is None or found["folder"] != folder or not 0 <= now - found["since"] < found["holds"]:
        return None
    return found if found["circumstances"] == circumstances(environ, own) else None


def print_of(groups: Iterable[tuple[str, int, Sequence[str]]]) -> int | None:
    """Return one number for what is compared of all paths, each group in a folder; None where a folder is missing.

    The first is the environment's own, so that little is looked at where that is gone.
    """
    found: list[tuple[int, ...] | None] = []
    for folder, kind, names in groups:
        taken = takes(folder, kind, names)
        if kind in (PLACE, FOLDER) and None in taken:
            return None
        found += taken
    return printed(found)


def takes(folder: str, kind: int, names: Sequence[str]) -> list[tuple[int, ...] | None]:
    """Return what is compared of the *names* in a *folder*."""
    return [take(f"{folder}/{name}", kind) for name in names]


def printed(found: Iterable[tuple[int, ...] | None]) -> int:
    """Return one number for what was taken: numbers alone have the same hash in each process of one Python."""
    return hash(tuple([(-1,) if known is None else known for known in found]))

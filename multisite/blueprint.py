"""Blueprint: all that environments of one lockfile, interpreter and store have in common, kept in the cache.

Who has one need not read the lockfile, select from it, look for entries or compile a table: what differs from one
environment to another is filled in (docs/formats.md, "Cache"). It says what to rely on, never that it is there.

Nothing is imported here that an interpreter has not loaded at its start, but for hashes: what is saved would be lost.
"""

from __future__ import annotations

import os
import sys

from multisite import settled
from multisite.settled import THROUGH, take

TYPE_CHECKING = False  # the import of typing takes longer than all that is here
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

__all__ = ["FORMAT", "KIND", "MAGIC", "asked_for", "digest", "filled", "key", "read", "split"]

KIND = "blueprints"  # the folder in the cache
MAGIC = b"MSBLUEPRINT\x00"
FORMAT = 3
_MOST_LINKS = 40  # as in the kernel


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of *data*: without ``hashlib``, which loads OpenSSL, where the interpreter has its own."""
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        from hashlib import sha256
    found: bytes = sha256(data).digest()
    return found


def asked_for(python: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the file of the interpreter that a new environment would be made with; None where that is to be found."""
    if python is not None:
        path = os.path.abspath(os.path.expanduser(python))  # noqa: PTH100, PTH111 -- see the top
        return path if os.sep in python and os.path.isfile(path) else None  # noqa: PTH113
    if environ.get("VIRTUAL_ENV"):
        return None
    for own in _links(getattr(sys, "_base_executable", None) or sys.executable):
        if os.path.dirname(os.path.dirname(own)) == sys.base_prefix:  # noqa: PTH120
            return own if os.path.isfile(own) else None  # noqa: PTH113
    return None


def _links(path: str) -> Iterator[str]:
    """Yield *path* and what each link leads to: up to Python 3.10 a virtual environment's program is its own base."""
    for _ in range(_MOST_LINKS):
        yield path
        try:
            path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))  # noqa: PTH115, PTH118, PTH120
        except OSError:
            return


def key(
    lockfile: bytes, python: str, store: str, environ: Mapping[str, str], own: tuple[Any, ...] | None = None
) -> str:
    """Return the name of the blueprint for the bytes of a *lockfile*, an interpreter's file, and a store.

    *own* is what ``settled.program`` returned, for whoever has asked already.
    """
    configuration = os.path.join(os.path.dirname(os.path.dirname(python)), "pyvenv.cfg")  # noqa: PTH118, PTH120
    system = os.uname()
    known = (
        own or settled.program(),
        digest(lockfile),
        (python, take(python, THROUGH), take(configuration, THROUGH)),
        os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None,
        (system.sysname, system.release, system.version, system.machine),  # a container has a name of its own each time
        store,
        (os.geteuid(), os.getegid(), environ.get("MULTISITE_TRUST", "")),
    )
    return digest(repr(known).encode("utf-8", "surrogatepass")).hex()


def read(cache: str, name: str) -> dict[str, Any] | None:
    """Return the blueprint of that *name*, None where there is none."""
    return settled.read(f"{cache}/{KIND}/{name}", MAGIC, FORMAT)


def split(data: bytes, marks: Mapping[bytes, str]) -> tuple[bytes | str, ...]:
    """Return *data* in parts: the bytes between the *marks*, and what each mark stands for."""
    import re

    pattern = re.compile(b"|".join(map(re.escape, sorted(marks, key=len, reverse=True))))
    parts: list[bytes | str] = []
    at = 0
    for found in pattern.finditer(data):
        parts += [data[at : found.start()], marks[found[0]]]
        at = found.end()
    return (*parts, data[at:])


def filled(parts: Iterable[bytes | str], values: Mapping[str, bytes]) -> bytes:
    """Return the bytes that *parts* make with these *values*."""
    return b"".join([part if type(part) is bytes else values[part] for part in parts])  # type: ignore[index]

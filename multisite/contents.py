"""The files of one folder of the store, held against what they should be.

Nothing is locked, and nothing is written. What a program may leave there is told from what could become part of other
programs: bytecode in ``__pycache__`` belongs to a source (``multisite.bytecode`` judges its content), data files are
noted, and whatever could be imported, loaded or followed is damage.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multisite.content import source_paths
from multisite.damage import Damage
from multisite.files import OTHERS_WRITE, TEMPORARY
from multisite.native import HEAD, native_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from multisite.trust import Trust

__all__ = ["Contents", "Expected", "compare"]

_CHUNK = 1 << 20
_CACHE = "__pycache__"
_SET_ID = stat.S_ISUID | stat.S_ISGID
# What some loader takes for code by its name: import, the dynamic linker, site, setuptools.
_CODE = re.compile(r".*\.(py|pyw|pyc|pyo|pyd|so|dll|dylib|pth|start|egg|egg-link)(\.\d+)*", re.DOTALL | re.IGNORECASE)
_METADATA = re.compile(r"\.(dist|egg)-info/", re.IGNORECASE)
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A file that belongs there. ``newest`` is the time (ns) after which it would not have been written."""

    algorithm: str | None
    digest: str | None
    size: int | None
    newest: int
    executable: bool = False


_ANY = Expected(algorithm=None, digest=None, size=None, newest=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What was found: ``caches`` are the files in ``__pycache__`` folders, ``native`` the files that begin as such.

    Paths are relative to the folder, with ``/``.
    """

    damage: tuple[Damage, ...] = ()
    caches: tuple[str, ...] = ()
    native: frozenset[str] = frozenset()
    files: int = 0
    size: int = 0


@dataclass(slots=True)
class _Found:
    files: dict[str, os.stat_result] = field(default_factory=dict)
    caches: dict[str, os.stat_result] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def compare(
    folder: Path,
    expected: Mapping[str, Expected],
    *,
    trust: Trust,
    whole: bool,
    advance: Callable[[int], None] = lambda size: None,  # noqa: ARG005
) -> Contents:
    """Compare everything in *folder* with what is *expected*, path by path.

    With *whole* the content of every file is hashed, else only that of files whose size or time shows that they were
    touched. Files belong to whom *trust* trusts. *advance* is told the size of each file that was done,
    and may raise to end it.
    """
    base = os.fspath(folder)
    found = _Found()
    _walk(base, found, trust)
    native: set[str] = set()
    damage = found.damage
    size = 0
    for path, wanted in expected.items():
        facts = found.files.get(path)
        if facts is None:
            facts = found.caches.pop(path, None) or _folder_there(base, path)
        damage += _judged(base, path, wanted, facts, trust, native, whole=whole)
        size += 0 if facts is None else facts.st_size
        advance(0 if facts is None else facts.st_size)
    damage += _extras(found, expected)
    sources = {path for path in expected if path.endswith(".py")}
    strays = {path: _stray(path, facts, sources, trust) for path, facts in found.caches.items()}
    damage += [stray for stray in strays.values() if stray is not None]
    return Contents(
        damage=tuple(sorted(damage, key=lambda one: (one.path, one.kind))),
        caches=tuple(sorted(path for path, stray in strays.items() if stray is None)),
        native=frozenset(native),
        files=len(expected),
        size=size,
    )


def _walk(base: str, found: _Found, trust: Trust) -> None:
    """Note every file below *base*; what cannot be listed is noted as damage, what is gone is missing."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            facts = os.lstat(os.path.join(base, folder))  # noqa: PTH118 -- many thousands
            found.damage += _judged_folder(folder, facts, trust)
            with os.scandir(os.path.join(base, folder)) as items:  # noqa: PTH118
                count = 0
                for item in items:
                    count += 1
                    path = f"{folder}/{item.name}" if folder else item.name
                    if item.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    elif f"/{_CACHE}/" in f"/{path}":
                        found.caches[path] = item.stat(follow_symlinks=False)
                    elif not TEMPORARY.fullmatch(item.name):
                        found.files[path] = item.stat(follow_symlinks=False)
                if not count and folder:
                    found.empty.append(folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found.damage.append(_unreadable(folder or ".", error))


def _judged_folder(path: str, facts: os.stat_result, trust: Trust) -> Iterator[Damage]:
    name = f"{path}/" if path else "the folder"
    if os.name == "nt":
        return
    if facts.st_mode & OTHERS_WRITE:
        yield Damage(kind="mode", path=path, message=f"{name} can be written to by others ({_octal(facts)})")
    elif (facts.st_mode & 0o500) != 0o500:
        yield Damage(kind="mode", path=path, message=f"{name} may not be entered ({_octal(facts)})")
    if not trust.owns(facts):
        yield Damage(kind="owner", path=path, message=f"{name} belongs to another account ({facts.st_uid})")


def _judged(
    base: str,
    path: str,
    wanted: Expected,
    facts: os.stat_result | None,
    trust: Trust,
    native: set[str],
    *,
    whole: bool,
) -> Iterator[Damage]:
    if facts is None:
        yield Damage(kind="missing", path=path, message=f"{path} is missing")
        return
    if not stat.S_ISREG(facts.st_mode):
        kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "no regular file")
        yield Damage(kind="kind", path=path, message=f"{path} is {kind}")
        return
    yield from _judged_facts(path, wanted, facts, trust)
    if wanted.size is not None and facts.st_size != wanted.size:
        message = f"{path} has {facts.st_size} bytes instead of {wanted.size}"
        yield Damage(kind="altered", path=path, message=message)
    elif wanted.algorithm and (whole or facts.st_mtime_ns > wanted.newest):
        try:
            digest, is_native = _hashed(f"{base}/{path}", wanted.algorithm)
        except FileNotFoundError:
            yield Damage(kind="missing", path=path, message=f"{path} is missing")
        except OSError as error:
            yield _unreadable(path, error)
        else:
            if is_native:
                native.add(path)
            if digest != wanted.digest:
                yield Damage(kind="altered", path=path, message=f"{path} has other content")


def _judged_facts(path: str, wanted: Expected, facts: os.stat_result, trust: Trust) -> Iterator[Damage]:
    if os.name == "nt":
        return
    mode = facts.st_mode
    problem = None
    if mode & _SET_ID:
        problem = "runs as its owner or group (setuid, setgid)"
    elif mode & OTHERS_WRITE:
        problem = "can be written to by others"
    elif not mode & stat.S_IRUSR:
        problem = "may not be read by its owner"
    elif wanted.executable and not mode & stat.S_IXUSR:
        problem = "can no longer be executed"
    if problem:
        yield Damage(kind="mode", path=path, message=f"{path} {problem} ({_octal(facts)})")
    if not trust.owns(facts):
        yield Damage(kind="owner", path=path, message=f"{path} belongs to another account ({facts.st_uid})")


def _folder_there(base: str, path: str) -> os.stat_result | None:
    """Return the facts of a folder that stands where a file should be."""
    try:
        facts = os.lstat(f"{base}/{path}")
    except OSError:
        return None
    return facts if stat.S_ISDIR(facts.st_mode) else None


def _extras(found: _Found, expected: Mapping[str, Expected]) -> Iterator[Damage]:
    for path in found.files.keys() - expected.keys():
        regular = stat.S_ISREG(found.files[path].st_mode)
        if regular and not _CODE.fullmatch(path) and not _METADATA.search(path):
            yield Damage(kind="data", path=path, message=f"{path} is a file that no wheel brought")
        else:
            kind = "" if regular else f"{_KINDS.get(stat.S_IFMT(found.files[path].st_mode), 'no regular file')} that "
            yield Damage(kind="extra", path=path, message=f"{path} is {kind or 'a file that '}no wheel brought")
    above = {parent for path in expected for parent in _parents(path)}
    for path in found.empty:
        if path not in above and path.rpartition("/")[2] != _CACHE:
            kind = "extra" if _METADATA.search(f"{path}/") else "data"
            yield Damage(kind=kind, path=path, message=f"{path}/ is a folder that no wheel brought")


def _stray(path: str, facts: os.stat_result, sources: Collection[str], trust: Trust) -> Damage | None:
    """Return what is wrong with a file in a ``__pycache__`` folder, whatever its content is; None for nothing."""
    if not stat.S_ISREG(facts.st_mode):
        kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "no regular file")
        return Damage(kind="extra", path=path, message=f"{path} is {kind} that no wheel brought")
    if path.endswith(".pyc") and not any(source in sources for source in source_paths(path)):
        return Damage(kind="extra", path=path, message=f"{path} is bytecode of no source that a wheel brought")
    for one in _judged_facts(path, _ANY, facts, trust):
        # What an interpreter wrote needs no mending of its mode: it is written again.
        return Damage(kind="bytecode", path=path, message=one.message)
    return None


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _hashed(path: str, algorithm: str) -> tuple[str, bool]:
    """Return the digest of a file, and whether it begins as native code. No link is followed."""
    digest = hashlib.new(algorithm)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123
        chunk = file.read(_CHUNK)
        is_native = bool(native_kind(chunk[:HEAD]))
        while chunk:
            digest.update(chunk)
            chunk = file.read(_CHUNK)
    return digest.hexdigest(), is_native


def _unreadable(path: str, error: OSError) -> Damage:
    return Damage(kind="unreadable", path=path, message=f"{path} cannot be read: {error.strerror or error}")


def _octal(facts: os.stat_result) -> str:
    return f"mode {stat.S_IMODE(facts.st_mode):04o}"

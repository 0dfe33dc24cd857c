"""Garbage of a store: what is found there that nothing keeps, as a plan. Nothing is changed here.

Whatever is not known for what it is stays: other names than a store has, documents of a later format, and folders that
a command is still at work in.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multisite.bootstrap import runtime_digest
from multisite.bytecode import unfinished
from multisite.condemned import condemned, place
from multisite.dispatch import DispatchTable
from multisite.document import Fields, load_document
from multisite.entry import ENTRIES
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import left_over
from multisite.footprint import Footprint, Scales
from multisite.names import BuildId
from multisite.registry import registration_path
from multisite.scratch import abandoned
from multisite.whereabouts import since

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from multisite.roots import Roots
    from multisite.store import Store

__all__ = ["ASIDE", "CONDEMNED", "Doomed", "Kind", "Plan", "leads_to", "plan"]

_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LOCK = re.compile(r"[0-9a-f]{32}\.lock", re.ASCII)
_RUNTIME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ALIAS = 1  # format
# Seconds after which nobody is still about to rename a temporary file: writing one takes milliseconds.
_STALE = 600.0
ASIDE = ".aside"  # an alias that is looked at before it goes


class Kind(enum.Enum):
    """What can be garbage, in the order in which it goes."""

    TABLE = "table"
    SHARED = "shared folder"
    ENTRY = "entry"
    ALIAS = "alias"
    ENVIRONMENT = "environment"
    PIN = "pin"
    LEFTOVER = "leftover"
    RUNTIME = "start-up code"
    LOCK = "lock file"


# What commands begin to rely on: it is condemned first, and looked at once more.
CONDEMNED = frozenset({Kind.TABLE, Kind.SHARED, Kind.ENTRY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """Something that is to go: where it is, and what it is called (for what can be condemned, its name there)."""

    kind: Kind
    name: str
    path: Path
    footprint: Footprint

    def to_json(self) -> dict[str, Any]:
        """Return it as ``--json`` prints it."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "path": str(self.path),
            "files": self.footprint.files,
            "bytes": self.footprint.bytes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to go from the store in ``store_root`` while the ``roots`` are what they are, and what that frees."""

    store_root: Path
    roots: Roots
    doomed: tuple[Doomed, ...]
    footprint: Footprint
    entries: int

    def of(self, *kinds: Kind) -> tuple[Doomed, ...]:
        """Return what is to go of some kinds."""
        return tuple(item for item in self.doomed if item.kind in kinds)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as ``--json`` prints it."""
        return {
            "store": str(self.store_root),
            "entries": self.entries,
            "environments": [
                {
                    "id": item.registration.id,
                    "path": str(item.path),
                    "state": item.state.value,
                    "reason": item.reason,
                    "seen": since(item.registration),
                    "entries": len(item.registration.builds),
                }
                for item in self.roots.environments
            ],
            "kept": {name: list(labels) for name, labels in self.roots.reasons().items()},
            "goes": [item.to_json() for item in self.doomed],
            "frees": {
                "files": self.footprint.files,
                "bytes": self.footprint.bytes,
                "on_disk": self.footprint.freed,
            },
        }


def plan(store: Store, roots: Roots, *, notice: Callable[[str], None] = lambda text: None) -> Plan:  # noqa: ARG005
    """Return what nothing in *roots* keeps. *notice* is told of what is weighed. Raises OSError."""
    entries = [str(build) for build in store.builds()]
    kept = roots.kept
    scales, doomed = Scales(), []
    for kind, name, path in sorted(_found(store, roots, entries, kept), key=lambda item: _ORDER[item[0]]):
        notice(name)
        doomed.append(Doomed(kind=kind, name=name, path=path, footprint=scales.add(path)))
    return Plan(store_root=store.root, roots=roots, doomed=tuple(doomed), footprint=scales.total, entries=len(entries))


_ORDER = {kind: number for number, kind in enumerate(Kind)}
_Named = tuple[Kind, str, "Path"]


def _found(store: Store, roots: Roots, entries: Collection[str], kept: Collection[str]) -> Iterator[_Named]:
    yield from _published(store.root, roots, entries, kept)
    yield from _notes(store.root, roots)
    yield from _derived(store.root, set(entries) & set(kept))
    left = [*_leftovers(store.root), *_unfinished_bytecode(store.root, kept)]
    yield from ((Kind.LEFTOVER, str(path.relative_to(store.root)), path) for path in left)


def _published(root: Path, roots: Roots, entries: Collection[str], kept: Collection[str]) -> Iterator[_Named]:
    for name in sorted(set(entries) - set(kept)):
        yield Kind.ENTRY, name, place(root, name)
    for path in _named(root / "shared", _KEY):
        if f"shared/{path.name}" not in kept:
            yield Kind.SHARED, f"shared/{path.name}", path
    unnamed = roots.tables
    for path in _named(root / "tables", _KEY):
        if f"tables/{path.name}" not in kept and not (unnamed and _builds(path) in unnamed):
            yield Kind.TABLE, f"tables/{path.name}", path


def _notes(root: Path, roots: Roots) -> Iterator[_Named]:
    for item in roots.environments:
        if not item.state.keeps:
            yield Kind.ENVIRONMENT, str(item.path), registration_path(root, item.registration.id)
    yield from ((Kind.ENVIRONMENT, path.stem, path) for path in roots.forgotten)
    yield from ((Kind.PIN, path.stem, path) for path in roots.dead_pins)


def _derived(root: Path, staying: Collection[str]) -> Iterator[_Named]:
    for path in _aliases(root):
        with contextlib.suppress(UnsupportedFormat):  # a later multisite knows where it leads
            if leads_to(path) not in staying:
                yield Kind.ALIAS, path.stem, path
    for path in _named(root / "runtime", _RUNTIME):
        if path.name != runtime_digest():
            yield Kind.RUNTIME, path.name, path
    used = {lock_name(name) for name in staying}
    yield from ((Kind.LOCK, path.name, path) for path in _named(root / "locks", _LOCK) if path.stem not in used)


def lock_name(entry: str) -> str:
    """Return what the lock file of an entry is called, without its suffix."""
    return hashlib.sha256(entry.encode()).hexdigest()[:32]


def _named(folder: Path, name: re.Pattern[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
    except FileNotFoundError:
        return []


def _builds(path: Path) -> frozenset[str]:
    """Return the builds that a table leads to; nothing for one that cannot be read, which serves nobody."""
    try:
        _, table = DispatchTable.decode(path.read_bytes(), path)
        return frozenset(f"{row[0]}/{row[1]}/{row[4]}" for row in table.plain["distributions"])
    except (FileNotFoundError, InvalidDocument, UnsupportedFormat, LookupError, TypeError):
        return frozenset({""})


def _aliases(root: Path) -> Iterable[Path]:
    return sorted([*root.glob("artifacts/sha256/*/[!.]*.json"), *root.glob("sources/[!.]*.json")])


def leads_to(alias: Path) -> str | None:
    """Return the entry that an alias leads to, None for one that is damaged. Raises UnsupportedFormat."""
    try:
        fields = Fields(load_document(alias.read_bytes(), kind="alias", format=_ALIAS, where=alias))
        return str(BuildId.parse(fields.text("entry")))
    except UnsupportedFormat:
        raise
    except (FileNotFoundError, ValueError):  # InvalidDocument is one as well
        return None


def _leftovers(root: Path) -> Iterator[Path]:
    """Yield what killed commands have left: unfinished folders, temporary files, empty folders, condemnations."""
    for folder in (root / ENTRIES, root / "shared"):
        yield from abandoned(folder / ".incoming")
    for folder in (root / "runtime", *_named(root / "runtime", _RUNTIME)):
        yield from abandoned(folder, before=".incoming-")
    now = time.time()
    yield from (path for path, names in condemned(root, now) if not names)
    versions = [path for path in (root / ENTRIES).glob("[!.]*/*") if path.is_dir()]
    writing = [root, *(root / name for name in ("environments", "pins", "sources", "tables"))]
    writing += [*(root / "artifacts").glob("sha256/*"), *(path for version in versions for path in version.iterdir())]
    for folder in writing:
        yield from (path for path in left_over(folder) if _is_stale(path, now))
    # Only garbage collection writes these, and there is one at a time.
    yield from left_over(root / "condemned")
    yield from (path for pattern in ("artifacts/sha256/*", "sources") for path in root.glob(f"{pattern}/.*{ASIDE}"))
    above = [*versions, *(root / ENTRIES).glob("[!.]*"), *(root / "artifacts").glob("sha256/*")]
    yield from (path for path in above if path.is_dir() and not any(path.iterdir()))


def _unfinished_bytecode(root: Path, kept: Collection[str]) -> Iterator[Path]:
    """Yield what interpreters left that were killed while they wrote bytecode."""
    now = time.time()
    for name in sorted(kept):
        folder = place(root, name)
        if found := [path for path in unfinished(folder) if _is_stale(path, now)]:
            # A wheel may have brought a file of such a name, which is no newer than its RECORD.
            records = [path.lstat().st_mtime_ns for path in folder.glob("site-packages/*.dist-info/RECORD")]
            yield from (path for path in found if records and path.lstat().st_mtime_ns > max(records))


def _is_stale(path: Path, now: float) -> bool:
    try:
        return now - path.lstat().st_mtime > _STALE
    except FileNotFoundError:
        return False

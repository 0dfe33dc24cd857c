"""What keeps entries of a store from garbage collection: environments, their earlier locks, and pins."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from multisite.errors import InvalidRequest
from multisite.pins import pins
from multisite.registry import RegisteredLock, registration_path, registrations
from multisite.state import HistoryItem
from multisite.whereabouts import State, Whereabouts, builds_in, look_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from multisite.names import BuildId
    from multisite.store import Store

__all__ = ["Keep", "Root", "Roots", "find_roots", "named_ids"]

_Earlier = TypeVar("_Earlier", RegisteredLock, HistoryItem)
_DAY = 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Which earlier locks keep what they held: the last ``locks``, and all that ceased to be in force ``days`` ago."""

    locks: int = 3
    days: int = 14

    def kept(self, history: Sequence[_Earlier], now: float) -> list[_Earlier]:
        """Return those of an environment's earlier locks that count at the time *now*."""
        newest = sorted(history, key=lambda item: item.time, reverse=True)
        since = now - self.days * _DAY
        return [item for number, item in enumerate(newest) if number < self.locks or (self.days and item.time >= since)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lock:
    """What one lock keeps, by the names that ``multisite.condemned.place`` knows; ``table`` None: not known."""

    entries: frozenset[str]
    table: str | None

    @classmethod
    def of(cls, builds: Iterable[BuildId], shared: Iterable[str], table: str | None) -> _Lock:
        names = {str(build) for build in builds} | {f"shared/{digest}" for digest in shared}
        return cls(entries=frozenset(names), table=table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Something that keeps entries: for people ``label``, and the ``names`` of what it keeps.

    ``tables`` are sets of builds: of locks that an earlier multisite registered, whose tables have no names here.
    """

    label: str
    names: frozenset[str]
    tables: frozenset[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """All roots of a store, what has become of each registered environment, and the files of pins that hold no more."""

    roots: tuple[Root, ...]
    environments: tuple[Whereabouts, ...]
    forgotten: tuple[Path, ...]
    dead_pins: tuple[Path, ...]

    @property
    def kept(self) -> frozenset[str]:
        """The names of all that is kept."""
        return frozenset().union(*(root.names for root in self.roots))

    @property
    def tables(self) -> frozenset[frozenset[str]]:
        """The builds of locks whose tables are kept and not known by name."""
        return frozenset().union(*(root.tables for root in self.roots))

    def reasons(self) -> Mapping[str, tuple[str, ...]]:
        """Return who keeps what: name -> labels."""
        found: dict[str, list[str]] = {}
        for root in self.roots:
            for name in root.names:
                found.setdefault(name, []).append(root.label)
        return {name: tuple(labels) for name, labels in sorted(found.items())}


def find_roots(store: Store, keep: Keep, *, forgetting: Collection[str] = ()) -> Roots:
    """Return what keeps something in *store*; registrations with the ids in *forgetting* keep nothing.

    Pins are read before registrations: a sync registers its environment before it unpins. Raises InvalidDocument,
    UnsupportedFormat and OSError: whoever left one out would take away what it needs.
    """
    now = time.time()
    alive, dead = [], []
    for path, pin in pins(store.root):
        if not pin.holds(now):
            dead.append(path)
        elif names := {*map(str, pin.builds), *(f"shared/{digest}" for digest in pin.shared)}:
            alive.append(Root(label=f"process {pin.pid} on {pin.host.split()[0]}", names=frozenset(names)))
    found = [look_for(item, store) for item in registrations(store.root, without=forgetting)]
    kept = [_root(item, store, keep, now) for item in found if item.state.keeps]
    forgotten = [path for id_ in sorted(forgetting) if (path := registration_path(store.root, id_)).exists()]
    return Roots(roots=(*kept, *alive), environments=tuple(found), forgotten=tuple(forgotten), dead_pins=tuple(dead))


def _root(found: Whereabouts, store: Store, keep: Keep, now: float) -> Root:
    registration = found.registration
    locks = [
        _Lock.of(registration.builds, registration.shared, registration.table or found.table),
        *(_Lock.of(item.builds, item.shared, item.table) for item in keep.kept(registration.history, now)),
    ]
    for state in found.states:
        # A shared folder may lie in another store than its members, which the environment does not say.
        shared = {chosen.shared for chosen in state.builds.values() if chosen.shared is not None}
        locks.append(_Lock.of(builds_in(state, store), shared, found.table))
        locks += [_Lock.of(item.builds.values(), item.shared, item.table) for item in keep.kept(state.history, now)]
    names = frozenset().union(*(lock.entries for lock in locks))
    keys = frozenset(f"tables/{lock.table}" for lock in locks if lock.table is not None)
    builds = {name for name in names if not name.startswith("shared/") or name.count("/") > 1}
    unnamed = frozenset(lock.entries & builds for lock in locks if lock.table is None)
    return Root(label=str(found.path), names=names | keys, tables=unnamed)


def named_ids(store: Store, words: Sequence[str]) -> frozenset[str]:
    """Return the ids of registered environments that people name by id or path, to have them forgotten.

    Raises InvalidRequest for one that is not registered, or that is there and uses the store.
    """
    ids = {word for word in words if _ID.fullmatch(word) and registration_path(store.root, word).exists()}
    paths = {Path(word).absolute(): word for word in words if word not in ids}
    for registration in registrations(store.root, without=ids):
        if registration.path in paths:
            del paths[registration.path]
            ids.add(registration.id)
    if paths:
        hint = "list those that are: multisite gc --dry-run -v"
        raise InvalidRequest(
            f"{next(iter(paths.values()))}: no environment is registered with that path or id", hint=hint
        )
    for registration in registrations(store.root, without=_unreadable(store, ids)):
        if registration.id in ids and (found := look_for(registration, store)).state in {State.THERE, State.MOVED}:
            hint = f"remove it first: rm -r {found.path}"
            raise InvalidRequest(f"{found.path}: the environment is there and uses the store", hint=hint)
    return frozenset(ids)


def _unreadable(store: Store, ids: Collection[str]) -> set[str]:
    """Return those of the *ids* whose registration is damaged: that is why people name them."""
    from multisite.errors import InvalidDocument

    damaged = set()
    for id_ in ids:
        others = {path.stem for path in (store.root / "environments").glob("*.json")} - {id_}
        try:
            list(registrations(store.root, without=others))
        except InvalidDocument:
            damaged.add(id_)
    return damaged

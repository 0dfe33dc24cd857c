"""Where a registered environment is now: there, moved, deleted, or where nobody can tell.

Only what is deleted, or uses another store, loses what it keeps. So an environment counts as deleted only where its
path is missing, seen from where it was registered and on the disk that it was on; whatever else keeps it from being
seen (a disk that is not mounted, another host or container, a folder that may not be entered) is no deletion.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.dispatch import DispatchTable
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import TEMPORARY
from multisite.layout import describe_store, is_store
from multisite.notes import read_note
from multisite.registry import vantage
from multisite.scratch import is_abandoned
from multisite.state import EnvironmentState, stated_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multisite.names import BuildId
    from multisite.registry import Registration
    from multisite.store import Store

__all__ = ["State", "Whereabouts", "builds_in", "look_for", "since"]

_GONE = (FileNotFoundError, NotADirectoryError)
# What is there, and is no plain file.
_STRANGE = frozenset({errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO, errno.EFBIG})


class State(enum.Enum):
    """What has become of an environment; only the last two keep nothing any more."""

    THERE = "there"
    MOVED = "moved"
    UNREACHABLE = "unreachable"
    ELSEWHERE = "uses another store"
    DELETED = "deleted"

    @property
    def keeps(self) -> bool:
        """Whether the environment keeps what it is registered with."""
        return self not in {State.ELSEWHERE, State.DELETED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What has become of a registered environment, and the ``reason`` to think so.

    ``path`` is where it is, as far as that is known; ``states`` is what its own documents say that name the store: they
    may know of more than the registration, where a command died between the two. ``table`` is the key of its table.
    """

    registration: Registration
    state: State
    path: Path
    reason: str | None = None
    states: tuple[EnvironmentState, ...] = ()
    table: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What is at a path: the environment's documents, and whether one of them cannot be read."""

    states: tuple[EnvironmentState, ...] = ()
    damaged: bool = False
    table: str | None = None


def look_for(registration: Registration, store: Store) -> Whereabouts:
    """Look where the environment is that is registered in *store*. Changes nothing, runs nothing."""
    try:
        sight = _sight(registration.path, registration.id)
        if sight is None:
            return _missing(registration, store)
    except OSError as error:
        reason = f"{error.filename or registration.path}: {error.strerror or error}"
        return Whereabouts(registration=registration, state=State.UNREACHABLE, path=registration.path, reason=reason)
    return _found(registration, store, registration.path, sight, State.THERE)


def _found(registration: Registration, store: Store, path: Path, sight: _Sight, state: State) -> Whereabouts:
    ours = tuple(item for item in sight.states if _may_use(item, store))
    reason = f"it is {path} now" if state is State.MOVED else None
    if not ours and not sight.damaged:
        state, reason = State.ELSEWHERE, f"{path} uses {sight.states[0].store}"
    return Whereabouts(registration=registration, state=state, path=path, reason=reason, states=ours, table=sight.table)


def _sight(path: Path, id: str) -> _Sight | None:  # noqa: A002
    """Return what there is at *path* of the environment with this id, None where there is none. Raises OSError."""
    states, damaged = [], False
    for name in ("environment.json", "next.json"):
        where = path / ".multisite" / name
        try:
            document = read_note(where)
        except _GONE:
            continue
        except OSError as error:
            if error.errno not in _STRANGE:
                raise
            damaged = True
            continue
        if _may_be(document, where, id):
            try:
                states.append(EnvironmentState.from_document(document, where))
            except (InvalidDocument, UnsupportedFormat):
                damaged = True
    binding = _binding(path)
    damaged = damaged or (not states and binding.get("id") == id)
    if not states and not damaged:
        return None
    known = binding.get("known")
    sha256 = states[0].lock_sha256 if states else binding.get("sha256")
    table = known.get(sha256) if isinstance(known, dict) else None
    key = table[0] if isinstance(table, tuple) and table and isinstance(table[0], str) else None
    return _Sight(states=tuple(states), damaged=damaged, table=key)


def _may_be(document: bytes, where: Path, id: str) -> bool:  # noqa: A002
    """Tell whether a document is that of the environment, as far as it can be read."""
    try:
        return stated_id(document, where) == id
    except (InvalidDocument, UnsupportedFormat):
        return True


def _binding(path: Path) -> dict[str, object]:
    where = path / ".multisite" / "table"
    try:
        binding, _ = DispatchTable.decode(read_note(where), where)
    except (OSError, InvalidDocument, UnsupportedFormat):
        return {}
    return dict(binding)


def _missing(registration: Registration, store: Store) -> Whereabouts:
    """Say why nothing of the environment is at its path. Raises OSError where that cannot be told."""

    def unreachable(reason: str) -> Whereabouts:
        return Whereabouts(registration=registration, state=State.UNREACHABLE, path=registration.path, reason=reason)

    path = registration.path
    if registration.host not in {None, vantage()}:
        return unreachable(f"it was seen from another host or container ({registration.host})")
    nearest = next(_there(path))
    if nearest.stat().st_dev != registration.device:
        return unreachable(f"its disk is not mounted: {nearest} is on another")
    if nearest != path:
        for candidate in _siblings(nearest, path):
            with contextlib.suppress(OSError):
                sight = _sight(candidate, registration.id)
                if sight is not None:
                    return _found(registration, store, candidate, sight, State.MOVED)
    reason = f"{path} is something else now" if nearest == path else f"there is no {path}"
    return Whereabouts(registration=registration, state=State.DELETED, path=path, reason=reason)


def _there(path: Path) -> Iterator[Path]:
    """Yield *path* and the folders above it that are there, the nearest first. Raises OSError but for what is gone."""
    for folder in (path, *path.parents):
        try:
            folder.stat()
        except _GONE:
            continue
        yield folder


def _siblings(nearest: Path, path: Path) -> Iterator[Path]:
    """Yield where the environment is if the first missing folder of its *path* was renamed, in *nearest*.

    One that is being made has another name until it is done, and counts while somebody is at it.
    """
    _, *rest = path.relative_to(nearest).parts
    for sibling in sorted(nearest.iterdir()):
        if not (TEMPORARY.fullmatch(sibling.name) and is_abandoned(sibling)):
            yield sibling.joinpath(*rest)


def _may_use(state: EnvironmentState, store: Store) -> bool:
    """Tell whether an environment uses *store*: it names it, or a folder that may have been this one's."""
    return any(_may_be_ours(state, store))


def builds_in(state: EnvironmentState, store: Store) -> list[BuildId]:
    """Return the builds that an environment uses of *store*; another store may have the same, and be the one used."""
    ours = dict(enumerate(_may_be_ours(state, store)))
    return [chosen.build for chosen in state.builds.values() if ours.get(chosen.store, True)]


def _may_be_ours(state: EnvironmentState, store: Store) -> list[bool]:
    """Tell of each store of an environment, in order, whether it is *store*, or may have been at its place."""
    return [not _is_another(Path(named), store) for named in state.stores]


def _is_another(named: Path, store: Store) -> bool:
    try:
        if not is_store(named) or named.samefile(store.root):
            return False  # nothing is there, so that this store may have been moved from there
        return describe_store(named).id != store.id
    except (OSError, InvalidDocument, UnsupportedFormat):
        return False


def since(registration: Registration) -> str:
    """Return the day on which the environment was seen last, for people."""
    return time.strftime("%Y-%m-%d", time.gmtime(registration.seen))

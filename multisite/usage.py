"""What an environment uses of each store: now, and under earlier lockfiles that it may return to."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.history import remembered
from multisite.layout import is_store
from multisite.opening import opened
from multisite.recall import read_binding
from multisite.registry import register, unregister

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from multisite.edits import Edits
    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.layers import Layers
    from multisite.names import BuildId
    from multisite.sharing import SharedFolder
    from multisite.state import EnvironmentState, HistoryItem

__all__ = ["Usage"]

_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Usage:
    """What *environment*, until now in the state *before*, uses of *layers* once it has the *entries*.

    *shared* are the folders of some of these, *edits* its private copies. ``places`` has the place of the store of each
    distribution's folder, in the order of the dispatch table; None where all are in the first. ``known`` are the tables
    of earlier lockfiles, by the lockfiles' hashes: each its key, and its places.
    """

    def __init__(
        self,
        environment: Environment,
        before: EnvironmentState | None,
        *,
        layers: Layers,
        entries: Iterable[StoredDistribution],
        shared: Mapping[BuildId, SharedFolder],
        edits: Edits,
    ) -> None:
        self._environment = environment
        self._before = before
        self._layers = layers
        self._entries = sorted(entries, key=lambda stored: stored.manifest.name)
        self._shared = shared
        self._edits = edits
        roots = [shared.get(stored.id, stored).store_root for stored in self._entries]
        found = tuple(layers.index(root) for root in roots)
        self.places = found if any(found) else None
        self._left = self._left_stores()
        self.known = {} if self._left else self._known()
        earlier = [at for _, places in self.known.values() for at in places or ()]
        self._used = {0, *found, *(layers.index(stored.store_root) for stored in self._entries), *earlier}

    @property
    def layers(self) -> tuple[str, ...]:
        """The folders of the stores besides the first, up to the last that is used: a list that moves them counts."""
        return self._layers.roots[1 : max(self._used) + 1]

    def history(self, lock_sha256: str) -> tuple[HistoryItem, ...]:
        """Return the environment's history once its lockfile is the one with *lock_sha256*."""
        # Where a store is left that has those builds, they are not looked for in another.
        if self._before is None or self._left:
            return ()
        table, _ = self.known.get(self._before.lock_sha256, (None, None))
        return remembered(self._before, lock_sha256, table)

    def register(self, state: EnvironmentState, *, table: str, write: bool) -> bool:
        """Note in each store what is used of it, or without *write* only tell whether that is news to the first.

        *table* is the key of the dispatch table, which the first keeps. What private copies were made from is noted in
        each.
        """
        news = False
        for at in sorted(self._used) if write else [0]:
            store = self._layers.stores[at]
            shared = {folder.digest for folder in self._shared.values() if folder.store_root == store.root}
            with opened(store.root):
                noted = register(
                    store.root,
                    self._environment,
                    id=state.id,
                    builds={item.id for item in self._entries if item.store_root == store.root} | self._edits.builds,
                    shared=shared | self._edits.shared,
                    table=None if at else table,
                    history=state.history,
                    write=write and store.is_ours_to_write,
                )
            news = news or (noted and at == 0)
        return news

    def leave_the_rest(self) -> None:
        """Have stores that are used no longer forget the environment, where they let this account."""
        if self._before is None:
            return
        unused = [store.root for at, store in enumerate(self._layers.stores) if at not in self._used]
        for root in [*self._left, *(root for root in unused if str(root) in self._before.layers)]:
            try:
                unregister(root, self._before.id)
            except OSError as error:
                if error.errno not in _READ_ONLY:
                    raise

    def _left_stores(self) -> list[Path]:
        """Return the stores that the environment used until now, are still there, and are not among the layers."""
        former = [] if self._before is None else [Path(store) for store in self._before.stores]
        known = [store.root for store in self._layers.stores]
        apart = (root for root in former if root not in known and is_store(root))
        return [root for root in apart if not any(root.samefile(other) for other in known)]

    def _known(self) -> dict[str, tuple[str, tuple[int, ...] | None]]:
        before = self._before
        binding, _ = read_binding(self._environment)
        known: dict[str, tuple[str, tuple[int, ...] | None]] = {}
        if before is not None and not before.layers:  # otherwise only the binding knows what lies where
            known = {item.lock_sha256: (item.table, None) for item in before.history}
        for sha256, (key, places) in binding.get("known", {}).items():
            now = None if places is None else self._now(binding["stores"], places)
            if places is None or now is not None:
                known[sha256] = (key, now)
        return known

    def _now(self, stores: Sequence[str], places: Sequence[int]) -> tuple[int, ...] | None:
        """Return *places* in the former *stores* as places in the layers; None where one of these is not there."""
        roots = self._layers.roots
        # The first may have been moved, and is the first all the same.
        now = {at: roots.index(store) if at and store in roots else 0 for at, store in enumerate(stores)}
        missing = any(at and stores[at] not in roots for at in places)
        return None if missing else tuple(now[at] for at in places)

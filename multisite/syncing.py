"""A lockfile becomes an environment: what it pins is brought into the store, and the environment is led there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.files import locked
from multisite.manifest import closures
from multisite.pins import Pin
from multisite.providing import Provider
from multisite.switching import Switch

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.interpreter import Interpreter
    from multisite.names import BuildId
    from multisite.providing import Builds, Fetches
    from multisite.sharing import SharedFolder
    from multisite.store import Store
    from multisite.switching import SyncResult
    from multisite.wanted import Wanted

__all__ = ["sync"]


def sync(
    environment: Environment,
    wanted: Wanted,
    *,
    interpreter: Interpreter,
    store: Store,
    fetcher: Fetches,
    builder: Builds,
    anew: Collection[BuildId] = (),
    restore: bool = False,
) -> SyncResult:
    """Make *environment* what *wanted* says. Running it again writes nothing.

    Everything is in the store before anything in the environment changes. Builds in *anew* are made again from their
    artifacts, since what the store has of them is damaged; with *restore*, so are files in the environment that were
    changed since they were written. Raises LockfileDoesNotFit, and what ``Provider.provide`` and
    ``plan_installation`` raise.
    """
    pinned = wanted.lock.select(
        interpreter.tags, interpreter.marker_environment, wanted.selection.extras, wanted.selection.groups
    )
    environment.state_folder.mkdir(exist_ok=True)
    with locked(environment.state_folder / "lock"), Pin(store.root) as pin:
        provider = Provider(store=store, fetcher=fetcher, builder=builder, base=wanted.base, pin=pin.add)
        provided = provider.provide(pinned, anew=anew)
        shared = _shared_folders(store, [item.stored for item in provided], anew)
        switch = Switch(environment, wanted, interpreter=interpreter, store=store, provided=provided, shared=shared)
        return switch.carry_out(restore=restore)


def _shared_folders(
    store: Store, members: Sequence[StoredDistribution], anew: Collection[BuildId]
) -> dict[BuildId, SharedFolder]:
    """Return the shared folder of each distribution that has to have one with others."""
    by_build = {stored.id: stored for stored in members}
    shared = {}
    for closure in closures([stored.manifest for stored in members]):
        builds = [manifest.build_id for manifest in closure]
        folder = store.shared_folder([by_build[build] for build in builds], replace=not set(builds).isdisjoint(anew))
        shared.update(dict.fromkeys(builds, folder))
    return shared

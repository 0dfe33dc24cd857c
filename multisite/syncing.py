"""A lockfile becomes an environment: what it pins is brought into the store, and the environment is led there."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from multisite.lockfile import DirectorySource
from multisite.manifest import closures
from multisite.pins import Pin
from multisite.providing import Provider
from multisite.recall import recall
from multisite.registry import registered
from multisite.switching import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from multisite.cache import Cache
    from multisite.editables import EditableSet
    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.interpreter import Interpreter
    from multisite.layers import Layers
    from multisite.lockfile import Pinned
    from multisite.names import BuildId
    from multisite.providing import Builds, Fetches
    from multisite.result import SyncResult
    from multisite.sharing import SharedFolder
    from multisite.state import EnvironmentState, StateProject
    from multisite.wanted import Wanted

__all__ = ["InstallsEditables", "Tools", "sync"]


class InstallsEditables(Protocol):
    """What installs projects so that they are imported from their folders; ``multisite.editables.Editables`` is one."""

    def make(
        self,
        environment: Environment,
        before: EnvironmentState | None,
        *,
        project: Path | None,
        keep_project: bool,
        others: Sequence[Path],
    ) -> EditableSet:
        """Install what is wanted and not there yet; remove nothing."""

    def uninstall(self, installed: StateProject, environment: Environment) -> None:
        """Remove what was installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a sync works with. ``notice`` is told what takes long."""

    interpreter: Interpreter
    layers: Layers
    cache: Cache
    fetcher: Fetches
    builder: Builds
    editables: InstallsEditables
    notice: Callable[[str], None]


def sync(
    make: Callable[[], Environment],
    wanted: Wanted,
    tools: Tools,
    *,
    path: Path,
    before: EnvironmentState | None = None,
    anew: Collection[BuildId] = (),
    restore: bool = False,
) -> SyncResult:
    """Make an environment what *wanted* says. Running it again writes nothing. The caller holds the environment.

    Everything is in the store before *make* is called, which returns the environment, and before anything in there
    changes. *before* is what is known until now of the one at *path*. Builds in *anew* are made again from their
    artifacts, since what the store has of them is damaged; with *restore*, so are files in the environment that were
    changed since they were written. Raises LockfileDoesNotFit, UnsupportedFormat, and what ``Provider.provide``,
    ``Editables.make`` and ``plan_installation`` raise.
    """
    interpreter, layers = tools.interpreter, tools.layers
    pinned = wanted.lock.select(
        interpreter.tags, interpreter.marker_environment, wanted.selection.extras, wanted.selection.groups
    )
    with ExitStack() as held:
        pins = {
            store.root: held.enter_context(Pin(store.root, ours=store.is_ours_to_write, notice=tools.notice))
            for store in layers.stores
        }
        keeping = _Keeping(pins, layers, path, before)
        provider = Provider(
            store=layers,
            cache=tools.cache,
            fetcher=tools.fetcher,
            builder=tools.builder,
            base=wanted.base,
            python_key=interpreter.key,
            pin=keeping.keep,
            notice=tools.notice,
        )
        provided = provider.provide([item for item in pinned if not _is_editable(item)], anew=anew)
        shared = keeping.shared_folders([item.stored for item in provided], anew)
        environment = make()
        recalled = recall(environment)
        state = None if recalled is None else recalled.state
        others = [_folder(item, wanted.base) for item in pinned if _is_editable(item)]
        projects = tools.editables.make(
            environment, state, project=wanted.project, keep_project=wanted.keeps_project, others=others
        )
        switch = Switch(
            environment,
            wanted,
            interpreter=interpreter,
            layers=layers,
            provided=provided,
            shared=shared,
            projects=projects,
            take_out=lambda project: tools.editables.uninstall(project, environment),
        )
        return switch.carry_out(restore=restore)


def _is_editable(pinned: Pinned) -> bool:
    return isinstance(pinned.source, DirectorySource) and pinned.source.editable


def _folder(pinned: Pinned, base: Path) -> Path:
    source = pinned.source
    if not isinstance(source, DirectorySource):
        raise TypeError(f"{pinned.name} does not come from a folder")
    return Path(os.path.normpath(base / source.path / (source.subdirectory or ".")))  # base has no links


class _Keeping:
    """Keep what an environment is going to use from garbage collection, until it is registered.

    What the environment is registered with already needs no pin: so nothing is written where nothing changes. That
    holds only where it is registered for the *path* that it is at: garbage collection looks for it there.
    """

    def __init__(self, pins: Mapping[Path, Pin], layers: Layers, path: Path, before: EnvironmentState | None) -> None:
        registrations = {} if before is None else {root: registered(root, before.id) for root in pins}
        known = {root: item for root, item in registrations.items() if item is not None and item.path == path}
        self._pins = pins
        self._layers = layers
        self._builds = {root: frozenset(item.builds) for root, item in known.items()}
        self._shared = {root: frozenset(item.shared) for root, item in known.items()}

    def keep(self, stored: StoredDistribution) -> None:
        root = stored.store_root
        if stored.id in self._builds.get(root, ()):
            self._pins[root].look(stored.id)
        else:
            if root == self._layers.root:
                self._layers.first.demand_writable()
            self._pins[root].add(stored.id)

    def shared_folders(
        self, members: Sequence[StoredDistribution], anew: Collection[BuildId]
    ) -> dict[BuildId, SharedFolder]:
        """Return the shared folder of each distribution that has to have one with others."""
        by_build = {stored.id: stored for stored in members}
        damaged = {build.name for build in anew}
        shared = {}
        for closure in closures([stored.manifest for stored in members]):
            builds = [manifest.build_id for manifest in closure]
            folder = self._shared_folder(
                [by_build[build] for build in builds], replace=any(build.name in damaged for build in builds)
            )
            shared.update(dict.fromkeys(builds, folder))
        return shared

    def _shared_folder(self, members: Sequence[StoredDistribution], *, replace: bool) -> SharedFolder:
        folder = self._layers.shared_folder(members, replace=replace)
        pin = self._pins[folder.store_root]
        if folder.digest in self._shared.get(folder.store_root, ()):
            pin.look(shared=[folder.digest])
        else:
            pin.add_shared(folder.digest)
        return self._layers.shared_folder(members)  # once more: it may have been collected before it was pinned

"""The tools that one command works with, made from its options and environment variables when first needed."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.interpreter import inspect_interpreter
from multisite.place import Place
from multisite.recall import recall

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from multisite.building import Builder
    from multisite.cache import Cache
    from multisite.editables import Editables
    from multisite.environment import Environment
    from multisite.fetching import Fetcher, Progress
    from multisite.indexes import IndexOptions
    from multisite.interpreter import Interpreter
    from multisite.names import BuildId
    from multisite.resolving import UvResolver
    from multisite.result import SyncResult
    from multisite.state import EnvironmentState
    from multisite.store import Store
    from multisite.syncing import Tools
    from multisite.wanted import Wanted

__all__ = ["Workshop", "default_cache", "default_environment", "default_store"]


def default_store(environ: Mapping[str, str]) -> Path:
    """Return the folder of the store: MULTISITE_STORE, else in the user's data folder.

    Not the cache folder, which people delete.
    """
    if named := environ.get("MULTISITE_STORE"):
        return Path(os.path.normpath(Path(named).absolute()))
    from platformdirs import user_data_path

    return user_data_path("multisite", appauthor=False)


def default_cache(environ: Mapping[str, str]) -> Path:
    """Return the folder of the cache: MULTISITE_CACHE, else in the user's cache folder."""
    if named := environ.get("MULTISITE_CACHE"):
        return Path(os.path.normpath(Path(named).absolute()))
    from platformdirs import user_cache_path

    return user_cache_path("multisite", appauthor=False)


def default_environment(environ: Mapping[str, str]) -> Path:
    """Return the folder of the environment: the active one, else ``.venv`` in the current folder.

    Raises NotAnEnvironment where the active one is gone.
    """
    from multisite.errors import NotAnEnvironment

    active = environ.get("VIRTUAL_ENV")
    if active and not os.path.lexists(active):
        reason = "VIRTUAL_ENV names it as the active environment, and there is no such folder"
        raise NotAnEnvironment(active, reason, hint="unset VIRTUAL_ENV, or name an environment: --venv DIR")
    return Path(active or ".venv")


class Workshop:
    """The tools of one command. *notice* is told what takes long."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        store: Path | None = None,
        offline: bool = False,
        indexes: IndexOptions | None = None,
        notice: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    ) -> None:
        from multisite.indexes import IndexOptions

        self.environ = environ
        self.offline = offline
        self.indexes = indexes or IndexOptions()
        self.notice = notice
        self._store = None if store is None else Path(os.path.normpath(store.absolute()))

    def store(self, before: EnvironmentState | None = None, *, mend: bool = True) -> Store:
        """Return the store, made when it is missing; with *mend*, a damaged ``store.json`` is written again.

        It is the one that the options or MULTISITE_STORE name, else that of an environment whose state is *before*
        while it is there, else the user's.
        """
        from multisite.errors import StoreNotUsable
        from multisite.layout import mend as mend_store
        from multisite.store import Store

        root = self.store_root(before)
        try:
            problem = mend_store(root) if mend else None
        except OSError as error:
            raise StoreNotUsable(root, error.strerror or str(error)) from error
        if problem is not None:
            self.notice(f"{problem}; it is written again")
        return Store.open(root)

    def store_root(self, before: EnvironmentState | None = None) -> Path:
        """Return the folder of the store, which may be missing."""
        from multisite.layout import is_store

        if self._store is not None:
            return self._store
        if before is not None and not self.environ.get("MULTISITE_STORE") and is_store(Path(before.store)):
            return Path(before.store)
        return default_store(self.environ)

    @cached_property
    def uv(self) -> str:
        """The path of uv's program. Raises ResolverStopped."""
        import uv

        from multisite.errors import ResolverStopped

        try:
            return str(uv.find_uv_bin())
        except FileNotFoundError as error:
            reason = f"uv, which resolves and builds, is not installed beside multisite: {error}"
            raise ResolverStopped(reason, hint="pip install uv") from error

    def place(self, path: Path, *, python: str | None = None, system_site_packages: bool = False) -> Place:
        """Return the place of an environment, to be held while it is worked on; *python* is what it is made with."""
        return Place(path, self.environ, python=python, system_site_packages=system_site_packages, notice=self.notice)

    def known_state(self, environment: Environment) -> EnvironmentState | None:
        """Return what is known of the environment. Raises UnsupportedFormat."""
        recalled = recall(environment)
        return None if recalled is None else recalled.state

    def resolver(self) -> UvResolver:
        """Return what resolves requirements."""
        from multisite.resolving import UvResolver

        return UvResolver(program=self.uv, environ=self.environ, indexes=self.indexes, offline=self.offline)

    def settings(self) -> tuple[str, ...]:
        """Return what the resolver's answer depends on besides the request: its options and variables."""
        variables = [f"{name}={value}" for name, value in self.environ.items() if name.startswith(("UV_", "PIP_"))]
        return (*self.indexes.effective(self.environ).arguments(), *sorted(variables))

    def make(self, place: Place, wanted: Wanted, *, progress: Progress | None = None) -> SyncResult:
        """Make the environment at *place*, which is held, what *wanted* says."""
        from dataclasses import replace

        from multisite.syncing import sync

        place.demand_writable(wanted.lock.sha256)
        self._demand_apart(place)
        tools = self._tools(place.interpreter, place.before, progress, wanted.addresses)
        try:
            result = sync(place.make, wanted, tools, path=place.path, before=place.before)
        except BaseException:  # an interruption as well: no half-made environment stays, and it is raised again
            self._take_away(place, tools.store)
            raise
        findings = (*place.findings, *result.findings)
        return replace(result, created=place.created, written=result.written or place.remade, findings=findings)

    def _demand_apart(self, place: Place) -> None:
        """Refuse to make an environment and a store in one another, before either is made. Raises NotAnEnvironment."""
        from multisite.errors import NotAnEnvironment

        store = self.store_root(place.before)
        venv, root = Path(os.path.realpath(place.path)), Path(os.path.realpath(store))
        if place.environment is None and (venv.is_relative_to(root) or root.is_relative_to(venv)):
            reason = f"an environment and the store ({store}) cannot lie in one another"
            raise NotAnEnvironment(place.path, reason, hint="choose another folder: --venv DIR or --store DIR")

    def _take_away(self, place: Place, store: Store) -> None:
        """Leave nothing of an environment that was made for what has just failed."""
        from multisite.registry import unregister

        if place.environment is None or not place.created:
            return
        state = self.known_state(place.environment)
        place.take_away()
        if state is not None:
            unregister(store.root, state.id)

    def sync(
        self,
        environment: Environment,
        wanted: Wanted,
        *,
        progress: Progress | None = None,
        anew: Collection[BuildId] = (),
        restore: bool = False,
    ) -> SyncResult:
        """Make *environment*, which is held, what *wanted* says; *anew* and *restore* are those of ``syncing.sync``."""
        from multisite.syncing import sync

        before = self.known_state(environment)
        tools = self._tools(inspect_interpreter(environment.python), before, progress, wanted.addresses)
        return sync(
            lambda: environment, wanted, tools, path=environment.path, before=before, anew=anew, restore=restore
        )

    def keep_view(
        self, environment: Environment, interpreter: Interpreter, *, whole: bool | None = None, mend: bool = False
    ) -> bool:
        """Make the view of *environment*, which is held, show what is there now; return whether anything was written.

        It is made where there is none. *whole* None leaves that as it is. With *mend* every file is looked at. Raises
        NotAnEnvironment, EntryMissing.
        """
        from multisite.errors import NotAnEnvironment
        from multisite.view import ViewPlace, damaged, viewed, write_view

        state = self.known_state(environment)
        if state is None:
            raise NotAnEnvironment(environment.path, "nothing is locked, so there is nothing to show")
        store, place = self.store(state), ViewPlace.of(environment)
        before = place.read()
        if whole is None:
            whole = before is not None and before.whole
        view = viewed(environment, state, python=interpreter.key, whole=whole)
        anew = False
        if mend and before == view:
            anew = bool(damaged(place, view, (store.entry(state.builds[name].build) for name in view.roots)))
        return write_view(environment, interpreter, store, state, view, anew=anew)

    def _tools(
        self,
        interpreter: Interpreter,
        before: EnvironmentState | None,
        progress: Progress | None,
        addresses: Collection[str],
    ) -> Tools:
        from multisite.cache import Cache
        from multisite.syncing import Tools

        store, cache = self.store(before), Cache(default_cache(self.environ))
        return Tools(
            interpreter=interpreter,
            store=store,
            cache=cache,
            fetcher=self._fetcher(progress, cache, store, addresses),
            builder=self._builder(interpreter),
            editables=self._editables(),
            notice=self.notice,
        )

    def _fetcher(self, progress: Progress | None, cache: Cache, store: Store, addresses: Collection[str]) -> Fetcher:
        from multisite.credentials import Credentials
        from multisite.fetching import Fetcher
        from multisite.transport import Transport

        known = (*self.indexes.effective(self.environ).addresses(self.environ, Path.cwd()), *addresses)
        transport = None if self.offline else Transport(Credentials(known, environ=self.environ))
        return Fetcher(transport, progress=progress, cache=cache, mirrors=store.addresses)

    def _builder(self, interpreter: Interpreter) -> Builder:
        from multisite.building import Builder

        return Builder(
            program=lambda: self.uv,
            environ=self.environ,
            python=interpreter.executable,
            python_key=interpreter.key,
            indexes=self.indexes,
            offline=self.offline,
        )

    def _editables(self) -> Editables:
        from multisite.editables import Editables

        return Editables(program=lambda: self.uv, environ=self.environ, indexes=self.indexes, offline=self.offline)

"""The tools that one command works with, made from its options and environment variables when first needed."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.defaults import default_cache, default_store, system_stores
from multisite.errors import NotTrusted
from multisite.interpreter import inspect_interpreter
from multisite.place import Place
from multisite.recall import recall

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from multisite.building import Builder
    from multisite.cache import Cache
    from multisite.editables import Editables
    from multisite.environment import Environment
    from multisite.fetching import Fetcher, Progress
    from multisite.indexes import IndexOptions
    from multisite.interpreter import Interpreter
    from multisite.layers import Layers
    from multisite.names import BuildId
    from multisite.resolving import UvResolver
    from multisite.result import SyncResult
    from multisite.state import EnvironmentState
    from multisite.store import Store
    from multisite.syncing import Tools
    from multisite.trust import Trust
    from multisite.wanted import Wanted

__all__ = ["Workshop"]


class Workshop:
    """The tools of one command. *notice* is told what takes long."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        stores: Sequence[Path] = (),
        offline: bool = False,
        indexes: IndexOptions | None = None,
        notice: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    ) -> None:
        from multisite.indexes import IndexOptions

        self.environ = environ
        self.offline = offline
        self.indexes = indexes or IndexOptions()
        self.notice = notice
        self._stores = [Path(os.path.normpath(store.absolute())) for store in stores]

    def store(self, before: EnvironmentState | None = None, *, mend: bool = True) -> Store:
        """Return the store that is written to; the rest is as for ``layers``."""
        return self._opened([self.store_root(before)], mend=mend).first

    def store_at(self, root: Path, *, mend: bool) -> Store:
        """Return the store in *root*, which is there; the rest is as for ``layers``."""
        return self._opened([root], mend=mend).first

    def layers(self, before: EnvironmentState | None = None, *, mend: bool = True) -> Layers:
        """Return the stores, the first made when it is missing; with *mend*, a damaged ``store.json`` is written.

        They are those that the options or MULTISITE_STORE name. Otherwise they are those of an environment whose state
        is *before*, or the user's; and the system's, where these are there and trusted. Raises NotTrusted,
        StoreNotUsable, InvalidDocument, UnsupportedFormat, InvalidRequest.
        """
        return self._opened(self.store_roots(before), mend=mend)

    def known_layers(self, state: EnvironmentState) -> Layers:
        """Return the stores of an environment, those that the options or MULTISITE_STORE move at their new places."""
        from multisite.layers import moved
        from multisite.layout import is_store

        first, *others = [Path(root) for root in moved(state.stores, self._stores or self._listed)]
        there = [root for root in others if is_store(root)]  # the doctor says which are not
        return self._opened([first if is_store(first) else self.store_root(state), *there], mend=False)

    @cached_property
    def trust(self) -> Trust:
        """Whom this account trusts. Raises InvalidRequest."""
        from multisite.trust import Trust

        return Trust.of(self.environ)

    @cached_property
    def _listed(self) -> tuple[Path | None, ...]:
        from multisite.layers import listed

        return listed(self.environ.get("MULTISITE_STORE", ""))

    def _opened(self, roots: Sequence[Path], *, mend: bool) -> Layers:
        from multisite.errors import StoreNotUsable
        from multisite.layers import Layers
        from multisite.layout import mend as mend_store

        root, *others = roots
        Layers.demand_sound(root, self.trust)
        try:
            problem = mend_store(root) if mend else None
        except OSError as error:
            raise StoreNotUsable(root, error.strerror or str(error)) from error
        if problem is not None:
            self.notice(f"{problem}; it is written again")
        return Layers.open(root, others, self.trust, self.notice, private=self._is_private(root))

    def _is_private(self, root: Path) -> bool:
        """Tell whether a store that is made in *root* is for this account alone: the user's own, that nobody named.

        Root's is made as the umask says: what root installs in a container is often run by another account.
        """
        if os.name == "nt" or os.geteuid() == 0 or self._stores or any(self._listed[:1]):
            return False
        return root == default_store(self.environ)

    def store_root(self, before: EnvironmentState | None = None) -> Path:
        """Return the folder of the store that is written to, which may be missing."""
        from multisite.layout import is_store

        if self._stores:
            return self._stores[0]
        if before is not None and not self._listed and is_store(Path(before.store)):
            return Path(before.store)
        return default_store(self.environ)

    def store_roots(self, before: EnvironmentState | None = None) -> tuple[Path, ...]:
        """Return the folders of the stores: the first may be missing, the others are there unless they were named."""
        first = self.store_root(before)
        if self._stores or self._listed:
            return (first, *(self._stores or [path for path in self._listed if path is not None and path != first]))
        found = [Path(root) for root in (() if before is None else before.layers)]
        return (first, *self._usable([*found, *(path for path in system_stores() if path not in found)]))

    def _usable(self, roots: Sequence[Path]) -> Iterator[Path]:
        """Yield those stores that nobody named which are there and trusted."""
        from multisite.layers import Layers
        from multisite.layout import is_store

        for root in roots:
            try:
                if is_store(root):
                    Layers.demand_sound(root, self.trust)
                    yield root
            except NotTrusted as error:
                self.notice(f"{error}; {error.hint}")
            except PermissionError:
                continue  # it is for others

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
        from multisite.acquaintance import Acquaintance
        from multisite.cache import Cache

        return Place(
            path,
            self.environ,
            python=python,
            system_site_packages=system_site_packages,
            acquaintance=Acquaintance(cache=Cache(default_cache(self.environ)), environ=self.environ),
            notice=self.notice,
        )

    def known_state(self, environment: Environment) -> EnvironmentState | None:
        """Return what is known of the environment. Raises UnsupportedFormat."""
        recalled = recall(environment)
        return None if recalled is None else recalled.state

    def resolver(self, *, meanwhile: Callable[[], None] = lambda: None) -> UvResolver:
        """Return what resolves requirements; *meanwhile* is called when uv has begun."""
        from multisite.cache import Cache
        from multisite.resolving import UvResolver

        cache = Cache(default_cache(self.environ))
        return UvResolver(
            program=self.uv,
            environ=self.environ,
            indexes=self.indexes,
            offline=self.offline,
            cache=cache,
            meanwhile=meanwhile,
        )

    def settings(self) -> tuple[str, ...]:
        """Return what the resolver's answer depends on besides the request: options, variables, configuration."""
        from multisite.uvconfig import settings_digests

        variables = [f"{name}={value}" for name, value in self.environ.items() if name.startswith(("UV_", "PIP_"))]
        files = [f"{path} {digest}" for path, digest in settings_digests(self.environ, Path.cwd()).items()]
        return (*self.indexes.effective(self.environ).arguments(), *sorted(variables), *files)

    def make(
        self, place: Place, wanted: Wanted, *, progress: Progress | None = None, whole: bool = False
    ) -> SyncResult:
        """Make the environment at *place*, which is held, what *wanted* says; with *whole*, believe no note of it."""
        from dataclasses import replace

        from multisite.syncing import sync

        place.demand_writable(wanted.lock.sha256)
        self._demand_apart(place)
        if not whole and (settled := self._as_it_is(place, wanted)) is not None:
            return settled
        tools = self._tools(place.interpreter, place.before, progress, wanted.addresses)
        try:
            result = sync(place.make, wanted, tools, path=place.path, before=place.before)
        except BaseException:  # an interruption as well: no half-made environment stays, and it is raised again
            self._take_away(place, tools.layers)
            raise
        findings = (*place.findings, *result.findings)
        return replace(result, created=place.created, written=result.written or place.remade, findings=findings)

    def _as_it_is(self, place: Place, wanted: Wanted) -> SyncResult | None:
        """Note what else was asked for, where that comes to what the environment is; None where it does not."""
        import time

        from multisite.settled import holds
        from multisite.switching import noted

        before = place.before
        if (
            before is None
            or place.environment is None
            or place.is_remade
            or place.findings  # which the whole way tells
            or self.store_root(before) != Path(before.store)
        ):
            return None
        if not holds(str(default_cache(self.environ)), str(place.path), self.environ, time.time()):
            return None
        return noted(place.environment, before, wanted)

    def _demand_apart(self, place: Place) -> None:
        """Refuse to make an environment and a store in one another, before either is made. Raises NotAnEnvironment."""
        from multisite.errors import NotAnEnvironment

        venv = Path(os.path.realpath(place.path))
        for store in self.store_roots(place.before) if place.environment is None else ():
            root = Path(os.path.realpath(store))
            if venv.is_relative_to(root) or root.is_relative_to(venv):
                reason = f"an environment and the store ({store}) cannot lie in one another"
                raise NotAnEnvironment(place.path, reason, hint="choose another folder: --venv DIR or --store DIR")

    def _take_away(self, place: Place, layers: Layers) -> None:
        """Leave nothing of an environment that was made for what has just failed."""
        from multisite.registry import unregister

        if place.environment is None or not place.created:
            return
        state = self.known_state(place.environment)
        place.take_away()
        if state is not None:
            for store in layers.stores:
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
        layers, place = self.known_layers(state), ViewPlace.of(environment)
        before = place.read()
        if whole is None:
            whole = before is not None and before.whole
        view = viewed(environment, state, python=interpreter.key, whole=whole)
        anew = False
        if mend and before == view:
            anew = bool(damaged(place, view, (layers.entry(state.builds[name].build) for name in view.roots)))
        return write_view(environment, interpreter, layers, state, view, anew=anew)

    def _tools(
        self,
        interpreter: Interpreter,
        before: EnvironmentState | None,
        progress: Progress | None,
        addresses: Collection[str],
    ) -> Tools:
        from multisite.cache import Cache
        from multisite.syncing import Tools

        layers, cache = self.layers(before), Cache(default_cache(self.environ))
        return Tools(
            interpreter=interpreter,
            layers=layers,
            cache=cache,
            fetcher=self._fetcher(progress, cache, layers, addresses),
            builder=self._builder(interpreter),
            editables=self._editables(),
            notice=self.notice,
        )

    def fetching(self, progress: Progress) -> tuple[Fetcher, Cache]:
        """Return what fetches, and the cache, where no environment is concerned."""
        from multisite.cache import Cache

        cache = Cache(default_cache(self.environ))
        return self._fetcher(progress, cache, self.layers(), ()), cache

    def _fetcher(self, progress: Progress | None, cache: Cache, layers: Layers, addresses: Collection[str]) -> Fetcher:
        from multisite.credentials import Credentials
        from multisite.fetching import Fetcher
        from multisite.transport import Transport

        known = (*self.indexes.effective(self.environ).addresses(self.environ, Path.cwd()), *addresses)
        transport = None if self.offline else Transport(Credentials(known, environ=self.environ))
        return Fetcher(transport, progress=progress, cache=cache, mirrors=layers.addresses)

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

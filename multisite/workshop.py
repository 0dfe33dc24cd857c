"""The tools that one command works with, made from its options and environment variables when first needed."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.environment import Environment
from multisite.errors import InvalidDocument, NotAnEnvironment, ResolverStopped, UnsupportedFormat
from multisite.interpreter import inspect_interpreter
from multisite.interpreters import find_interpreter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from multisite.building import Builder
    from multisite.editables import Editables
    from multisite.fetching import Progress
    from multisite.indexes import IndexOptions
    from multisite.interpreter import Interpreter
    from multisite.names import BuildId
    from multisite.resolving import UvResolver
    from multisite.state import EnvironmentState, StateProject
    from multisite.store import Store
    from multisite.switching import SyncResult
    from multisite.wanted import Wanted

__all__ = ["Workshop", "default_environment", "default_store"]


def default_store(environ: Mapping[str, str]) -> Path:
    """Return the folder of the store: MULTISITE_STORE, else in the user's data folder.

    Not the cache folder, which people delete.
    """
    if named := environ.get("MULTISITE_STORE"):
        return Path(named).absolute()
    from platformdirs import user_data_path

    return user_data_path("multisite", appauthor=False)


def default_environment(environ: Mapping[str, str]) -> Path:
    """Return the folder of the environment: the active one, else ``.venv`` in the current folder."""
    return Path(environ.get("VIRTUAL_ENV") or ".venv")


class Workshop:
    """The tools of one command."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        store: Path | None = None,
        offline: bool = False,
        indexes: IndexOptions | None = None,
    ) -> None:
        from multisite.indexes import IndexOptions

        self.environ = environ
        self.offline = offline
        self.indexes = indexes or IndexOptions()
        self._store = store
        self._interpreters: dict[Path, Interpreter] = {}

    @cached_property
    def store(self) -> Store:
        """The store, made when it is missing."""
        from multisite.store import Store

        root = self._store.absolute() if self._store else default_store(self.environ)
        return Store.open(Path(os.path.normpath(root)))

    @cached_property
    def uv(self) -> str:
        """The path of uv's program. Raises ResolverStopped."""
        import uv

        try:
            return str(uv.find_uv_bin())
        except FileNotFoundError as error:
            raise ResolverStopped(f"uv is not installed beside multisite: {error}") from error

    def environment(
        self, path: Path, *, python: str | None, system_site_packages: bool = False
    ) -> tuple[Environment, bool]:
        """Return the environment at *path*, and whether it was made just now; *python* is what it is made with."""
        if (path / "pyvenv.cfg").exists():
            environment = Environment.open(path)
            if python is not None:
                self._demand(environment, python)
            return environment, False
        interpreter = find_interpreter(python, self.environ)
        return Environment.create(path, interpreter, system_site_packages=system_site_packages), True

    def _demand(self, environment: Environment, python: str) -> None:
        """Refuse an environment whose interpreter is not the one that was asked for."""
        found = self.interpreter(environment)
        if f"{found.version}.".startswith(python.lower().removeprefix("python") + "."):
            return
        wanted = find_interpreter(python, self.environ)
        if wanted.key != found.key:
            reason = f"it has Python {found.version}, and {python} is {wanted.version}"
            raise NotAnEnvironment(environment.path, reason, hint="remove it first, or choose another: --venv DIR")

    def interpreter(self, environment: Environment) -> Interpreter:
        """Return what the environment's interpreter says of itself."""
        known = self._interpreters.get(environment.path)
        if known is None:
            known = self._interpreters[environment.path] = inspect_interpreter(environment.python)
        return known

    def known_state(self, environment: Environment) -> EnvironmentState | None:
        """Return the environment's state; a damaged one counts as none, for ``sync`` writes it anew."""
        try:
            return environment.read_state()
        except (InvalidDocument, UnsupportedFormat):
            return None

    def resolver(self) -> UvResolver:
        """Return what resolves requirements."""
        from multisite.resolving import UvResolver

        return UvResolver(program=self.uv, environ=self.environ, indexes=self.indexes, offline=self.offline)

    def settings(self) -> tuple[str, ...]:
        """Return what the resolver's answer depends on besides the request: its options and variables."""
        variables = [f"{name}={value}" for name, value in self.environ.items() if name.startswith(("UV_", "PIP_"))]
        return (*self.indexes.effective(self.environ).arguments(), *sorted(variables))

    def editables(self) -> Editables:
        """Return what installs projects editable."""
        from multisite.editables import Editables

        return Editables(program=self.uv, environ=self.environ, indexes=self.indexes, offline=self.offline)

    def _builder(self, environment: Environment) -> Builder:
        from multisite.building import Builder

        return Builder(
            program=self.uv,
            environ=self.environ,
            python=environment.python,
            python_key=self.interpreter(environment).key,
            indexes=self.indexes,
            offline=self.offline,
        )

    def sync(
        self,
        environment: Environment,
        wanted: Wanted,
        *,
        progress: Progress | None = None,
        anew: Collection[BuildId] = (),
        restore: bool = False,
    ) -> SyncResult:
        """Make *environment* what *wanted* says."""
        from multisite.credentials import Credentials
        from multisite.fetching import Fetcher
        from multisite.syncing import sync
        from multisite.transport import Transport

        addresses = self.indexes.effective(self.environ).addresses(self.environ)
        transport = None if self.offline else Transport(Credentials(addresses, environ=self.environ))
        return sync(
            environment,
            wanted,
            interpreter=self.interpreter(environment),
            store=self.store,
            fetcher=Fetcher(transport, progress=progress),
            builder=self._builder(environment),
            anew=anew,
            restore=restore,
        )

    def install_project(self, environment: Environment, project: Path | None) -> StateProject | None:
        """Have *project*, and no other, installed editable in *environment*; return what is installed."""
        from dataclasses import replace

        state = self.known_state(environment)
        if state is None or (project is None and state.project is None):
            return None
        editables = self.editables()
        if project is not None and editables.is_current(state.project, project, environment):
            return state.project
        if state.project is not None:
            editables.uninstall(state.project, environment)
        installed = None if project is None else editables.install(project, environment)
        environment.write_state(replace(state, project=installed))
        return installed

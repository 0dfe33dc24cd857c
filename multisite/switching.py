"""An environment changes from what it is to what is wanted, once the store has everything."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.bootstrap import Bootstrap
from multisite.direct_url import direct_url_text
from multisite.dispatch import Binding, DispatchTable, TableEntry, table_key
from multisite.environment import python_record
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import write_atomic
from multisite.history import keep, prune, remembered
from multisite.installation import apply_installation, plan_installation
from multisite.registry import is_copy, register
from multisite.state import ChosenBuild, EnvironmentState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.installation import InstallationPlan
    from multisite.interpreter import Interpreter
    from multisite.names import BuildId
    from multisite.providing import Provided
    from multisite.report import Finding
    from multisite.sharing import SharedFolder
    from multisite.store import Store
    from multisite.wanted import Wanted

__all__ = ["Change", "Switch", "SyncResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A distribution that came (``before`` is None), went (``after`` is None), or is another build."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What a sync did. ``written`` tells whether it wrote anything into the environment at all."""

    environment: Path
    changes: tuple[Change, ...]
    total: int
    fetched: int
    built: int
    written: bool
    findings: tuple[Finding, ...] = ()


class Switch:
    """The change of one environment; ``provided`` is what it is to hold, ``shared`` the folders of some of these."""

    def __init__(
        self,
        environment: Environment,
        wanted: Wanted,
        *,
        interpreter: Interpreter,
        store: Store,
        provided: Sequence[Provided],
        shared: Mapping[BuildId, SharedFolder],
    ) -> None:
        self.environment = environment
        self.wanted = wanted
        self.interpreter = interpreter
        self.store = store
        self.provided = provided
        self.shared = shared
        self.bootstrap = Bootstrap(prefix=environment.path, site_packages=environment.site_packages)
        self.before = _known_state(environment)
        self.table = DispatchTable.compile(self._row(item.stored) for item in provided)
        self.key = self._key()

    def carry_out(self, *, restore: bool = False) -> SyncResult:
        """Write what differs; the table and the lockfile last, so that until then the environment is the old one."""
        plan = plan_installation(
            self.environment,
            self.interpreter,
            [item.stored for item in self.provided],
            owned={} if self.before is None else self.before.files,
            restore=restore,
        )
        state = self._state(plan)
        self._install(plan, state)
        written = [
            bool(plan),
            self._write_direct_urls(state.builds),
            self.bootstrap.write(
                python=self.environment.python, cache_tag=self.interpreter.cache_tag, store=self.store.root
            ),
            keep(self.environment, self.wanted.lock.sha256, self.wanted.data),
            self._share_table(),
            self._register(state),
            self.environment.write_state(state),
            self._write_table_and_lockfile(state),
        ]
        prune(self.environment, state)
        return SyncResult(
            environment=self.environment.path,
            changes=self._changes(state.builds),
            total=len(state.builds),
            fetched=sum(item.fetched for item in self.provided),
            built=sum(item.built for item in self.provided),
            written=any(written),
            findings=plan.findings,
        )

    def _install(self, plan: InstallationPlan, state: EnvironmentState) -> None:
        """Carry out *plan*, but first write down whose the files are that will be there and those that are."""
        if plan:
            earlier = {} if self.before is None else self.before.files
            self.environment.write_state(replace(self.before or state, files={**state.files, **earlier}))
            apply_installation(plan, self.environment)

    def _row(self, stored: StoredDistribution) -> TableEntry:
        manifest = stored.manifest
        shared = self.shared.get(stored.id)
        return TableEntry(
            name=manifest.name,
            version=manifest.version,
            root=stored.root if shared is None else shared.root,
            dist_info=manifest.dist_info,
            build=manifest.build,
            top_level=tuple(manifest.top_level),
            pth=manifest.pth,
            start=manifest.start,
            entry_points=manifest.entry_points,
        )

    def _key(self) -> str:
        return table_key(
            lock_sha256=self.wanted.lock.sha256,
            extras=self.wanted.selection.extras,
            groups=self.wanted.selection.groups,
            python=self.interpreter.key,
            builds={
                item.pinned.name: f"{item.stored.id.version}/{item.stored.id.build}"
                for item in self.provided
                if item.artifact is None
            },
        )

    def _chosen(self, item: Provided) -> ChosenBuild:
        name, shared = item.pinned.name, self.shared.get(item.stored.id)
        before = None if self.before is None else self.before.builds.get(name)
        requested = self.wanted.requested
        return ChosenBuild(
            build=item.stored.id,
            artifact=item.artifact,
            shared=None if shared is None else shared.digest,
            requested=(before is not None and before.requested) if requested is None else name in requested,
            direct_url=direct_url_text(item.pinned, self.wanted.base),
        )

    def _state(self, plan: InstallationPlan) -> EnvironmentState:
        before, sha256 = self.before, self.wanted.lock.sha256
        return EnvironmentState(
            id=self._id(),
            store=str(self.store.root),
            lockfile=_relative(self.wanted.target, self.environment.path),
            lock_sha256=sha256,
            python=python_record(self.interpreter),
            request=self.wanted.request,
            selection=self.wanted.selection,
            builds={item.pinned.name: self._chosen(item) for item in self.provided},
            files=plan.files,
            installs=plan.installs,
            project=None if before is None else before.project,
            history=() if before is None else remembered(before, sha256, self._known().get(before.lock_sha256)),
        )

    def _id(self) -> str:
        """Return the environment's id: a new one where it is new, or a copy of one that is still there."""
        if self.before is None or is_copy(self.store.root, self.before.id, self.environment.path):
            return uuid.uuid4().hex
        return self.before.id

    def _known(self) -> dict[str, str]:
        """Return the keys of the tables of earlier lockfiles, by the lockfile's hash."""
        known = {} if self.before is None else {item.lock_sha256: item.table for item in self.before.history}
        try:
            binding, _ = DispatchTable.decode(self.bootstrap.table.read_bytes(), self.bootstrap.table)
        except (FileNotFoundError, InvalidDocument, UnsupportedFormat):
            return known
        return {**known, **{sha256: key for sha256, (key, _) in binding["known"].items()}}

    def _share_table(self) -> bool:
        """Keep the compiled table in the store, for environments with the same lockfile and for this one's return."""
        if self.store.read_table(self.key) is not None:
            return False
        self.store.write_table(self.key, self.table.encode())
        return True

    def _register(self, state: EnvironmentState) -> bool:
        return register(
            self.store.root,
            self.environment,
            id=state.id,
            builds=[chosen.build for chosen in state.builds.values()],
            shared=sorted({chosen.shared for chosen in state.builds.values() if chosen.shared}),
            history=state.history,
        )

    def _write_direct_urls(self, builds: Mapping[NormalizedName, ChosenBuild]) -> bool:
        """Write what ``importlib.metadata`` reads as ``direct_url.json`` (PEP 610), and remove what it no longer is."""
        folder = self.environment.state_folder / "facts"
        wanted = {f"{name}.direct_url.json": chosen.direct_url for name, chosen in builds.items() if chosen.direct_url}
        folder.mkdir(exist_ok=True)
        present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.direct_url.json")}
        for name in present.keys() - wanted.keys():
            (folder / name).unlink()
        changed = {name: text for name, text in wanted.items() if present.get(name) != text}
        for name, text in changed.items():
            write_atomic(folder / name, text.encode())
        return bool(changed or present.keys() - wanted.keys())

    def _write_table_and_lockfile(self, state: EnvironmentState) -> bool:
        """Replace the table, then the lockfile that it is bound to.

        Between the two the table knows the old lockfile, and the start-up code takes that one's table from the store.
        """
        target = self.wanted.target
        same = _content(target) == self.wanted.data
        temporary = target if same else target.with_name(f".{target.name}.{uuid.uuid4().hex[:16]}.tmp")
        try:
            if not same:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(temporary, self.wanted.data)
            found = temporary.stat()
            table = self.table.encode(self._binding(state, found))
            changed = not self._is_in_force(table)
            if changed:
                write_atomic(self.bootstrap.table, table)
            if not same:
                temporary.replace(target)
        finally:
            if not same:
                temporary.unlink(missing_ok=True)
        if changed:
            # Whoever keeps what they found in this folder by its time looks again (stevedore; a running FileFinder).
            os.utime(self.environment.site_packages)
        return changed or not same

    def _binding(self, state: EnvironmentState, lockfile: os.stat_result) -> Binding:
        known = {**self._known(), state.lock_sha256: self.key}
        remembered_locks = {item.lock_sha256 for item in state.history} | {state.lock_sha256}
        return Binding(
            id=state.id,
            stores=(str(self.store.root),),
            lockfile=state.lockfile,
            size=lockfile.st_size,
            mtime_ns=lockfile.st_mtime_ns,
            sha256=state.lock_sha256,
            known={sha256: (key, None) for sha256, key in known.items() if sha256 in remembered_locks},
        )

    def _is_in_force(self, table: bytes) -> bool:
        """Tell whether the table file says the same; marshalled bytes may differ for equal values."""
        path = self.bootstrap.table
        try:
            return DispatchTable.decode(path.read_bytes(), path) == DispatchTable.decode(table, path)
        except (FileNotFoundError, InvalidDocument, UnsupportedFormat):
            return False

    def _changes(self, builds: Mapping[NormalizedName, ChosenBuild]) -> tuple[Change, ...]:
        old = {} if self.before is None else {name: chosen.build for name, chosen in self.before.builds.items()}
        new = {name: chosen.build for name, chosen in builds.items()}
        return tuple(
            Change(name=name, before=_version(old.get(name)), after=_version(new.get(name)))
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        )


def _known_state(environment: Environment) -> EnvironmentState | None:
    """Read environment.json; a damaged one is made anew, and what it alone knew (what was asked for) is lost."""
    try:
        return environment.read_state()
    except (InvalidDocument, UnsupportedFormat):
        return None


def _relative(path: Path, folder: Path) -> str:
    """Return *path* relative to *folder* with ``/``; on another drive, whole."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.as_posix()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _version(build: BuildId | None) -> str | None:
    return None if build is None else build.version

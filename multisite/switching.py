"""An environment changes from what it is to what is wanted, once the store has everything.

The order is what keeps it whole, at whatever moment the process dies: first what it will be is written down, then files
are added that it will need, then table and lockfile change, which is the step that counts, then files are taken out
that it needed before.
"""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.activation import follow_move
from multisite.bootstrap import PTH_NAME, Bootstrap
from multisite.condemned import await_verdict
from multisite.direct_url import direct_url_text
from multisite.dispatch import DispatchTable, TableEntry, table_key
from multisite.editables import EditableSet, editable_version
from multisite.edits import edit_findings, find_edits
from multisite.environment import default_prompt, python_record
from multisite.errors import EntryMissing, InvalidDocument
from multisite.files import write_atomic
from multisite.history import keep, prune
from multisite.installation import apply_installation, plan_installation
from multisite.lockstep import Lockstep
from multisite.real import really_installed
from multisite.recall import announce, clean_up, conclude, recall
from multisite.registry import is_copy
from multisite.report import Finding, Severity
from multisite.result import Change, SyncResult
from multisite.sitemetadata import removable, site_metadata
from multisite.state import ChosenBuild, EnvironmentState
from multisite.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.installation import InstallationPlan, PlannedFile
    from multisite.interpreter import Interpreter
    from multisite.layers import Layers
    from multisite.names import BuildId
    from multisite.providing import Provided
    from multisite.sharing import SharedFolder
    from multisite.state import OwnedFile, StateProject
    from multisite.wanted import Wanted

__all__ = ["Switch", "noted"]

# Another account's store: tables are shared by whoever may write there.
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Switch:
    """The change of one environment; ``provided`` is what it is to hold, ``shared`` the folders of some of these.

    The *layers* have all that it needs. ``projects`` are installed already; ``take_out`` removes one that is no longer
    wanted.
    """

    def __init__(
        self,
        environment: Environment,
        wanted: Wanted,
        *,
        interpreter: Interpreter,
        layers: Layers,
        provided: Sequence[Provided],
        shared: Mapping[BuildId, SharedFolder],
        projects: EditableSet,
        take_out: Callable[[StateProject], None],
    ) -> None:
        self.environment = environment
        self.wanted = wanted
        self.interpreter = interpreter
        self.layers = layers
        self.store = layers.first
        self.provided = provided
        self.shared = shared
        self.projects = projects
        self.take_out = take_out
        recalled = recall(environment)
        self.before = None if recalled is None else recalled.state
        self.owned = self._owned(whole=recalled is None or recalled.whole)
        self.table = DispatchTable.compile(self._row(item.stored) for item in provided)
        self.key = self._key()
        self.edits = find_edits(environment)
        self.usage = Usage(
            environment,
            self.before,
            layers=layers,
            entries=[item.stored for item in provided],
            shared=shared,
            edits=self.edits,
        )

    def carry_out(self, *, restore: bool = False) -> SyncResult:
        """Write what differs; with *restore*, also files that were changed since they were written."""
        # What is really installed counts as not locked: its programs are what the other installer wrote.
        real = really_installed(self.environment.site_packages)
        plan = plan_installation(
            self.environment,
            self.interpreter,
            [item.stored for item in self.provided if item.pinned.name not in real],
            owned=removable(self.environment, self.owned),
            beside=self._site_metadata(),
            restore=restore,
        )
        state = self._state(plan)
        if self.usage.register(state, table=self.key, write=False):
            self.store.demand_writable()
        clean_up(self.environment, Path(os.path.realpath(self.wanted.target)))
        if state != self.before:
            announce(self.environment, state)
        apply_installation(plan.adding, self.environment)
        written = [bool(plan), keep(self.environment, state.lock_sha256, self.wanted.data)]
        self.usage.register(state, table=self.key, write=True)
        self._share_table()
        written += [step() for step in self._decisive_steps(state)]
        left_alone = tuple(self._leave_own_lockfile(state))
        apply_installation(plan.taking_away, self.environment)
        for project in self.projects.gone:
            self.take_out(project)
        written += [self._follow_move(), self._write_direct_urls(state.builds), conclude(self.environment, state)]
        prune(self.environment, state)
        self.usage.leave_the_rest()
        plan = replace(plan, findings=(*plan.findings, *left_alone, *edit_findings(self.edits, self.before, state)))
        return self._result(plan, state, written=any(written) or self.projects.changed)

    @property
    def _has_site_metadata(self) -> bool:
        wanted = self.wanted.site_metadata
        return (self.before is not None and self.before.site_metadata) if wanted is None else wanted

    def _site_metadata(self) -> Iterator[PlannedFile]:
        if self._has_site_metadata:
            requested = [item.pinned.name for item in self.provided if self._chosen(item).requested]
            yield from site_metadata(self.environment, [item.stored for item in self.provided], requested)

    def _decisive_steps(self, state: EnvironmentState) -> Iterator[Callable[[], bool]]:
        """Return what puts the new lock in force; a finder that is not there yet must not start without a table."""
        steps = [self._write_bootstrap, lambda: self._lockstep().write(state)]
        is_new = not (self.environment.site_packages / PTH_NAME).exists()
        return reversed(steps) if is_new else iter(steps)

    def _write_bootstrap(self) -> bool:
        bootstrap = Bootstrap(prefix=self.environment.path, site_packages=self.environment.site_packages)
        return bootstrap.write(
            python=self.environment.python,
            cache_tag=self.interpreter.cache_tag,
            store=self.store.root,
            trust=self.layers.trust,
        )

    def _lockstep(self) -> Lockstep:
        known = {**self.usage.known, self.wanted.lock.sha256: (self.key, self.usage.places)}
        return Lockstep(
            environment=self.environment,
            table=self.table,
            data=self.wanted.data,
            target=self.wanted.target,
            known=known,
            layers=self.usage.places,
            trusted=self.layers.trust.numbers,
        )

    def _owned(self, *, whole: bool) -> Mapping[str, OwnedFile]:
        """Return the files that are ours; where that was lost, those that are as the former builds would have them."""
        if self.before is None or whole:
            return {} if self.before is None else self.before.files
        entries = []
        for chosen in self.before.builds.values():
            try:
                entries.append(self.layers.entry(chosen.build))
            except (EntryMissing, InvalidDocument):
                continue
        return plan_installation(self.environment, self.interpreter, entries, owned={}).files

    def _row(self, stored: StoredDistribution) -> TableEntry:
        manifest = stored.manifest
        shared = self.shared.get(stored.id)
        return TableEntry(
            name=manifest.name,
            version=manifest.version,
            root=stored.root if shared is None else shared.root,
            dist_info=manifest.dist_info,
            build=manifest.build,
            shown=manifest.shown,
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
            store=self.layers.index(item.stored.store_root),
            artifact=item.artifact,
            shared=None if shared is None else shared.digest,
            requested=(before is not None and before.requested) if requested is None else name in requested,
            direct_url=direct_url_text(item.pinned, self.wanted.base),
        )

    def _state(self, plan: InstallationPlan) -> EnvironmentState:
        sha256 = self.wanted.lock.sha256
        return EnvironmentState(
            id=self._id(),
            store=str(self.store.root),
            layers=self.usage.layers,
            lockfile=_relative(self.wanted.target, self.environment.path),
            lock_sha256=sha256,
            python=python_record(self.interpreter),
            request=self.wanted.request,
            selection=self.wanted.selection,
            builds={item.pinned.name: self._chosen(item) for item in self.provided},
            files=plan.files,
            installs=plan.installs,
            project=self.projects.project,
            editables=self.projects.others,
            edits=self.edits.binding(self.environment),
            site_metadata=self._has_site_metadata,
            history=self.usage.history(sha256),
        )

    def _id(self) -> str:
        """Return the environment's id: a new one where it is new, or a copy of one that is still there."""
        before, path = self.before, self.environment.path
        # The first store may be one that only this command names: the other environment is known where it uses one.
        if before is None or any(is_copy(store.root, before.id, path) for store in self.layers.stores):
            return uuid.uuid4().hex
        return before.id

    def _share_table(self) -> None:
        """Keep the compiled table in the store, for environments with the same lockfile and for this one's return."""
        # The registration names it; garbage collection may have looked before.
        await_verdict(self.store.root, [f"tables/{self.key}"], notice=lambda text: None)  # noqa: ARG005
        if self.store.read_table(self.key) is not None or not self.store.is_ours_to_write:
            return
        try:
            with self.layers.opened():
                self.store.write_table(self.key, self.table.encode())
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise

    def _follow_move(self) -> bool:
        environment = self.environment
        prompt = environment.configuration.get("prompt", "").strip("'\"") or default_prompt(environment.path)
        return follow_move(environment.scripts, environment=environment.path, prompt=prompt)

    def _leave_own_lockfile(self, state: EnvironmentState) -> Iterator[Finding]:
        """Take out a lockfile in the environment that it no longer follows, unless somebody changed it."""
        path = self.environment.lockfile
        if _is_same(path, self.wanted.target) or not path.is_file():
            return
        known = {state.lock_sha256, *(item.lock_sha256 for item in state.history)}
        if hashlib.sha256(path.read_bytes()).hexdigest() in known:
            path.unlink()
        else:
            message = f"{path} is not the environment's lockfile, which is {self.wanted.target}; it is left alone"
            yield Finding(check="files", severity=Severity.NOTE, message=message)

    def _write_direct_urls(self, builds: Mapping[NormalizedName, ChosenBuild]) -> bool:
        """Write what ``importlib.metadata`` reads as ``direct_url.json`` (PEP 610), and remove what it no longer is."""
        folder = self.environment.state_folder / "facts"
        wanted = {
            f"{name}.direct_url.json": chosen.direct_url.encode()
            for name, chosen in builds.items()
            if chosen.direct_url is not None
        }
        present = {path.name: path.read_bytes() for path in folder.glob("*.direct_url.json")}
        gone = present.keys() - wanted.keys()
        for name in gone:
            (folder / name).unlink()
        changed = {name: text for name, text in wanted.items() if present.get(name) != text}
        for name, text in changed.items():
            write_atomic(folder / name, text)
        return bool(changed or gone)

    def _result(self, plan: InstallationPlan, state: EnvironmentState, *, written: bool) -> SyncResult:
        old, new = _versions(self.before), _versions(state)
        return SyncResult(
            environment=self.environment.path,
            lockfile=self.wanted.target,
            changes=tuple(
                Change(name=name, before=old.get(name, (None,))[0], after=new.get(name, (None,))[0])
                for name in sorted(old.keys() | new.keys())
                if old.get(name) != new.get(name)
            ),
            total=len(new),
            fetched=sum(item.fetched for item in self.provided),
            built=sum(item.built for item in self.provided),
            written=written,
            findings=plan.findings,
        )


def noted(environment: Environment, before: EnvironmentState, wanted: Wanted) -> SyncResult | None:
    """Note who asked for what *environment*, which is whole, has already; None where *wanted* is something else."""
    same = wanted.lock.sha256 == before.lock_sha256 and wanted.selection == before.selection
    same = same and wanted.site_metadata in (None, before.site_metadata) and wanted.project is None
    if not same or wanted.addresses or wanted.target != environment.lockfile_of(before):
        return None
    state = replace(before, request=wanted.request)
    if wanted.requested is not None:
        named = {name: replace(item, requested=name in wanted.requested) for name, item in before.builds.items()}
        if before.site_metadata and named != before.builds:
            return None
        state = replace(state, builds=named)
    written = state != before and environment.write_state(state)
    return SyncResult(
        environment=environment.path,
        lockfile=wanted.target,
        changes=(),
        total=len(before.builds),
        fetched=0,
        built=0,
        written=written,
    )


def _versions(state: EnvironmentState | None) -> dict[str, tuple[str, object]]:
    """Return the version of each distribution, and what else tells it from another of the same version."""
    if state is None:
        return {}
    projects = [*state.editables, *([state.project] if state.project else [])]
    found: dict[str, tuple[str, object]] = {
        name: (chosen.build.version, chosen.build.build) for name, chosen in state.builds.items()
    }
    return {**found, **{item.name: (f"{editable_version(item)} (editable)", item.path) for item in projects}}


def _is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def _relative(path: Path, folder: Path) -> str:
    """Return *path* relative to *folder* with ``/``; whole where that would lead elsewhere."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:
        return path.as_posix()
    # The start-up code leaves ".." to the system, which follows links first.
    same = os.path.realpath(folder / relative) == os.path.realpath(path)
    return Path(relative).as_posix() if same else path.as_posix()

"""The examiner's eyes: reads an environment and its stores once, and changes nothing."""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from multisite.bootstrap import Bootstrap
from multisite.content import interpreter_line
from multisite.dispatch import DispatchTable
from multisite.doctor.contents import examine_build, examine_shared
from multisite.doctor.examination import Examination, ExaminedBuild, ExaminedEdit, ExaminedFile, ExaminedView
from multisite.doctor.probing import ask
from multisite.doctor.real import real_distributions
from multisite.doctor.trust import doubts
from multisite.edits import find_edits, original
from multisite.errors import (
    InterpreterNotUsable,
    InvalidDocument,
    InvalidRequest,
    MultisiteError,
    StoreNotUsable,
    UnsupportedFormat,
    told,
)
from multisite.layers import listed, moved
from multisite.layout import is_store
from multisite.lockfile import Lock, WheelSource
from multisite.recall import recall
from multisite.registry import Registration
from multisite.remaking import Ruin, own_interpreter, starts_unlocked
from multisite.store import Store
from multisite.trust import Trust
from multisite.view import ViewPlace, damaged, viewed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from multisite.dispatch import DispatchTable as Table
    from multisite.doctor.examination import Answer, SharedFiles
    from multisite.environment import Environment
    from multisite.interpreter import Interpreter
    from multisite.state import ChosenBuild, EnvironmentState, OwnedFile, StateProject

__all__ = ["look"]

_Value = TypeVar("_Value")
# Waiting for the disk more than for the processor; hashing frees the interpreter's lock.
_THREADS = 8
# More than the longest path, twice.
_HEAD = 1 << 14


def look(
    environment: Environment, *, environ: Mapping[str, str], stores: Sequence[Path] = (), deep: bool = False
) -> Examination:
    """Read everything that the checks ask about; with *deep*, the content of every file.

    *environ* is what its interpreter is started with. *stores*, or else its ``MULTISITE_STORE``, say where the
    environment's own stores are now, as for the interpreter.
    """
    named = tuple(stores) or listed(environ.get("MULTISITE_STORE", ""))
    return _Looking(environment, environ, named, deep).examination()


@dataclass(frozen=True, slots=True)
class _Looking:
    environment: Environment
    environ: Mapping[str, str]
    named: tuple[Path | None, ...]
    deep: bool

    def examination(self) -> Examination:
        """Look at one thing after the other, each with what is known by then."""
        unreadable = _Reasons()
        remedies: dict[str, str | None] = {}
        seen = Examination(
            environment=self.environment,
            deep=self.deep,
            unreadable=unreadable,
            remedies=remedies,
            forbidden=unreadable.forbidden,
        )
        state = _readable("state", unreadable, lambda: self._state(remedies))
        table = _readable("table", unreadable, self._table)
        interpreter = self._interpreter(unreadable, remedies)
        seen = replace(seen, state=state, interpreter=interpreter)
        if table is not None:
            seen = replace(seen, binding=table[0], table=table[1])
        seen = replace(
            seen,
            lock=_readable("lockfile", unreadable, lambda: self._lock(state)),
            bootstrap=self._bootstrap.differences(),
            real=real_distributions(self.environment.site_packages),
            stores=self._store_folders(seen),
        )
        if state is None:
            return seen
        seen = replace(
            seen,
            files=self._files(state),
            programs=self._programs(),
            projects=tuple(self._incomplete(state)),
            python=_size_and_time(Path(state.python.executable)),
        )
        seen = self._with_edits(seen, state)
        needed = _needed(state, seen)
        stores = _readable("store", unreadable, lambda: _open(seen.stores, needed, remedies))
        if stores is not None:
            builds = self._builds(state, stores)
            seen = replace(
                seen,
                builds=builds,
                view=self._view(state, builds, unreadable),
                shared=self._shared(seen, builds, stores),
                registered=_registered(stores[0].root, state.id, remedies),
                can_register=_can_register(stores[0].root),
                doubts=_readable("trust", unreadable, lambda: doubts(self.environ, stores, seen.rows, builds)) or (),
                absent=tuple(root for at, root in enumerate(seen.stores) if at not in stores),
            )
        if interpreter is not None:
            seen = replace(seen, pinned=_readable("pinned", unreadable, lambda: _pinned(seen.lock, state, interpreter)))
            seen = replace(seen, answer=_readable("answer", unreadable, lambda: self._answer(seen)))
        return seen

    @property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(prefix=self.environment.path, site_packages=self.environment.site_packages)

    def _state(self, remedies: dict[str, str | None]) -> EnvironmentState:
        try:
            state = self.environment.read_state()
            recall(self.environment)  # what a later multisite has begun is its own affair
        except UnsupportedFormat as error:
            remedies["state"] = error.hint
            raise
        if state is None:
            raise MultisiteError(f"{self.environment.state_file} is missing: no sync has ended here")
        return state

    def _interpreter(self, unreadable: _Reasons, remedies: dict[str, str | None]) -> Interpreter | None:
        """Return the interpreter; where it does not start, note the command that gives the environment another."""
        environment = self.environment
        try:
            return own_interpreter(environment)
        except InterpreterNotUsable as error:
            unreadable["interpreter"] = str(error)
            ruin = Ruin.of(environment, error)
            remedies["interpreter"] = None if ruin is None else ruin.remedy(self.environ)
            if ruin is None and starts_unlocked(environment) is not None:
                unreadable["interpreter"] += "\nIt starts without the finder: something that is locked ends it"
                remedies["interpreter"] = f"lock without it: multisite lock --venv {shlex.quote(str(environment.path))}"
            return None

    def _lock(self, state: EnvironmentState | None) -> Lock:
        path = self.environment.lockfile if state is None else self.environment.lockfile_of(state)
        return Lock.parse(path.read_bytes(), path)

    def _table(self) -> tuple[Mapping[str, object], Table]:
        path = self._bootstrap.table
        return DispatchTable.decode(path.read_bytes(), path)

    def _store_folders(self, seen: Examination) -> tuple[str, ...]:
        known: tuple[str, ...] = seen.binding.get("stores", ()) or (() if seen.state is None else seen.state.stores)
        return moved(known, self.named) or tuple(str(path) for path in self.named if path is not None)

    def _builds(self, state: EnvironmentState, stores: Mapping[int, Store]) -> dict[NormalizedName, ExaminedBuild]:
        chosen, trust = list(state.builds.values()), self._trust()
        with ThreadPoolExecutor(_THREADS) as pool:
            done = pool.map(lambda item: self._build(item, stores, trust), chosen)
            return {item.build.name: examined for item, examined in zip(chosen, done, strict=True)}

    def _trust(self) -> Trust:
        try:
            return Trust.of(self.environ)
        except InvalidRequest:  # as the check of trust says
            return Trust()

    def _build(self, chosen: ChosenBuild, stores: Mapping[int, Store], trust: Trust) -> ExaminedBuild:
        if chosen.store not in stores:
            return ExaminedBuild(chosen=chosen, is_missing=True)
        return examine_build(chosen, stores[chosen.store], trust, deep=self.deep)

    def _shared(
        self, seen: Examination, builds: Mapping[NormalizedName, ExaminedBuild], stores: Mapping[int, Store]
    ) -> dict[str, SharedFiles]:
        roots = {row[2]: Path(seen.store_of(at)) for at, row in enumerate(seen.rows)}
        groups: dict[str, list[ExaminedBuild]] = {}
        for build in builds.values():
            if build.chosen.shared is not None:
                groups.setdefault(build.chosen.shared, []).append(build)
        found, trust = {}, self._trust()
        for digest, group in groups.items():
            members = [build.stored for build in group if build.stored is not None]
            root = roots.get(f"shared/{digest}/site-packages", stores[0].root)
            if len(members) == len(group):
                found[digest] = examine_shared(root, members, trust, deep=self.deep)
        return found

    def _files(self, state: EnvironmentState) -> dict[str, ExaminedFile]:
        scripts = f"{self.environment.scripts.name}/"
        return {
            path: self._file(path, owned, is_script=path.startswith(scripts)) for path, owned in state.files.items()
        }

    def _incomplete(self, state: EnvironmentState) -> Iterator[tuple[StateProject, str]]:
        """Yield the editable projects of which something is gone, and what that is."""
        folder = self.environment.path
        for project in (*([state.project] if state.project else ()), *state.editables):
            gone = [path for path in (project.path, *project.files) if not os.path.lexists(folder / path)]
            if gone:
                yield project, gone[0]

    def _programs(self) -> frozenset[str]:
        folder = self.environment.scripts
        return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()

    def _with_edits(self, seen: Examination, state: EnvironmentState) -> Examination:
        edits, bound = find_edits(self.environment), seen.binding.get("edits", {})
        locked = {chosen.root for chosen in state.builds.values()}
        examined = []
        for edit in edits.found:
            source = original(map(Path, seen.stores), edit.root)
            examined.append(
                ExaminedEdit(
                    edit=edit,
                    is_bound=bound.get(edit.root) == edit.private_root(self.environment),
                    is_locked=edit.root in locked,
                    difference=None if source is None else edit.difference(source, exact=self.deep),
                )
            )
        return replace(seen, edits=tuple(examined), damaged_edits=edits.damaged)

    def _view(
        self, state: EnvironmentState, builds: Mapping[NormalizedName, ExaminedBuild], unreadable: _Reasons
    ) -> ExaminedView | None:
        place = ViewPlace.of(self.environment)
        view = _readable("view", unreadable, place.read)
        if view is None:
            return ExaminedView(folder=place.folder) if "view" in unreadable else None
        wanted = viewed(self.environment, state, python=state.python.key, whole=view.whole)
        if view != wanted:
            return ExaminedView(folder=place.folder, is_stale=True)
        stored = [build.stored for name, build in builds.items() if build.stored is not None and name in view.roots]
        return ExaminedView(folder=place.folder, damage=damaged(place, view, stored))

    def _file(self, path: str, owned: OwnedFile, *, is_script: bool) -> ExaminedFile:
        file = self.environment.path / path
        try:
            facts = file.lstat()
            if not stat.S_ISREG(facts.st_mode):
                kind = (
                    "a folder"
                    if stat.S_ISDIR(facts.st_mode)
                    else "a link"
                    if stat.S_ISLNK(facts.st_mode)
                    else "no file"
                )
                return ExaminedFile(owned=owned, found=kind, is_script=is_script)
            size = facts.st_size
            with file.open("rb") as stream:
                head = stream.read(_HEAD)
                # Programs of a hundred megabytes come as scripts.
                whole = head + (stream.read() if size == owned.size and (self.deep or size < 1 << 20) else b"")
        except OSError:
            return ExaminedFile(owned=owned, found="missing", is_script=is_script)
        same = size == owned.size and (len(whole) < size or hashlib.sha256(whole).hexdigest() == owned.sha256)
        named = interpreter_line(head) if is_script else None
        return ExaminedFile(
            owned=owned,
            found="same" if same else "changed",
            is_script=is_script,
            is_executable=os.access(file, os.X_OK),
            interpreter=named and named[0],
        )

    def _answer(self, seen: Examination) -> Answer:
        rows, names = seen.rows, {} if seen.table is None else seen.table.plain["names"]
        owners = {name: found if isinstance(found, tuple) else (found,) for name, found in names.items()}
        return ask(
            self.environment.python,
            runtime=self._bootstrap.runtime,
            # The program that asks is a module of that name itself.
            modules={name: [seen.root(at) for at in found] for name, found in owners.items() if name != "__main__"},
            # By the folder's spelling: 3.8 and 3.9 know no other.
            distributions={row[0]: row[3].partition("-")[0] for row in rows},
            environ=self.environ,
            stores=self.named,
            imports=self.deep,
        )


class _Reasons(dict[str, str]):
    """Why parts cannot be read; ``forbidden`` are those that this account may not read."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: set[str] = set()


def _readable(part: str, unreadable: _Reasons, read: Callable[[], _Value]) -> _Value | None:
    """Return what *read* returns; where it cannot, None, with the reason in *unreadable*."""
    try:
        return read()
    except (MultisiteError, OSError) as error:
        unreadable[part] = told(error)
        if isinstance(error, PermissionError) or isinstance(error.__cause__, PermissionError):
            unreadable.forbidden.add(part)
        return None


def _needed(state: EnvironmentState, seen: Examination) -> set[int]:
    """Return the places of the stores that something locked is in, and of the first."""
    layers: Sequence[int] = seen.binding.get("layers") or ()
    return {0, *(chosen.store for chosen in state.builds.values()), *layers}


def _open(folders: tuple[str, ...], needed: set[int], remedies: dict[str, str | None]) -> dict[int, Store]:
    """Open the stores, by their places; those that are missing are left out where nothing is *needed* of them."""
    there = {}
    for at, folder in enumerate(folders):
        if is_store(Path(folder)):  # opening it would make it
            there[at] = Path(folder)
        elif at in needed:
            raise StoreNotUsable(folder, "there is no store")
    try:
        return {at: Store.open(folder) for at, folder in there.items()}
    except MultisiteError as error:
        remedies["store"] = error.hint
        raise


def _registered(store_root: Path, identity: str, remedies: dict[str, str | None]) -> str | None:
    path = store_root / "environments" / f"{identity}.json"
    try:
        return str(Registration.from_document(path.read_bytes(), path).path)
    except UnsupportedFormat as error:
        remedies["registration"] = error.hint
        return None
    except (OSError, InvalidDocument):
        return None  # a sync writes it anew


def _can_register(store_root: Path) -> bool:
    folder = store_root / "environments"
    return os.access(folder if folder.exists() else store_root, os.W_OK)


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _pinned(
    lock: Lock | None, state: EnvironmentState, interpreter: Interpreter
) -> dict[NormalizedName, tuple[str | None, str | None]] | None:
    if lock is None:
        return None
    selection = state.selection
    pinned = lock.select(interpreter.tags, interpreter.marker_environment, selection.extras, selection.groups)
    return {
        item.name: (item.version, item.source.hashes.get("sha256") if isinstance(item.source, WheelSource) else None)
        for item in pinned
    }

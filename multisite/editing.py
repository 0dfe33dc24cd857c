"""Private copies are made and given up: first a plan says what will be, then it is carried out.

The caller holds the environment. A copy is complete before the table leads to it, and the table leads elsewhere before
it is removed; so whoever dies in between leaves an environment that works, and the next command finds the copy by what
it says of itself.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.bootstrap import Bootstrap
from multisite.edits import Difference, Edit, find_edits, is_executable, make_edit, original, remove_edit
from multisite.errors import EntryMissing, InvalidRequest, NotAnEnvironment, UnsavedChanges
from multisite.files import write_atomic
from multisite.lockstep import rebind
from multisite.names import normalize
from multisite.patches import file_patch
from multisite.real import really_installed
from multisite.recall import read_binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from multisite.edits import Edits
    from multisite.environment import Environment
    from multisite.interpreter import Interpreter
    from multisite.names import BuildId
    from multisite.state import ChosenBuild, EnvironmentState

__all__ = [
    "Copying",
    "GivingUp",
    "carry_out",
    "demand_consent",
    "give_up",
    "plan_copies",
    "plan_giving_up",
    "write_patch",
]

_LISTED = "see what is locked: multisite list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """A private copy that is to be: of the folder ``source``, ``root`` in the store. ``made`` is one that is there."""

    source: Path
    root: str
    builds: tuple[BuildId, ...]
    made: Edit | None = None

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.builds[0].name} {self.builds[0].version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivingUp:
    """A private copy that is to go. ``source`` is None where the store has not what it was made from.

    ``difference`` is what goes with it, None where that cannot be told.
    """

    edit: Edit
    source: Path | None
    difference: Difference | None


def plan_copies(
    environment: Environment, state: EnvironmentState, names: Sequence[str], stores: Sequence[Path]
) -> tuple[Copying, ...]:
    """Return what is to be copied for the distributions *names*. Raises InvalidRequest, NotAnEnvironment, EntryMissing.

    Distributions that share a folder are copied together, for they look for each other in there.
    """
    _demand_settled(environment, state)
    problems = _not_to_be_copied(environment, state, names)
    if problems:
        raise InvalidRequest("; ".join(problems), hint=_LISTED)
    known = find_edits(environment).by_root()
    plans: dict[str, Copying] = {}
    for name in map(normalize, names):
        chosen = state.builds[name]
        root = chosen.root
        source = original(stores, root)
        if source is None:
            raise EntryMissing(str(chosen.build), stores[0])
        others = tuple(other.build for other in _sharing(state, chosen) if other.build != chosen.build)
        copying = Copying(source=source, root=root, builds=(chosen.build, *others), made=known.get(root))
        plans.setdefault(root, copying)
    return tuple(plans.values())


def _sharing(state: EnvironmentState, chosen: ChosenBuild) -> Iterable[ChosenBuild]:
    return (other for other in state.builds.values() if chosen.shared and other.shared == chosen.shared)


def _not_to_be_copied(environment: Environment, state: EnvironmentState, names: Sequence[str]) -> list[str]:
    real = really_installed(environment.site_packages)
    projects = {normalize(item.name): item for item in (*state.editables, *filter(None, [state.project]))}
    problems = []
    for name in names:
        key = normalize(name)
        if key in projects:
            folder = os.path.normpath(environment.path / projects[key].path)
            problems.append(f"{name} is editable already: it is imported from {folder}")
        elif key in real:
            problems.append(f"{name} is really installed, in {environment.site_packages}: its files are no others'")
        elif key not in state.builds:
            problems.append(f"{name} is not locked in {environment.path}")
    return problems


def _demand_settled(environment: Environment, state: EnvironmentState) -> None:
    """Refuse an environment that is not what its lockfile says: another build may be in force than the state has."""
    binding, table = read_binding(environment)
    lockfile = environment.lockfile_of(state)
    try:
        found = hashlib.sha256(lockfile.read_bytes()).hexdigest()
    except FileNotFoundError:
        found = state.lock_sha256  # the environment stays as it is without
    if table is None or not binding.get("sha256") == state.lock_sha256 == found:
        reason = f"it is not what its lockfile says, {lockfile}"
        hint = f"multisite sync --venv {shlex.quote(str(environment.path))}"
        raise NotAnEnvironment(environment.path, reason, hint=hint)


def carry_out(
    environment: Environment, state: EnvironmentState, plans: Sequence[Copying], interpreter: Interpreter
) -> tuple[Edit, ...]:
    """Make the copies and put them in force; return them in the order of *plans*. Raises StoreNotUsable."""
    made = tuple(plan.made or make_edit(environment, plan.source, root=plan.root, builds=plan.builds) for plan in plans)
    _put_in_force(environment, state, find_edits(environment), interpreter)
    return made


def plan_giving_up(
    environment: Environment, state: EnvironmentState, names: Sequence[str], stores: Sequence[Path]
) -> tuple[GivingUp, ...]:
    """Return the private copies of *names*, each a distribution or ``name==version``; of what is locked, maybe none.

    Raises InvalidRequest.
    """
    edits = find_edits(environment)
    found: dict[Path, Edit] = {}
    problems = []
    for text in names:
        name, _, version = text.partition("==")
        key = normalize(name)
        meant = [edit for edit in edits.of(key) if not version or version in _versions(edit, key)]
        problems += [] if meant or key in state.builds else [f"{environment.path} has no private copy of {text}"]
        found.update({edit.folder: edit for edit in meant})
    if problems:
        raise InvalidRequest("; ".join(problems), hint=_LISTED)
    return tuple(_giving_up(edit, original(stores, edit.root)) for edit in found.values())


def _versions(edit: Edit, name: str) -> list[str]:
    return [build.version for build in edit.builds if build.name == name]


def _giving_up(edit: Edit, source: Path | None) -> GivingUp:
    difference = None if source is None else edit.difference(source, exact=True)
    return GivingUp(edit=edit, source=source, difference=difference)


def demand_consent(plans: Sequence[GivingUp]) -> None:
    """Refuse to give up what somebody changed. Raises UnsavedChanges."""
    for plan in plans:
        if plan.difference is None or plan.difference:
            words = ["it cannot be told which files, for the store has not what it was made from"]
            raise UnsavedChanges(plan.edit.label, plan.edit.folder, plan.difference.words if plan.difference else words)


def write_patch(plans: Sequence[GivingUp], path: Path) -> None:
    """Save what differs as a patch, in the new file *path*. Raises InvalidRequest, OSError."""
    if unknown := [plan.edit.label for plan in plans if plan.source is None]:
        reason = f"{', '.join(unknown)}: the store has not what the copy was made from, to compare it with"
        raise InvalidRequest(reason, hint="save the files yourself, then: --force")
    if path.exists():
        raise InvalidRequest(f"{path} is there already", hint="name a new file: --patch FILE")
    write_atomic(path, b"".join(_patch(plan) for plan in plans), sync=True)


def _patch(plan: GivingUp) -> bytes:
    edit, difference = plan.edit, plan.difference
    if plan.source is None or difference is None:
        return b""
    there = plan.source.parent if edit.tree == edit.folder else plan.source
    paths = sorted((*difference.changed, *difference.added, *difference.removed))
    return b"".join(_file_patch(path, there / path, edit.tree / path) for path in paths)


def _file_patch(path: str, there: Path, here: Path) -> bytes:
    before, after = (file.read_bytes() if file.is_file() else None for file in (there, here))
    now, then = (is_executable(file) for file in (here, there))
    return file_patch(path, before, after, executable=then if after is None else now, was_executable=then)


def give_up(
    environment: Environment, state: EnvironmentState, plans: Sequence[GivingUp], interpreter: Interpreter
) -> None:
    """Lead the environment back to the store, then remove the copies."""
    gone = {plan.edit.folder for plan in plans}
    edits = find_edits(environment)
    kept = replace(edits, found=tuple(edit for edit in edits.found if edit.folder not in gone))
    _put_in_force(environment, state, kept, interpreter)
    for plan in plans:
        remove_edit(plan.edit)


def _put_in_force(environment: Environment, state: EnvironmentState, edits: Edits, interpreter: Interpreter) -> None:
    bootstrap = Bootstrap(prefix=environment.path, site_packages=environment.site_packages)
    # A table with private copies needs start-up code that knows them, which an older release's does not.
    bootstrap.write(python=environment.python, cache_tag=interpreter.cache_tag, store=Path(state.store))
    wanted = edits.binding(environment)
    rebind(environment, wanted)
    environment.write_state(replace(state, edits=wanted))

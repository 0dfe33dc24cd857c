"""Private copies: what one environment has of a distribution for itself, to change it.

A copy is one of a folder of the store that imports look in: that of an entry, or the one that distributions share. It
takes that folder's place in the environment's table, by the folder's path in the store, which names the build: so it
is never taken for another version, whatever lockfile comes, and found again when the lockfile comes back. The folders
in the environment say what they are (docs/formats.md, "Private copies"); what is in force is in the table.

A copy has no link with the store, and no bytecode but what interpreters write for it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.cloning import copy_file
from multisite.document import Fields, dump_document, load_document
from multisite.entry import ENTRIES
from multisite.errors import InvalidDocument, StoreNotUsable
from multisite.files import flush_folder, free_path, naming, publish, write_file
from multisite.flushing import flush_tree
from multisite.index import NAME as INDEX
from multisite.names import BuildId
from multisite.report import Finding, Severity
from multisite.scratch import scratch, sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from multisite.environment import Environment
    from multisite.state import EnvironmentState

__all__ = [
    "FOLDER",
    "Difference",
    "Edit",
    "Edits",
    "edit_findings",
    "find_edits",
    "is_executable",
    "make_edit",
    "original",
    "remove_edit",
    "sweep_edits",
]

FOLDER = "edits"
_FORMAT = 1
_KIND = "edit.json"
_OWN = frozenset({_KIND, "shared.json", INDEX})
_ROOT = re.compile(rf"{ENTRIES}/[^/]+/[^/]+/[^/]+/site-packages|shared/[0-9a-f]{{64}}/site-packages", re.ASCII)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A private copy in ``folder`` of the store's folder ``root``; ``builds`` are in it, the first was asked for."""

    folder: Path
    root: str
    builds: tuple[BuildId, ...]

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.builds[0].name} {self.builds[0].version}"

    @property
    def names(self) -> tuple[NormalizedName, ...]:
        """The distributions that it holds."""
        return tuple(build.name for build in self.builds)

    @property
    def shared(self) -> str | None:
        """The digest of the shared folder that it is a copy of, None for that of an entry."""
        kind, digest, _ = self.root.split("/", 2)
        return digest if kind == "shared" else None

    @property
    def site_packages(self) -> Path:
        """The folder that imports look in."""
        return self.folder / "site-packages"

    @property
    def tree(self) -> Path:
        """The folder whose files are the copy; more than site-packages where files under a prefix belong to it."""
        return self.folder if self.site_packages.is_symlink() else self.site_packages

    def private_root(self, environment: Environment) -> str:
        """Return the folder that imports look in relative to *environment*, with ``/``, as the table has it."""
        return self.site_packages.relative_to(environment.path).as_posix()

    def difference(self, source: Path, *, exact: bool = False) -> Difference:
        """Compare with *source*, the folder of the store that imports look in.

        A file that has the size and the time that it was copied with is read only where it must be *exact*.
        """
        there, here = _files(source.parent if self.tree == self.folder else source), _files(self.tree)
        both = sorted(there.keys() & here.keys())
        return Difference(
            changed=tuple(path for path in both if not _is_same(there[path], here[path], exact=exact)),
            added=tuple(sorted(here.keys() - there.keys())),
            removed=tuple(sorted(there.keys() - here.keys())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The files of a private copy that differ from the store's: paths with ``/``."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    @property
    def words(self) -> list[str]:
        """Each file, with what became of it, for people."""
        kinds = ((self.changed, "changed"), (self.added, "added"), (self.removed, "removed"))
        return [f"{path} ({kind})" for paths, kind in kinds for path in paths]

    def to_json(self) -> dict[str, list[str]]:
        """Return the paths as ``--json`` prints them."""
        return {"changed": list(self.changed), "added": list(self.added), "removed": list(self.removed)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """The private copies in an environment. ``damaged`` are folders beside them that do not say what they are."""

    found: tuple[Edit, ...] = ()
    damaged: tuple[Path, ...] = ()

    def of(self, name: str) -> tuple[Edit, ...]:
        """Return those that hold the distribution *name*."""
        return tuple(edit for edit in self.found if name in edit.names)

    @property
    def builds(self) -> set[BuildId]:
        """The builds that they were made from, which giving them up leads back to."""
        return {build for edit in self.found for build in edit.builds}

    @property
    def shared(self) -> set[str]:
        """The digests of the shared folders that they were made from."""
        return {edit.shared for edit in self.found if edit.shared is not None}

    def by_root(self) -> dict[str, Edit]:
        """Return them by the folder of the store whose place they take."""
        return {edit.root: edit for edit in self.found}

    def binding(self, environment: Environment) -> dict[str, str]:
        """Return them as the table and environment.json have them."""
        return {edit.root: edit.private_root(environment) for edit in self.found}


def find_edits(environment: Environment) -> Edits:
    """Return the private copies that are in *environment*. Raises UnsupportedFormat."""
    try:
        folders = sorted((environment.state_folder / FOLDER).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return Edits()
    found, damaged = [], []
    for folder in folders:
        if folder.name.startswith(".") or not folder.is_dir():  # being copied, or removed
            continue
        try:
            found.append(_read(folder))
        except (OSError, InvalidDocument):
            damaged.append(folder)
    return Edits(found=tuple(found), damaged=tuple(damaged))


def _read(folder: Path) -> Edit:
    path = folder / _KIND
    fields = Fields(load_document(path.read_bytes(), kind=_KIND, format=_FORMAT, where=path))
    root, builds = fields.text("root"), []
    for text in fields.texts("builds"):
        try:
            builds.append(BuildId.parse(text))
        except ValueError as error:
            fields.problem("builds", str(error))
    if not builds:
        fields.problem("builds", "expected at least one")
    if not _ROOT.fullmatch(root):
        fields.problem("root", f"no folder of a store: {root!r}")
    fields.finish(_KIND, path)
    return Edit(folder=folder, root=root, builds=tuple(builds))


def edit_findings(edits: Edits, before: EnvironmentState | None, state: EnvironmentState) -> Iterator[Finding]:
    """Yield what there is to say of private copies in an environment that was *before* what it is to be *state* now."""
    locked = {chosen.root: name for name, chosen in state.builds.items()}
    for edit in edits.found:
        if edit.root not in locked:
            yield _unused(edit, state)
    there = {Path(edit.folder.name, "site-packages").as_posix() for edit in edits.found}
    for root, private in ({} if before is None else before.edits).items():
        if private.partition(f"/{FOLDER}/")[2] not in there:
            message = f"the private copy {private} is gone; imports find the shared {locked.get(root, root)} again"
            yield Finding(check="edits", severity=Severity.WARNING, subject=locked.get(root), message=message)
    for folder in edits.damaged:
        message = f"{folder} does not say what it is a private copy of, and is not used"
        fix = "move what you need of it elsewhere, and remove it"
        yield Finding(check="edits", severity=Severity.WARNING, message=message, fix=fix)


def _unused(edit: Edit, state: EnvironmentState) -> Finding:
    name, version = edit.builds[0].name, edit.builds[0].version
    now = state.builds.get(name)
    if now is None:
        reason = f"{name} is not locked any more"
    elif now.build == edit.builds[0]:
        reason = "one that shares its folder has another version"
    else:
        reason = f"{name} {now.build.version} is locked" + (", another build" if now.build.version == version else "")
    message = f"the private copy of {edit.label} is kept in {edit.folder}, and not used: {reason}"
    venv = shlex.quote(str(edit.folder.parents[2]))
    fix = f"multisite edit --venv {venv} --undo {name}=={version} --patch {name}.patch"
    return Finding(check="edits", severity=Severity.WARNING, subject=name, message=message, fix=fix)


def original(stores: Iterable[Path], root: str) -> Path | None:
    """Return the folder *root* of the first of *stores* that has it, None where none has."""
    return next((store / root for store in stores if (store / root).is_dir()), None)


def make_edit(environment: Environment, source: Path, *, root: str, builds: Sequence[BuildId]) -> Edit:
    """Copy *source*, the folder *root* of a store, into *environment*; the copy appears as a whole.

    Its times are the store's, for that tells cheaply what was not changed since. Raises StoreNotUsable where the store
    is damaged.
    """
    parent = environment.state_folder / FOLDER
    with scratch(parent, before=".", after=".tmp") as folder:
        document = dump_document({"root": root, "builds": [str(build) for build in builds]}, format=_FORMAT)
        write_file(folder / _KIND, document)
        if source.is_symlink():
            _copy(source.parent, folder)
        else:
            _copy(source, folder / "site-packages")
        flush_tree(folder)
        target = free_path(parent, f"{builds[0].name}-{builds[0].version}")
        publish(folder, target, sync=True)
    return _read(target)


def sweep_edits(environment: Environment) -> None:
    """Remove what was being copied or removed when a command died. Only whoever holds the environment may do that."""
    parent = environment.state_folder / FOLDER
    if parent.is_dir():
        sweep(parent, before=".", after=".tmp")
        _remove_empty(parent)


def remove_edit(edit: Edit) -> None:
    """Remove a private copy, in one step for those who look for it."""
    with scratch(edit.folder.parent, before=".", after=".tmp") as aside:
        edit.folder.rename(aside / "edit")
        flush_folder(edit.folder.parent)  # or some of it could be there after a power failure
    _remove_empty(edit.folder.parent)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # there are others
        folder.rmdir()


def _copy(source: Path, target: Path) -> None:
    for folder, folders, names in os.walk(source):
        here = target / os.path.relpath(folder, source)
        here.mkdir(exist_ok=True)
        for name in [*folders, *names]:
            path = Path(folder, name)
            if path.is_symlink():  # of a shared folder under a prefix, into itself
                (here / name).symlink_to(path.readlink())
            elif name in names and not _is_left_out(path.relative_to(source)):
                _copy_file(path, here / name)
        if not any(here.iterdir()) and here.name == "__pycache__":
            here.rmdir()


def _copy_file(source: Path, target: Path) -> None:
    try:
        facts = source.stat()
        copy_file(source, target, mode=stat.S_IMODE(facts.st_mode) | stat.S_IRUSR | stat.S_IWUSR)
    except FileNotFoundError as error:
        raise StoreNotUsable(source, "missing, and it is to be copied: multisite doctor") from error
    with naming(target):
        os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _is_left_out(path: Path) -> bool:
    """Tell whether a file is no part of a copy: bytecode, which need not be of the source that it will lie beside."""
    return (path.suffix == ".pyc" and path.parent.name == "__pycache__") or path.as_posix() in _OWN


def _files(tree: Path) -> dict[str, Path]:
    return {
        path.relative_to(tree).as_posix(): path
        for folder, _, names in os.walk(tree)
        for path in (Path(folder, name) for name in names)
        if not _is_left_out(path.relative_to(tree))
    }


def is_executable(path: Path) -> bool:
    """Tell whether a file may be executed by its owner."""
    try:
        return bool(path.stat().st_mode & stat.S_IXUSR)
    except OSError:
        return False


def _is_same(one: Path, other: Path, *, exact: bool) -> bool:
    try:
        first, second = one.stat(), other.stat()
        if first.st_size != second.st_size or (first.st_mode ^ second.st_mode) & stat.S_IXUSR:
            return False
        return (not exact and first.st_mtime_ns == second.st_mtime_ns) or _content_is_same(one, other)
    except OSError:  # gone by now, or may not be read: that is no proof
        return False


def _content_is_same(one: Path, other: Path) -> bool:
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(_CHUNK):
            if chunk != second.read(_CHUNK):
                return False
        return not second.read(1)

"""What of the distributions belongs into the environment: programs, headers and data files.

They are copied, never linked: programs write under their prefix, and the store must not change. A file is ours as long
as it holds what was written; one that was changed since, or that somebody else made, is left alone and reported.
"""

from __future__ import annotations

import hashlib
import posixpath
import stat
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from multisite.batch import write_together
from multisite.content import starts_as_python
from multisite.errors import InvalidWheel, StoreNotUsable
from multisite.files import flush_folder
from multisite.record import RecordEntry, format_record
from multisite.report import Finding, Severity
from multisite.scripts import declared_scripts, launcher, named_after_version, with_interpreter
from multisite.state import InstallDifference, OwnedFile, is_inside
from multisite.torn import is_torn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName

    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.interpreter import Interpreter
    from multisite.manifest import DataFile

__all__ = ["InstallationPlan", "PlannedFile", "apply_installation", "plan_installation"]

_CHUNK = 1 << 20
# Whatever a wheel holds under these names, it would not be read as that wheel's.
_RESERVED = frozenset({".multisite", "pyvenv.cfg", "pylock.toml"})
_RESERVED_IN_SITE = frozenset({"00-multisite.pth", "00-multisite.start"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A file of the distribution ``owner``: ``path`` is relative to the environment, ``content`` may be in a file."""

    path: str
    owner: NormalizedName
    sha256: str
    size: int
    executable: bool
    content: bytes | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationPlan:
    """What is to be written and removed; ``files`` and ``installs`` are what environment.json says afterwards.

    ``forgotten`` are all paths of ours that are not wanted any more, also those where nothing of ours is any more.
    ``late`` are those paths to be written that something stands in the place of until the removals are done.
    """

    write: tuple[PlannedFile, ...] = ()
    remove: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    files: Mapping[str, OwnedFile] = field(default_factory=dict)
    installs: Mapping[NormalizedName, InstallDifference] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    late: frozenset[str] = frozenset()

    @property
    def adding(self) -> InstallationPlan:
        """The part that takes nothing away."""
        early = tuple(file for file in self.write if file.path not in self.late)
        return replace(self, write=early, remove=(), forgotten=())

    @property
    def taking_away(self) -> InstallationPlan:
        """The part that takes out what is no longer wanted, and writes what goes into its place."""
        return replace(self, write=tuple(file for file in self.write if file.path in self.late))

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.write or self.remove)


def plan_installation(
    environment: Environment,
    interpreter: Interpreter,
    entries: Iterable[StoredDistribution],
    *,
    owned: Mapping[str, OwnedFile],
    beside: Iterable[PlannedFile] = (),
    restore: bool = False,
) -> InstallationPlan:
    """Return what makes the environment hold the files of *entries*, and of those it *owned* no others.

    What stands *beside* these is written as well, and belongs to no installation. With *restore*, files of ours that
    were changed since are written anew. Raises InvalidWheel with what a distribution declares and no environment
    can hold.
    """
    layout = _Layout(environment=environment, interpreter=interpreter)
    distributions = {entry.manifest.name: entry for entry in sorted(entries, key=lambda entry: entry.manifest.name)}
    wishes = {name: tuple(layout.files(entry)) for name, entry in distributions.items()}
    findings: list[Finding] = []
    wanted = _without_conflicts(chain(chain.from_iterable(wishes.values()), beside), findings)
    comparison = _Comparison(environment.path, owned, wanted, findings, restore=restore)
    write = tuple(file for file in wanted.values() if comparison.is_due(file))
    forgotten = tuple(path for path in sorted(owned) if path not in wanted)
    remove = tuple(filter(comparison.is_removable, forgotten))
    kept = {path: file for path, file in wanted.items() if path not in comparison.strangers}
    installs = {
        name: InstallDifference(
            added=layout.record_lines(file for file in wishes[name] if file.path in kept), removed=_data_rows(entry)
        )
        for name, entry in distributions.items()
        if wishes[name] or entry.manifest.data
    }
    return InstallationPlan(
        write=write,
        remove=remove,
        forgotten=forgotten,
        files={path: comparison.record(file) for path, file in sorted(kept.items())},
        installs=installs,
        findings=tuple(findings),
        late=frozenset(comparison.late),
    )


def apply_installation(plan: InstallationPlan, environment: Environment) -> bool:
    """Carry out *plan*, each file whole or not at all; return whether there was anything to do.

    Raises StoreNotUsable where what the store holds is damaged.
    """
    for target in [environment.path / path for path in reversed(plan.remove)]:
        target.unlink(missing_ok=True)
        environment.tidy(target)
    # What is written afterwards knows these files no more: after a power failure they must not be there again, nor must
    # those that a command removed which was killed before it had flushed that.
    targets = [environment.path / path for path in plan.forgotten]
    for folder in {next(above for above in target.parents if above.is_dir()) for target in targets}:
        flush_folder(folder)
    write_together(
        (environment.path / file.path, _content(file), 0o777 if file.executable else 0o666) for file in plan.write
    )
    return bool(plan)


def _content(file: PlannedFile) -> bytes:
    if isinstance(file.content, bytes):
        return file.content
    try:
        content = file.content.read_bytes()
    except FileNotFoundError as error:
        raise StoreNotUsable(file.content, f"missing, and {file.owner} needs it") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise StoreNotUsable(file.content, f"changed since {file.owner} was unpacked")
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where files of distributions go in one environment."""

    environment: Environment
    interpreter: Interpreter

    def files(self, entry: StoredDistribution) -> Iterator[PlannedFile]:
        """Yield what *entry* brings, each path once; launchers replace what it brings under their name, as in pip."""
        problems: list[str] = []
        found: dict[str, PlannedFile] = {}
        for item in entry.manifest.data:
            file = self._data_file(entry, item)
            if is_inside(file.path):
                found[file.path] = file
            else:
                problems.append(f"{item.scheme}: the path {item.path!r} leads out of the environment")
        declared = declared_scripts(entry.manifest.entry_points, problems)
        for script in named_after_version(declared, self.interpreter.version_info):
            name, content = launcher(script, python=self._python, platform=self.interpreter.platform)
            path = f"{self._scripts}/{name}"
            found[path] = _planned(path, entry.manifest.name, content, executable=True)
        if problems:
            raise InvalidWheel(f"{entry.manifest.name} {entry.manifest.version}", problems)
        yield from found.values()

    def record_lines(self, files: Iterable[PlannedFile]) -> tuple[str, ...]:
        """Return the lines that RECORD has for *files*: paths are relative to site-packages."""
        site = self.environment.site_packages.relative_to(self.environment.path).as_posix()
        rows = [
            RecordEntry(path=posixpath.relpath(file.path, site), algorithm="sha256", digest=file.sha256, size=file.size)
            for file in files
        ]
        return tuple(sorted(format_record(rows).split("\n")[:-1]))

    @property
    def _python(self) -> str:
        return str(self.environment.python)

    @property
    def _scripts(self) -> str:
        return self.environment.scripts.name

    def _data_file(self, entry: StoredDistribution, item: DataFile) -> PlannedFile:
        name, source = entry.manifest.name, entry.data(item.scheme) / item.path
        path = self._place(item.scheme, item.path, name)
        if item.scheme == "scripts" and _asks_for_python(source):
            content = with_interpreter(source.read_bytes(), python=self._python)
            return _planned(path, name, content, executable=True)
        return PlannedFile(
            path=path, owner=name, sha256=item.sha256, size=item.size, executable=item.executable, content=source
        )

    def _place(self, scheme: str, path: str, name: NormalizedName) -> str:
        major, minor = self.interpreter.version_info[:2]
        # pip's place for headers in environments; the standard library has none.
        folders = {"scripts": f"{self._scripts}/", "headers": f"include/site/python{major}.{minor}/{name}/"}
        return folders.get(scheme, "") + path


def _planned(path: str, owner: NormalizedName, content: bytes, *, executable: bool) -> PlannedFile:
    digest = hashlib.sha256(content).hexdigest()
    return PlannedFile(path=path, owner=owner, sha256=digest, size=len(content), executable=executable, content=content)


def _asks_for_python(script: Path) -> bool:
    # The first bytes only: programs of a hundred megabytes come as scripts.
    try:
        with script.open("rb") as file:
            return starts_as_python(file.read(16))
    except FileNotFoundError as error:
        raise StoreNotUsable(script, "missing") from error


def _data_rows(entry: StoredDistribution) -> tuple[str, ...]:
    """Return the folders in the entry's RECORD that installing takes out: those of files that landed elsewhere."""
    if not entry.manifest.data:
        return ()
    folders = {row.path.partition("/")[0] for row in entry.record()}
    return tuple(sorted(f"{folder}/" for folder in folders if folder.endswith(".data")))


def _without_conflicts(files: Iterable[PlannedFile], findings: list[Finding]) -> dict[str, PlannedFile]:
    """Return one file for each path. Of two distributions', the later by name wins, as if it were installed later."""
    wanted: dict[str, PlannedFile] = {}
    for file in files:
        if _is_reserved(file.path.casefold()):
            findings.append(_finding(Severity.WARNING, file, "the name is reserved; it is left out"))
            continue
        before = wanted.get(file.path)
        if before is not None and before.sha256 != file.sha256:
            findings.append(
                _finding(Severity.NOTE, file, f"{before.owner} has it as well; that of {file.owner} is used")
            )
        wanted[file.path] = file
    folders = {folder for path in wanted for folder in _folders(path)}
    findings.extend(
        _finding(Severity.WARNING, wanted.pop(path), "another file needs a folder of that name; it is left out")
        for path in sorted(folders.intersection(wanted))
    )
    return dict(sorted(wanted.items()))


def _is_reserved(path: str) -> bool:
    return path.partition("/")[0] in _RESERVED or path.rpartition("/")[2] in _RESERVED_IN_SITE


def _folders(path: str) -> Iterator[str]:
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)


def _finding(severity: Severity, file: PlannedFile, message: str, fix: str | None = None) -> Finding:
    return Finding(check="files", severity=severity, subject=file.owner, message=f"{file.path}: {message}", fix=fix)


class _Comparison:
    """What is in an environment, against what is wanted there and what was once written."""

    def __init__(
        self,
        folder: Path,
        owned: Mapping[str, OwnedFile],
        wanted: Mapping[str, PlannedFile],
        findings: list[Finding],
        *,
        restore: bool,
    ) -> None:
        self._folder = folder
        self._owned = owned
        self._wanted = wanted
        self._findings = findings
        self._restore = restore
        self.strangers: set[str] = set()
        self.late: set[str] = set()
        self._changed: set[str] = set()

    def is_due(self, file: PlannedFile) -> bool:
        """Tell whether *file* is to be written; report when something in its place is left alone."""
        try:
            facts = (self._folder / file.path).lstat()
        except FileNotFoundError:
            return True
        except NotADirectoryError:
            above = next(path for path in reversed([*_folders(file.path)]) if not (self._folder / path).is_dir())
            if self._goes(above):
                self.late.add(file.path)
                return True
            return self._left_alone(file, "a file is where its folder would be")
        if stat.S_ISDIR(facts.st_mode) and self._empties(file.path):
            self.late.add(file.path)
            return True
        if not stat.S_ISREG(facts.st_mode):
            kind = "a link" if stat.S_ISLNK(facts.st_mode) else "a folder" if stat.S_ISDIR(facts.st_mode) else "no file"
            return self._left_alone(file, f"{kind} that is not ours is there")
        known = self._owned.get(file.path)
        content = _identity(self._folder / file.path, facts.st_size, {file.size, known.size if known else -1})
        if content == (file.size, file.sha256):
            return bool(facts.st_mode & stat.S_IXUSR) != file.executable
        if known is None:
            return self._left_alone(file, "a file that is not ours is there")
        if content == (known.size, known.sha256) or self._restore:
            return True
        if is_torn(self._folder / file.path, _content(file)):
            reason = "since before the machine was booted it holds parts of what was written; it is written again"
            self._findings.append(_finding(Severity.NOTE, file, reason))
            return True
        self._changed.add(file.path)
        self._findings.append(_finding(Severity.WARNING, file, "it was changed since, and is left alone"))
        return False

    def is_removable(self, path: str) -> bool:
        """Tell whether a file of ours that nobody wants any more is still as it was written."""
        known = self._owned[path]
        try:
            if self._is_as_written(path):
                return True
        except (FileNotFoundError, NotADirectoryError):
            return False
        message = f"{path}: it is not needed any more, but was changed since it was written, and is left alone"
        self._findings.append(Finding(check="files", severity=Severity.WARNING, subject=known.owner, message=message))
        return False

    def _is_as_written(self, path: str) -> bool:
        known, facts = self._owned[path], (self._folder / path).lstat()
        if not stat.S_ISREG(facts.st_mode):
            return False
        as_written = _identity(self._folder / path, facts.st_size, {known.size}) == (known.size, known.sha256)
        return as_written or is_torn(self._folder / path, b"")

    def _goes(self, path: str) -> bool:
        """Tell whether the file at *path* is one of ours that is taken out."""
        return path in self._owned and path not in self._wanted and self._is_as_written(path)

    def _empties(self, path: str) -> bool:
        """Tell whether the folder at *path* is gone once what is ours in it is taken out."""
        inside = [item for item in (self._folder / path).rglob("*") if item.is_symlink() or not item.is_dir()]
        return bool(inside) and all(self._goes(item.relative_to(self._folder).as_posix()) for item in inside)

    def record(self, file: PlannedFile) -> OwnedFile:
        """Return what to remember of *file*: of one that was changed, still what was written."""
        if file.path in self._changed:
            return self._owned[file.path]
        return OwnedFile(owner=file.owner, sha256=file.sha256, size=file.size)

    def _left_alone(self, file: PlannedFile, reason: str) -> bool:
        self.strangers.add(file.path)
        self._findings.append(_finding(Severity.WARNING, file, f"{reason}, and is left alone"))
        return False


def _identity(path: Path, size: int, sizes: set[int]) -> tuple[int, str]:
    """Return size and SHA-256 of a file; the hash only where the size is one of those that matter."""
    if size not in sizes:
        return size, ""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return size, digest.hexdigest()

"""Lock: a PEP 751 lockfile, parsed.

A lockfile may come from anybody, so whatever another module could trip over is refused here, before anything acts on
it: file names that lead out of a folder, subfolders that climb, hashes that no file could have.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.tags import Tag

from multisite.addresses import address_problem, is_local, mask_credentials
from multisite.errors import InvalidLockfile, LockfileDoesNotFit, UnsupportedFormat
from multisite.locktext import format_pylock
from multisite.names import is_plain_name
from multisite.toml import NotToml, load_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.markers import Environment
    from packaging.utils import NormalizedName

__all__ = [
    "ArchiveSource",
    "DirectorySource",
    "FileSource",
    "Lock",
    "Pinned",
    "SdistSource",
    "Source",
    "VcsSource",
    "WheelSource",
]

_LOCK_VERSION = 1
_DIGITS = {"sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
_RELIABLE = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"})
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_GIT_COMMIT = re.compile(r"(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})\Z")
# Separators of every platform, the colon of Windows' drives and streams, and control characters.
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """One file to fetch: from ``path`` (relative to the lockfile's folder, or absolute), else from ``url``.

    ``hashes`` maps hashlib's names of algorithms to lower-case hexadecimal digits and holds a reliable one. ``size``
    is in bytes.
    """

    filename: str
    url: str | None
    path: str | None
    size: int | None
    hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelSource(FileSource):
    """A wheel of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SdistSource(FileSource):
    """A source distribution of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSource(FileSource):
    """A file that was asked for by its address: a wheel, or an archive with a source tree at ``subdirectory``."""

    subdirectory: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VcsSource:
    """One commit of a repository; ``type`` is the version control system's name (``git``)."""

    type: str
    url: str | None
    path: str | None
    requested_revision: str | None
    commit: str
    subdirectory: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySource:
    """A folder with a source tree; ``path`` is relative to the lockfile's folder, or absolute."""

    path: str
    editable: bool
    subdirectory: str | None


Source: TypeAlias = WheelSource | SdistSource | ArchiveSource | VcsSource | DirectorySource


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One distribution that a lockfile wants in an environment, and where it comes from.

    ``version`` is None where only the build will tell (folders, often).
    """

    name: NormalizedName
    version: str | None
    source: Source
    index: str | None

    @property
    def direct(self) -> bool:
        """Whether it was asked for by address, so that PEP 610 wants its origin recorded."""
        return isinstance(self.source, (ArchiveSource, VcsSource, DirectorySource))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A valid lockfile; ``sha256`` is the digest of its bytes, ``where`` its name in messages."""

    pylock: Pylock
    sha256: str
    where: str

    @classmethod
    def parse(cls, data: bytes, where: str | Path) -> Lock:
        """Read a lockfile's bytes.

        Raises InvalidLockfile with every problem found, and UnsupportedFormat for another major version.
        """
        document = _load_toml(data, where)
        try:
            pylock = Pylock.from_dict(document)
        except PylockUnsupportedVersionError as error:
            found = document["lock-version"]
            raise UnsupportedFormat("lockfile", where, found=found, known=_LOCK_VERSION) from error
        except PylockValidationError as error:
            raise InvalidLockfile(where, _problems(document) or [_sentence(error)]) from error
        if problems := _hazards(pylock):
            raise InvalidLockfile(where, problems)
        return cls(pylock=pylock, sha256=hashlib.sha256(data).hexdigest(), where=str(where))

    @staticmethod
    def format(pylock: Pylock) -> bytes:
        """Write a lockfile: the same bytes for the same content, and no credentials in any address."""
        return format_pylock(pylock).encode()

    def select(
        self,
        interpreter_tags: Sequence[str],
        marker_environment: Mapping[str, str],
        extras: Collection[str] = (),
        groups: Collection[str] | None = None,
    ) -> tuple[Pinned, ...]:
        """Choose what to install, sorted by name; without ``groups``, the lockfile's default groups.

        ``marker_environment`` must hold every variable of PEP 508, for packaging fills in missing ones from the
        interpreter that runs this. ``interpreter_tags`` stand best first. Raises LockfileDoesNotFit.
        """
        self._demand_offered("extra", extras, self.pylock.extras)
        self._demand_offered("dependency group", groups or (), self.pylock.dependency_groups)
        try:
            chosen = _select(self.pylock, interpreter_tags, marker_environment, extras, groups)
        except PylockSelectError as error:
            reasons = list(_misfits(self.pylock, interpreter_tags, marker_environment, extras, groups))
            raise LockfileDoesNotFit(self.where, "; ".join(dict.fromkeys(reasons)) or str(error)) from error
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            raise LockfileDoesNotFit(self.where, f"a marker cannot be evaluated: {error}") from error
        return tuple(sorted((_pinned(*pair) for pair in chosen), key=lambda pinned: pinned.name))

    def _demand_offered(self, what: str, wanted: Collection[str], offered: Sequence[str] | None) -> None:
        if missing := sorted(set(wanted) - set(offered or ())):
            there = f"it has {', '.join(sorted(offered))}" if offered else "it has none"
            hint = f"choose what it has, or lock with it: multisite lock --{what.rpartition(' ')[2]} {missing[0]}"
            raise LockfileDoesNotFit(self.where, f"no {what} {', '.join(missing)}; {there}", hint=hint)


def _load_toml(data: bytes, where: str | Path) -> dict[str, Any]:
    try:
        return load_toml(data)
    except NotToml as error:
        raise InvalidLockfile(where, [str(error)]) from error


# Validation: packaging stops at the first problem, so the parts of an invalid document are validated one by one.

_SMALLEST: Mapping[str, Any] = {"lock-version": "1.0", "created-by": "multisite", "packages": []}


def _problems(document: Mapping[str, Any]) -> list[str]:
    found = [f"{key}: Missing required value" for key in _SMALLEST if key not in document]
    for key, value in document.items():
        if key == "packages" and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            for index, item in enumerate(value):
                found += _package_problems(item, f"packages[{index}]")
        else:
            found += _invalid({**_SMALLEST, key: value})
    return found


def _package_problems(item: Mapping[str, Any], key: str) -> list[str]:
    wheels = item.get("wheels")
    if not isinstance(wheels, list) or not wheels:
        return [_moved(problem, "packages[0]", key) for problem in _invalid({**_SMALLEST, "packages": [item]})]
    found = []
    for index, wheel in enumerate(wheels):
        document = {**_SMALLEST, "packages": [{**item, "wheels": [wheel]}]}
        for problem in _invalid(document):
            problem = _moved(problem, "packages[0].wheels[0]", f"{key}.wheels[{index}]")
            found.append(_moved(problem, "packages[0]", key))
    return list(dict.fromkeys(found))


def _moved(problem: str, old: str, new: str) -> str:
    return new + problem.removeprefix(old) if problem.startswith(old) else problem


def _invalid(document: Mapping[str, Any]) -> list[str]:
    try:
        return _hazards(Pylock.from_dict(document))
    except PylockValidationError as error:
        return [_sentence(error)]


def _sentence(error: PylockValidationError) -> str:
    message = error.message.partition("\n")[0]  # the rest points at a column of a text that does not stand here
    return f"{error.context}: {message}" if error.context else message


# Hazards: valid for PEP 751, and nothing that a program should act on.


def _hazards(pylock: Pylock) -> list[str]:
    return [problem for index, package in enumerate(pylock.packages) for problem in _package_hazards(index, package)]


def _package_hazards(index: int, package: Package) -> Iterator[str]:
    key = f"packages[{index}]"
    for number, wheel in enumerate(package.wheels or ()):
        yield from _file_hazards(f"{key}.wheels[{number}]", wheel, wheel.filename, package.index)
    if package.sdist:
        yield from _file_hazards(f"{key}.sdist", package.sdist, package.sdist.filename, package.index)
    if package.archive:
        try:
            yield from _file_hazards(f"{key}.archive", package.archive, _archive_filename(package.archive))
        except (PylockValidationError, ValueError):  # an address that is none
            yield f"{key}.archive: neither its name nor its address or path names a file"
        yield from _subdirectory_hazards(f"{key}.archive", package.archive.subdirectory)
    if package.directory:
        yield from _subdirectory_hazards(f"{key}.directory", package.directory.subdirectory)
    if package.vcs:
        yield from _subdirectory_hazards(f"{key}.vcs", package.vcs.subdirectory)
        if package.vcs.type == "git" and not _GIT_COMMIT.match(package.vcs.commit_id):
            yield f"{key}.vcs.commit-id: {package.vcs.commit_id!r} is not a full commit hash"


def _file_hazards(
    key: str, file: PackageWheel | PackageSdist | PackageArchive, filename: str, index: str | None = None
) -> Iterator[str]:
    if not is_plain_name(filename):
        yield f"{key}.name: {filename!r} is not a plain file name"
    if file.url is not None and (problem := address_problem(file.url)):
        yield f"{key}.url: {mask_credentials(file.url)!r}: {problem}"
    elif file.url is not None and index is not None and is_local(file.url) and not is_local(index):
        yield f"{key}.url: a file of this machine, that the index {mask_credentials(index)!r} cannot have"
    if file.path is not None and "\0" in file.path:
        yield f"{key}.path: {file.path!r} is not a path"
    if file.size is not None and file.size < 0:
        yield f"{key}.size: {file.size} is negative"
    for algorithm, digits in file.hashes.items():
        if not _HEX.match(digits) or len(digits) != _DIGITS.get(algorithm, len(digits)):
            yield f"{key}.hashes.{algorithm}: {digits!r} is not such a hash"
    if not _RELIABLE.intersection(file.hashes):
        yield f"{key}.hashes: {', '.join(file.hashes)} can be forged or is unknown; sha256 is needed"


def _subdirectory_hazards(key: str, subdirectory: str | None) -> Iterator[str]:
    if subdirectory is None:
        return
    parts = subdirectory.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or "\0" in subdirectory or _DRIVE.match(subdirectory):
        yield f"{key}.subdirectory: {subdirectory!r} leads out of the source"


# Selection.


def _select(
    pylock: Pylock,
    tags: Sequence[str],
    environment: Mapping[str, str],
    extras: Collection[str],
    groups: Collection[str] | None,
) -> list[tuple[Package, Any]]:
    parsed = [Tag(*tag.split("-", 2)) for tag in tags]
    chosen = pylock.select(
        environment=cast("Environment", dict(environment)), tags=parsed, extras=extras, dependency_groups=groups
    )
    return list(chosen)


def _misfits(
    pylock: Pylock,
    tags: Sequence[str],
    environment: Mapping[str, str],
    extras: Collection[str],
    groups: Collection[str] | None,
) -> Iterator[str]:
    """Say why a selection failed, for all distributions at once: packaging stops at the first."""
    version = environment["python_full_version"]
    if pylock.requires_python and not pylock.requires_python.contains(version, prereleases=True):
        yield f"it is for Python {pylock.requires_python}, and this is {version}"
        return
    if pylock.environments:
        markers = cast("dict[str, str]", dict(environment))
        if not any(marker.evaluate(markers, context="requirement") for marker in pylock.environments):
            yield "it is for other environments: " + " or ".join(str(marker) for marker in pylock.environments)
            return
    defaults = pylock.default_groups or () if groups is None else groups
    variables: Any = {**environment, "extras": frozenset(extras), "dependency_groups": frozenset(defaults)}
    seen: set[str] = set()
    for package in pylock.packages:
        if package.marker and not package.marker.evaluate(variables, context="lock_file"):
            continue
        if package.name in seen:
            yield f"several entries for {package.name} apply"
        seen.add(package.name)
        yield from _package_misfits(package, tags, version)


def _package_misfits(package: Package, tags: Sequence[str], version: str) -> Iterator[str]:
    label = f"{package.name} {package.version}" if package.version else package.name
    if package.requires_python and not package.requires_python.contains(version, prereleases=True):
        yield f"{label} needs Python {package.requires_python}, and this is {version}"
    elif package.wheels and not package.sdist:
        from packaging.utils import parse_wheel_filename

        supported = set(tags)
        offered = (str(tag) for wheel in package.wheels for tag in parse_wheel_filename(wheel.filename)[3])
        if supported.isdisjoint(offered):
            best = f" ({tags[0]})" if tags else ""
            yield f"{label} has no wheel for this interpreter{best} and no source distribution"


def _pinned(package: Package, chosen: Any) -> Pinned:
    version = None if package.version is None else str(package.version)
    return Pinned(name=package.name, version=version, source=_source(chosen), index=package.index)


def _source(chosen: PackageWheel | PackageSdist | PackageArchive | PackageVcs | PackageDirectory) -> Source:
    if isinstance(chosen, PackageWheel):
        return WheelSource(filename=chosen.filename, **_file(chosen))
    if isinstance(chosen, PackageSdist):
        return SdistSource(filename=chosen.filename, **_file(chosen))
    if isinstance(chosen, PackageArchive):
        filename = _archive_filename(chosen)
        return ArchiveSource(filename=filename, subdirectory=chosen.subdirectory, **_file(chosen))
    if isinstance(chosen, PackageVcs):
        return VcsSource(
            type=chosen.type,
            url=chosen.url,
            path=chosen.path,
            requested_revision=chosen.requested_revision,
            commit=chosen.commit_id,
            subdirectory=chosen.subdirectory,
        )
    return DirectorySource(path=chosen.path, editable=bool(chosen.editable), subdirectory=chosen.subdirectory)


def _file(file: PackageWheel | PackageSdist | PackageArchive) -> dict[str, Any]:
    hashes = {algorithm: digits.lower() for algorithm, digits in file.hashes.items()}
    return {"url": file.url, "path": file.path, "size": file.size, "hashes": hashes}


def _archive_filename(archive: PackageArchive) -> str:
    # packaging knows this rule as well, and keeps it to itself for archives: an sdist without a name is named so.
    return PackageSdist(url=archive.url, path=archive.path, hashes=archive.hashes).filename

"""One wheel file: what it holds, and where it would go (PEP 427).

Nothing of a wheel is used before everything that can be known without its contents has been checked, and every fault
is reported; the contents are checked while they are unpacked.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from multisite.archive import expansion, reader, survey
from multisite.content import Exclusions, landing
from multisite.errors import InvalidDocument, InvalidWheel
from multisite.inflating import inflated
from multisite.names import normalize
from multisite.record import RecordEntry, parse_record
from multisite.scripts import declared_scripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from packaging.metadata import RawMetadata
    from packaging.utils import NormalizedName

__all__ = ["DAMAGED", "Member", "WheelFile", "wheel_tags"]

# What zipfile raises, sooner or later, about archives that are none or are damaged.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, struct.error)
_SCHEMES = frozenset({"purelib", "platlib", "scripts", "headers", "data"})
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# SHA-256 or better (PEP 427); these need no key and have one length.
_RELIABLE = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"})
_UNRECORDED = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s"})
_ENCRYPTED = 0x1
_DRIVE = re.compile(r"[A-Za-z]:")
_REFUSED = re.compile(r"[\\\x00-\x1f\x7f]")
# What filesystems hold as one name, and what programs walk through one call within the other.
_LONGEST_NAME, _DEEPEST = 255, 100
# What Windows takes for a device, drops from the end of a name, or gives a meaning of its own.
_WINDOWS = os.name == "nt"
_DEVICE = re.compile(r"(?i:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.(?s:.*))?")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]|[. ]\Z')
# These are read whole, and .pth files and entry points stand in the table that every start reads.
_LARGEST = {"RECORD": 64 << 20, "METADATA": 16 << 20}
_LARGEST_OTHER = 1 << 20
_START_UP = (".pth", ".start")
_OURS = frozenset({"00-multisite.pth", "00-multisite.start"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of a wheel: its name in the archive, where it lands, and what RECORD says of it.

    ``scheme`` is ``site`` (purelib and platlib), ``scripts``, ``headers`` or ``data``; ``is_content`` is False for
    what the content digest leaves out.
    """

    name: str
    scheme: str
    path: str
    record: RecordEntry
    executable: bool
    is_content: bool


class WheelFile:
    """An open wheel that is sound as far as can be told without unpacking it."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        filename: str,
        *,
        read: Callable[[int, int], bytes],
        starts: Mapping[int, int],
    ) -> None:
        self._archive = archive
        self._bytes = read
        self._starts = starts
        self.filename = filename
        self.name, self.version = _parsed_filename(filename)
        infos = _infos(archive, filename)
        self.dist_info, self.data_dir = self._own_folders(infos)
        self._read: dict[str, bytes] = {}
        record = self._text("RECORD")
        self.metadata = self._parsed_metadata()
        wheel = self._text("WHEEL")
        self.tags = wheel_tags(wheel)
        self.entry_points = self._text("entry_points.txt") if f"{self.dist_info}/entry_points.txt" in infos else None
        problems = [*_wheel_version(wheel), *self._identity(), *_entry_point_problems(self.entry_points)]
        try:
            rows = parse_record(record, where=f"{self.dist_info}/RECORD")
        except InvalidDocument as error:
            problems += [f"RECORD, {problem}" for problem in error.problems]
        else:
            problems += _compared(infos, rows, self.dist_info)
            problems += self._landings(infos)
        if problems:
            raise InvalidWheel(filename, problems)
        self.members = self._members(infos, {row.path: row for row in rows})

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator[WheelFile]:
        """Open the wheel file *path*. Raises InvalidWheel with every fault, OSError where it cannot be read."""
        with path.open("rb") as file:
            found = survey(file)
            if found.problems:
                raise InvalidWheel(path.name, found.problems)
            try:
                archive = zipfile.ZipFile(file)
            except DAMAGED as error:
                raise InvalidWheel(path.name, [f"it is not a whole zip archive: {error}"]) from error
            with archive:
                unpacked = sum(info.file_size for info in archive.infolist())
                if excess := expansion(path.stat().st_size, unpacked):
                    raise InvalidWheel(path.name, excess[:1], hint=excess[1])
                yield cls(archive, path.name, read=reader(file), starts=found.starts)

    def content(self, member: Member) -> Iterator[bytes]:
        """Yield the content of a member in pieces; what was read already is not inflated again. Raises one of DAMAGED.

        Threads may read several at once.
        """
        known = self._read.get(member.name)
        return self._inflated(member.name) if known is None else iter([known] if known else [])

    def _inflated(self, name: str) -> Iterator[bytes]:
        info = self._archive.getinfo(name)
        return inflated(self._bytes, self._starts[info.header_offset], info)

    def size(self, member: Member) -> int:
        """Return how many bytes a member has at most: no more of it are read."""
        return self._archive.getinfo(member.name).file_size

    def _own_folders(self, infos: Iterable[str]) -> tuple[str, str | None]:
        """Return the wheel's dist-info and .data folders, whatever way their names are spelled."""
        tops = sorted({name.partition("/")[0] for name in infos if "/" in name})
        found = {kind: [top for top in tops if top.endswith(kind)] for kind in (".dist-info", ".data")}
        problems = [
            f"{folder}: not the name and version of the wheel, {self.name} {self.version}"
            for kind, folders in found.items()
            for folder in folders
            if not self._is_named(folder.removesuffix(kind))
        ]
        if len(found[".dist-info"]) != 1:
            listed = ", ".join(found[".dist-info"]) or "none"
            problems.append(f"it must have one .dist-info folder, found {listed}")
        if len(found[".data"]) > 1:
            problems.append(f"it must have one .data folder at most, found {', '.join(found['.data'])}")
        if problems:
            raise InvalidWheel(self.filename, problems)
        return found[".dist-info"][0], next(iter(found[".data"]), None)

    def _is_named(self, stem: str) -> bool:
        """Tell whether *stem* is this wheel's name, a dash, and its version, in any spelling of both."""
        parts = stem.split("-")
        return any(
            normalize("-".join(parts[:end])) == self.name and _is_version("-".join(parts[end:]), self.version)
            for end in range(1, len(parts))
        )

    def _text(self, filename: str) -> str:
        """Read a file of the dist-info folder."""
        name = f"{self.dist_info}/{filename}"
        try:
            size = self._archive.getinfo(name).file_size
        except KeyError as error:
            raise InvalidWheel(self.filename, [f"{name}: missing"]) from error
        if problem := _too_large(name, size):
            raise InvalidWheel(self.filename, [problem])
        try:
            self._read[name] = b"".join(self._inflated(name))
            return self._read[name].decode()
        except UnicodeDecodeError as error:
            raise InvalidWheel(self.filename, [f"{name}: not UTF-8 at byte {error.start}"]) from error
        except DAMAGED as error:
            raise InvalidWheel(self.filename, [f"{name}: damaged: {error}"]) from error

    def _parsed_metadata(self) -> RawMetadata:
        self._text("METADATA")
        from packaging.metadata import parse_email  # takes longer than all else of what a lock needs before uv

        return parse_email(self._read[f"{self.dist_info}/METADATA"])[0]

    def _identity(self) -> Iterator[str]:
        name, version = self.metadata.get("name", ""), self.metadata.get("version", "")
        form = self.metadata.get("metadata_version", "")
        if form.partition(".")[0] not in {"1", "2"}:
            yield f"METADATA: Metadata-Version is {form!r}; versions 1.x and 2.x are known"
        if normalize(name) != self.name:
            yield f"METADATA: the name is {name!r}, not the wheel's, {self.name}"
        if not _is_version(version, self.version):
            yield f"METADATA: the version is {version!r}, not the wheel's, {self.version}"

    def _place(self, name: str) -> tuple[str, str] | None:
        """Return scheme and path of a member; None in a .data folder that is no scheme's."""
        top, _, rest = name.partition("/")
        if top != self.data_dir:
            return "site", name
        scheme, _, path = rest.partition("/")
        if scheme not in _SCHEMES or not path:
            return None
        return ("site" if scheme.endswith("lib") else scheme), path

    def _landings(self, infos: Iterable[str]) -> Iterator[str]:
        """Find members that cannot be put where they belong, on any platform, without one harming another."""
        landed: dict[tuple[str, str], str] = {}
        folders: dict[tuple[str, str], str] = {}
        for name in infos:
            place = self._place(name)
            if place is None:
                yield f"{name}: not in a folder of {', '.join(sorted(_SCHEMES))}"
                continue
            scheme, path = landing(*place)
            if scheme == "site" and "/" not in path and path.endswith(_START_UP):
                yield from self._start_up_problems(name, path)
            key = _folded(path)
            if (other := landed.setdefault((scheme, key), name)) != name:
                yield f"{name}: lands where {other} does, or differs only by case or Unicode form"
            while key := key.rpartition("/")[0]:
                folders.setdefault((scheme, key), name)
        for place in landed.keys() & folders.keys():
            yield f"{landed[place]}: a file where {folders[place]} needs a folder"

    def _start_up_problems(self, name: str, path: str) -> Iterator[str]:
        if _folded(path) in _OURS:
            yield f"{name}: that name is multisite's own"
        if problem := _too_large(name, self._archive.getinfo(name).file_size):
            yield problem

    def _members(self, infos: dict[str, zipfile.ZipInfo], rows: dict[str, RecordEntry]) -> tuple[Member, ...]:
        places = {name: place for name in infos if (place := self._place(name))}
        unrecorded = {f"{self.dist_info}/{name}" for name in _UNRECORDED}  # nobody can know the hash of RECORD in it
        excluded = Exclusions(
            dist_info=self.dist_info,
            entry_points=self.entry_points,
            landings={landing(*place) for place in places.values()},
        )
        return tuple(
            Member(
                name=name,
                scheme=scheme,
                path=path,
                record=(name not in unrecorded and rows.get(name)) or RecordEntry(path=name),
                executable=bool(infos[name].external_attr >> 16 & 0o111),
                is_content=landing(scheme, path) not in excluded,
            )
            for name, (scheme, path) in places.items()
        )


def wheel_tags(text: str) -> tuple[str, ...]:
    """Return the tags in the text of a WHEEL file, sorted."""
    from installer.utils import parse_metadata_file

    return tuple(sorted({str(tag).strip() for tag in parse_metadata_file(text).get_all("Tag", [])}))


def _wheel_version(text: str) -> Iterator[str]:
    from installer.utils import parse_metadata_file

    version = str(parse_metadata_file(text).get("Wheel-Version", "")).strip()
    # A later 1.x is meant to be installed as 1.0 is.
    if version.partition(".")[0] != "1":
        yield f"WHEEL: Wheel-Version is {version!r}; versions 1.x are known"


def _entry_point_problems(text: str | None) -> list[str]:
    problems: list[str] = []
    for _ in declared_scripts(text, problems):
        pass  # what can be made is made in environments
    return problems


def _parsed_filename(filename: str) -> tuple[NormalizedName, Version]:
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise InvalidWheel(filename, ["its file name is not one of a wheel"]) from error
    return name, version


def _is_version(text: str, version: Version) -> bool:
    try:
        # In file names an underscore may stand for the dash or plus sign that tools escaped.
        return text == str(version) or Version(text) == version
    except InvalidVersion:
        return False


def _infos(archive: zipfile.ZipFile, filename: str) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's files by name, when every name is safe and every file can be read."""
    infos: dict[str, zipfile.ZipInfo] = {}
    problems: list[str] = []
    for info in archive.infolist():
        problems += _faults(info)
        if info.filename.endswith("/"):
            continue
        if info.filename in infos:
            problems.append(f"{_shown(info)}: twice in the archive")
        infos[info.filename] = info
    if problems:
        raise InvalidWheel(filename, problems)
    return infos


def _faults(info: zipfile.ZipInfo) -> Iterator[str]:
    # zipfile cuts names at NUL and, on Windows, turns backslashes; the original is what others may read.
    name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or _DRIVE.match(name) or {".", ".."} & set(parts):
        yield f"{_shown(info)}: leads out of the wheel"
    elif "" in parts:
        yield f"{_shown(info)}: not a path"
    if len(parts) > _DEEPEST or max(len(part.encode()) for part in parts) > _LONGEST_NAME:
        yield f"{_shortened(name)}: a name of more than {_LONGEST_NAME} bytes, or below more than {_DEEPEST} folders"
    if _WINDOWS and any(_DEVICE.fullmatch(part) or _NOT_ON_WINDOWS.search(part) for part in parts):
        yield f"{_shown(info)}: a name that Windows takes for something else"
    if _REFUSED.search(name):
        yield f"{_shown(info)}: a backslash or control character in the name"
    if kind == stat.S_IFLNK:
        yield f"{_shown(info)}: a symbolic link"
    elif kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        yield f"{_shown(info)}: not a regular file"
    if info.flag_bits & _ENCRYPTED:
        yield f"{_shown(info)}: encrypted"
    if info.compress_type not in _COMPRESSIONS:
        yield f"{_shown(info)}: compressed with method {info.compress_type}; wheels are stored or deflated"


def _too_large(name: str, size: int) -> str | None:
    most = _LARGEST.get(name.rpartition("/")[2], _LARGEST_OTHER)
    return f"{name}: it has {size} bytes; at most {most} are read" if size > most else None


def _folded(path: str) -> str:
    """Return what paths are compared by: filesystems that fold case and Unicode forms take equal ones for one."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def _shown(info: zipfile.ZipInfo) -> str:
    return _shortened(info.orig_filename)


def _shortened(name: str) -> str:
    name = name if len(name) <= _LONGEST_NAME else f"{name[:60]}...{name[-20:]}"
    return name if name.isprintable() else repr(name)


def _compared(infos: Iterable[str], rows: Iterable[RecordEntry], dist_info: str) -> Iterator[str]:
    """Compare the names in the archive with the lines of RECORD.

    A line for what is not in the archive is none of ours: build tools leave files out after they made RECORD (seen in
    ddtrace 2.10), and installers take what there is.
    """
    unrecorded = {f"{dist_info}/{name}" for name in _UNRECORDED}
    recorded: dict[str, RecordEntry] = {}
    for row in rows:
        if recorded.setdefault(row.path, row) != row:
            yield f"{row.path}: twice in RECORD"
        elif row.path in unrecorded:
            continue
        elif row.algorithm is None:
            yield f"{row.path}: RECORD has no hash"
        elif row.algorithm not in _RELIABLE:
            yield f"{row.path}: RECORD has a hash of {row.algorithm}; sha256 or better is needed"
    left = set(infos) - recorded.keys() - unrecorded
    yield from (f"{path}: in the archive, but not in RECORD" for path in sorted(left))

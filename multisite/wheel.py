"""One wheel file: what it holds, and where it would go (PEP 427).

Nothing of a wheel is used before everything that can be known without its contents has been checked, and every fault
is reported; the contents are checked while they are unpacked.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from multisite.content import Exclusions, landing
from multisite.errors import InvalidDocument, InvalidWheel
from multisite.names import normalize
from multisite.record import RecordEntry, parse_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

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
_REFUSED = re.compile(r"[\\\x00-\x1f\x7f]")


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

    def __init__(self, archive: zipfile.ZipFile, filename: str) -> None:
        self._archive = archive
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
        problems = [*_wheel_version(wheel), *self._identity()]
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
        try:
            archive = zipfile.ZipFile(path)
        except DAMAGED as error:
            raise InvalidWheel(path.name, [f"it is not a whole zip archive: {error}"]) from error
        with archive:
            yield cls(archive, path.name)

    def open_member(self, member: Member) -> IO[bytes]:
        """Open a member for reading; what was read already is not decompressed again. Raises one of DAMAGED."""
        content = self._read.get(member.name)
        return self._archive.open(member.name) if content is None else io.BytesIO(content)

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
            self._read[name] = self._archive.read(name)
            return self._read[name].decode()
        except KeyError as error:
            raise InvalidWheel(self.filename, [f"{name}: missing"]) from error
        except UnicodeDecodeError as error:
            raise InvalidWheel(self.filename, [f"{name}: not UTF-8 at byte {error.start}"]) from error
        except DAMAGED as error:
            raise InvalidWheel(self.filename, [f"{name}: damaged: {error}"]) from error

    def _parsed_metadata(self) -> RawMetadata:
        self._text("METADATA")
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
            key = unicodedata.normalize("NFC", path).casefold()
            if (other := landed.setdefault((scheme, key), name)) != name:
                yield f"{name}: lands where {other} does, or differs only by case or Unicode form"
            while key := key.rpartition("/")[0]:
                folders.setdefault((scheme, key), name)
        for place in landed.keys() & folders.keys():
            yield f"{landed[place]}: a file where {folders[place]} needs a folder"

    def _members(self, infos: dict[str, zipfile.ZipInfo], rows: dict[str, RecordEntry]) -> tuple[Member, ...]:
        places = {name: place for name in infos if (place := self._place(name))}
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
                record=rows.get(name) or RecordEntry(path=name),
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
    if name.startswith("/") or {".", ".."} & set(parts) or (os.name == "nt" and ":" in name):
        yield f"{_shown(info)}: leads out of the wheel"
    elif "" in parts:
        yield f"{_shown(info)}: not a path"
    if _REFUSED.search(name):
        yield f"{_shown(info)}: a backslash or control character in the name"
    if kind == stat.S_IFLNK:
        yield f"{_shown(info)}: a symbolic link"
    elif kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        yield f"{_shown(info)}: not a regular file"
    if info.header_offset < 0:  # zipfile would seek there
        yield f"{_shown(info)}: damaged: it begins before the archive does"
    if info.flag_bits & _ENCRYPTED:
        yield f"{_shown(info)}: encrypted"
    if info.compress_type not in _COMPRESSIONS:
        yield f"{_shown(info)}: compressed with method {info.compress_type}; wheels are stored or deflated"


def _shown(info: zipfile.ZipInfo) -> str:
    name = info.orig_filename
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

"""One published entry of a store."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multisite.content import (
    NEUTRAL_LINE,
    ContentFile,
    build_name,
    content_digest,
    landing,
    starts_as_python,
)
from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument
from multisite.headers import read_native
from multisite.index import module_index
from multisite.manifest import DataFile, Manifest, claims, top_level
from multisite.names import BuildId, is_plain_name, normalize
from multisite.native import data_path
from multisite.record import RecordEntry, parse_record
from multisite.wheel import wheel_tags

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from multisite.unpacking import Unpacked

__all__ = [
    "ENTRIES",
    "Artifact",
    "Origins",
    "StoredDistribution",
    "describe",
    "indexed",
    "located",
    "metadata_folder",
    "place",
]

ENTRIES = "multi-site-packages"
_ORIGINS_FORMAT = 1
_ORIGINS_KIND = "list of artifacts"
_REPAIR = "multisite sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A wheel file that an entry can be made from: ``sha256`` has been verified; ``urls`` may be none."""

    sha256: str
    size: int
    filename: str
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path, *, urls: Iterable[str] = ()) -> Artifact:
        """Read the file *path* and say what it is."""
        digest, size = _hashed(path)
        return cls(sha256=digest, size=size, filename=path.name, urls=tuple(urls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The way back from an entry: its artifacts, and the keys of the source builds that made it."""

    artifacts: tuple[Artifact, ...] = ()
    sources: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> Origins:
        """Read ``artifacts.json``. Raises InvalidDocument with every fault, UnsupportedFormat."""
        fields = Fields(load_document(document, kind=_ORIGINS_KIND, format=_ORIGINS_FORMAT, where=where))
        origins = cls(
            artifacts=tuple(
                Artifact(
                    sha256=item.digest("sha256"),
                    size=item.natural("size"),
                    filename=_plain_name(item),
                    urls=item.texts("urls"),
                )
                for item in fields.mappings("artifacts")
            ),
            sources=fields.digests("sources"),
        )
        fields.finish(_ORIGINS_KIND, where)
        return origins

    def to_document(self) -> bytes:
        """Return the document as it is written."""
        artifacts = [
            {"sha256": one.sha256, "size": one.size, "filename": one.filename, "urls": list(one.urls)}
            for one in self.artifacts
        ]
        return dump_document({"artifacts": artifacts, "sources": list(self.sources)}, format=_ORIGINS_FORMAT)

    def with_artifact(self, artifact: Artifact) -> Origins:
        """Return these and *artifact*; of one that is known, its addresses are added."""
        known = {one.sha256: one for one in self.artifacts}
        before = known.get(artifact.sha256, replace(artifact, urls=()))
        urls = (*before.urls, *map(_without_credentials, artifact.urls))
        known[artifact.sha256] = replace(before, urls=tuple(dict.fromkeys(urls)))
        return Origins(artifacts=tuple(known.values()), sources=self.sources)

    def with_source(self, key: str) -> Origins:
        """Return these and the source build *key*."""
        return Origins(artifacts=self.artifacts, sources=tuple(dict.fromkeys((*self.sources, key))))


def _plain_name(fields: Fields) -> str:
    """Read the name that a fetched file is to have: no path, so that it cannot be written elsewhere."""
    name = fields.text("filename")
    if name and not is_plain_name(name):
        fields.problem("filename", f"{name!r} is not a plain file name")
    return name


def _without_credentials(url: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDistribution:
    """An entry, its manifest read. Nothing says that its files are still what they were."""

    store_root: Path
    id: BuildId
    manifest: Manifest

    @property
    def folder(self) -> Path:
        """The entry's folder."""
        return self.store_root / ENTRIES / self.id.path

    @property
    def root(self) -> str:
        """The folder that imports look in, relative to the store, as the dispatch table has it."""
        return f"{ENTRIES}/{self.id.path}/site-packages"

    @property
    def site_packages(self) -> Path:
        """The folder that imports look in."""
        return self.folder / "site-packages"

    @property
    def dist_info(self) -> Path:
        """The folder of the metadata."""
        return self.site_packages / self.manifest.dist_info

    def data(self, scheme: str) -> Path:
        """Return the folder of the ``.data`` parts of a *scheme*: scripts, headers or data."""
        return self.folder / "data" / scheme

    def record(self) -> list[RecordEntry]:
        """Read RECORD: files of site-packages by their path there, the others as ``….data/<scheme>/<path>``."""
        path = self.dist_info / "RECORD"
        return parse_record(path.read_text(encoding="utf-8"), where=path)

    def located(self, row: RecordEntry) -> Path:
        """Return the file that a line of RECORD is about."""
        return located(self.folder, row.path)

    def place(self, row: RecordEntry) -> str:
        """Return where in the entry's folder the file is that a line of RECORD is about."""
        return place(row.path)

    def metadata_text(self) -> str:
        """Read METADATA."""
        return (self.dist_info / "METADATA").read_text(encoding="utf-8")

    def origins(self) -> Origins:
        """Read where the entry came from; an entry without that file came from nowhere that is known."""
        path = self.folder / "artifacts.json"
        try:
            return Origins.from_document(path.read_bytes(), path)
        except FileNotFoundError:
            return Origins()


def _placed(path: str) -> tuple[str, str]:
    """Return scheme and path for a path of an entry's RECORD."""
    top, _, rest = path.partition("/")
    if not top.endswith(".data"):
        return "site", path
    scheme, _, path = rest.partition("/")
    return scheme, path


def place(path: str) -> str:
    """Return where in an entry the file is that RECORD calls *path*."""
    scheme, rest = _placed(path)
    return f"site-packages/{rest}" if scheme == "site" else f"data/{scheme}/{rest}"


def located(folder: Path, path: str) -> Path:
    """Return the file in the *folder* of an entry that its RECORD has as *path*."""
    return folder / place(path)


def describe(folder: Path, *, native: Iterable[str] | None = None, unpacked: Unpacked | None = None) -> Manifest:
    """Make the manifest of the entry in *folder* from what is in it: RECORD, metadata, ``.pth`` files and so on.

    *native* names the files that begin as native code, as RECORD does, and *unpacked* says all that has just been
    written there; without them each file is looked at. Raises InvalidDocument where something is missing or unreadable.
    """
    try:
        return _described(folder, native, unpacked)
    except InvalidDocument:
        raise
    except (OSError, ValueError) as error:  # not there, not UTF-8, no version
        raise InvalidDocument("entry", folder, [str(error)], hint=_REPAIR) from error


def _described(folder: Path, native: Iterable[str] | None, unpacked: Unpacked | None) -> Manifest:
    from packaging.metadata import parse_email
    from packaging.version import Version

    site = folder / "site-packages"
    info = metadata_folder(folder)
    record: Sequence[RecordEntry]
    if unpacked is None:
        record = parse_record((info / "RECORD").read_text(encoding="utf-8"), where=info / "RECORD")
        executable = frozenset(row.path for row in record if _may_run(located(folder, row.path)))
    else:
        record, executable, native = unpacked.record, unpacked.executable, unpacked.native
    metadata, _ = parse_email((info / "METADATA").read_bytes())
    points = info / "entry_points.txt"
    tags = wheel_tags((info / "WHEEL").read_text(encoding="utf-8"))
    rows = [(*_placed(row.path), row) for row in record if row.path != f"{info.name}/RECORD"]
    paths = [path for scheme, path, _ in rows if scheme == "site"]
    digest = content_digest(_content(folder, scheme, path, row) for scheme, path, row in rows)
    return Manifest(
        name=normalize(metadata.get("name", "")),
        version=str(Version(metadata.get("version", ""))),
        build=build_name(tags, digest),
        digest=digest,
        tags=tags,
        dist_info=info.name,
        metadata_name=metadata.get("name", ""),
        metadata_version=metadata.get("version", ""),
        requires_python=metadata.get("requires_python"),
        requires_dist=tuple(metadata.get("requires_dist", ())),
        provides_extra=tuple(metadata.get("provides_extra", ())),
        entry_points=points.read_text(encoding="utf-8") if points.is_file() else None,
        top_level=top_level(paths),
        claims=claims(paths),
        pth=_texts(site, paths, ".pth"),
        start=_texts(site, paths, ".start"),
        data=tuple(_data_file(executable, *placed) for placed in rows if placed[0] != "site"),
        native=read_native(dict(_native_files(folder, rows, native))),
        executable=tuple(sorted(executable.intersection(paths))),
        files=len(record),
        size=sum(row.size or 0 for row in record),
    )


def indexed(folder: Path, *, unpacked: Unpacked | None = None) -> bytes:
    """Return the module index of the entry in *folder*, by its RECORD. Raises InvalidDocument, OSError."""
    if unpacked is None:
        path = metadata_folder(folder) / "RECORD"
        rows: Iterable[RecordEntry] = parse_record(path.read_text(encoding="utf-8"), where=path)
    else:
        rows = unpacked.record
    placed = (_placed(row.path) for row in rows)
    return module_index(path for scheme, path in placed if scheme == "site")


def _native_files(
    folder: Path, rows: Iterable[tuple[str, str, RecordEntry]], native: Iterable[str] | None
) -> Iterator[tuple[str, Path]]:
    """Yield the files that may be native, by the path that an installed one has relative to site-packages."""
    named = None if native is None else frozenset(native)
    for scheme, path, row in rows:
        if scheme in {"site", "data"} and (named is None or row.path in named):
            yield path if scheme == "site" else data_path(path), located(folder, row.path)


def metadata_folder(folder: Path) -> Path:
    """Return the dist-info folder of the entry in *folder*. Raises InvalidDocument, OSError."""
    found = sorted(path for path in (folder / "site-packages").iterdir() if path.name.endswith(".dist-info"))
    if len(found) != 1:
        raise InvalidDocument("entry", folder, [f"{len(found)} .dist-info folders instead of one"], hint=_REPAIR)
    return found[0]


def _content(folder: Path, scheme: str, path: str, row: RecordEntry) -> ContentFile:
    """Return what the content digest counts of a file: RECORD's word, but a script's neutral form."""
    landed, place = landing(scheme, path)
    sha256, size = row.sha256 or "", row.size or 0
    if landed == "scripts":
        with located(folder, row.path).open("rb") as file:
            first = file.readline()
        if starts_as_python(first):
            sha256, size = _hashed(located(folder, row.path), skip=len(first), start=NEUTRAL_LINE)
    return ContentFile(scheme=landed, path=place, sha256=sha256, size=size)


def _hashed(path: Path, *, skip: int = 0, start: bytes = b"") -> tuple[str, int]:
    """Return SHA-256 and size of a file, with *start* in the place of its first *skip* bytes."""
    digest, size = hashlib.sha256(start), len(start)
    with path.open("rb") as file:
        file.seek(skip)
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _texts(site: Path, paths: Iterable[str], suffix: str) -> dict[str, str]:
    # As an interpreter reads them, but for a start-up file that is not UTF-8: what that does depends on the locale.
    names = [path for path in paths if path.endswith(suffix) and "/" not in path]
    return {name: (site / name).read_text(encoding="utf-8-sig", errors="surrogateescape") for name in names}


def _data_file(executable: Collection[str], scheme: str, path: str, row: RecordEntry) -> DataFile:
    may_run = row.path in executable
    return DataFile(scheme=scheme, path=path, sha256=row.sha256 or "", size=row.size or 0, executable=may_run)


def _may_run(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o111)
    except FileNotFoundError:
        return False  # whoever compares files with RECORD says that it is missing

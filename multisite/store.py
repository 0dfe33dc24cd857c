"""The store: every distribution of this machine, once.

A published entry never changes in what its RECORD lists. It is built under ``.incoming``, verified while it is written,
and published by one rename; whoever is killed before that leaves something under ``.incoming`` and nothing else, which
whoever unpacks next takes away.
Readers take no locks. Layout and formats: docs/formats.md.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.batch import make_flushed
from multisite.cloning import CannotShare
from multisite.document import Fields, dump_document, load_document
from multisite.duplicates import carry_out, listed, plan, read_way
from multisite.entry import ENTRIES, Artifact, Origins, StoredDistribution, describe, indexed
from multisite.errors import EntryMissing, InvalidDocument, InvalidWheel, StoreNotUsable, UnsupportedFormat
from multisite.files import PUBLISHED, locked, make_folders, publish, write_atomic, write_file
from multisite.flushing import flushing
from multisite.index import NAME as INDEX
from multisite.layout import FORMAT, create, describe_store, is_store
from multisite.manifest import FORMAT as MANIFEST_FORMAT
from multisite.manifest import Manifest
from multisite.names import BuildId
from multisite.record import parse_record
from multisite.restoring import renew, renew_shared
from multisite.scratch import incoming
from multisite.sharing import SharedFolder, find_shared, index_shared, make_shared
from multisite.trust import Trust
from multisite.unpacking import unpack
from multisite.verifying import verify_members
from multisite.wheel import WheelFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from multisite.record import RecordEntry

__all__ = ["Artifact", "SharedFolder", "Store", "StoredDistribution"]

_ALIAS_FORMAT = 1
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ATTEMPTS = 5
# Somebody else's store, or one on a disk that is mounted for reading: derived data is then made for this process.
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NOT_USABLE = _READ_ONLY | {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store in the folder ``root``; ``id`` is its own, ``min_writer`` the least format that a writer must know."""

    root: Path
    id: str
    min_writer: int

    @classmethod
    def open(cls, root: Path, *, private: bool = False) -> Store:
        """Open the store in *root*; make one, *private* or not, when there is nothing in that folder.

        Raises StoreNotUsable for a folder that holds something else or cannot be used, UnsupportedFormat,
        InvalidDocument.
        """
        try:
            if not is_store(root):
                create(root, private=private)
            found = describe_store(root)
        except StoreNotUsable:
            raise
        except OSError as error:
            raise StoreNotUsable(root, error.strerror or str(error)) from error
        return cls(root=root, id=found.id, min_writer=found.min_writer)

    def builds(self) -> Iterator[BuildId]:
        """Yield what entries there are, sorted, without reading them."""
        for path in sorted((self.root / ENTRIES).glob("[!.]*/*/*")):
            try:
                yield BuildId.parse(path.relative_to(self.root / ENTRIES).as_posix())
            except ValueError:
                continue  # not ours

    def entries(self) -> Iterator[StoredDistribution]:
        """Yield every entry, sorted. Raises InvalidDocument at one that is damaged."""
        return (self.entry(build) for build in self.builds())

    def entry(self, build: BuildId) -> StoredDistribution:
        """Return an entry. Raises EntryMissing, and InvalidDocument where its metadata are damaged."""
        folder = self._folder(build)
        try:
            manifest = _read_manifest(folder / "manifest.json", build)
        except (FileNotFoundError, InvalidDocument, UnsupportedFormat) as error:
            manifest = self._described_again(build, folder, error)
        return StoredDistribution(store_root=self.root, id=build, manifest=manifest)

    def find_artifact(self, sha256: str) -> StoredDistribution | None:
        """Return the entry that the wheel file with this hash was unpacked to, None where there is none."""
        return self._aliased(self._artifact_alias(sha256))

    def find_source(self, key: str) -> StoredDistribution | None:
        """Return the entry that a source build with this key made, None where there is none."""
        return self._aliased(self._source_alias(key))

    def addresses(self, sha256: str) -> tuple[str, ...]:
        """Return where the wheel file with this hash was got from, as far as that is known."""
        found = self.find_artifact(sha256) if _KEY.fullmatch(sha256) else None
        origins = None if found is None else _origins(found)
        known = () if origins is None else origins.artifacts
        return tuple(url for artifact in known if artifact.sha256 == sha256 for url in artifact.urls)

    def add_wheel(
        self,
        path: Path,
        *,
        artifact: Artifact,
        source_key: str | None = None,
        replace: bool = False,
        proceed: Callable[[], None] = lambda: None,
    ) -> StoredDistribution:
        """Return the entry of the wheel file *path*, unpacked into the store unless it is there already.

        *artifact* is that file; the caller has compared its hash with what was wanted. *source_key* names the build
        that made it. With *replace* an entry that is there is unpacked anew: the way to mend one. *proceed* is that of
        ``unpack``.

        Raises InvalidWheel with every fault, StoreNotUsable, UnsupportedFormat.
        """
        found = None if replace else self.find_artifact(artifact.sha256)
        try:
            if found is None:
                self.demand_writable()
                found = self._unpacked(path, artifact, replace=replace, proceed=proceed)
            self._note(found, artifact, source_key)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                problem = f"a path in it is too long for the filesystem of the store {self.root}"
                raise InvalidWheel(artifact.filename, [problem]) from error
            if isinstance(error, StoreNotUsable) or error.errno not in _NOT_USABLE:
                raise
            raise StoreNotUsable(self.root, error.strerror or str(error)) from error
        return found

    def shared_folder(self, members: Sequence[StoredDistribution], *, replace: bool = False) -> SharedFolder:
        """Return the folder that *members*, which collide, share; made when it is missing, or with *replace* anew."""
        found = find_shared(self.root, members)
        if found is not None and replace:
            self.demand_writable()
            self._renewed_shared(found, members)
        if found is None:
            self.demand_writable()
            found = make_shared(self.root, members)
        elif self.is_ours_to_write:
            with contextlib.suppress(PermissionError, InvalidDocument):
                index_shared(self.root, members)
        return found

    def _renewed_shared(self, shared: SharedFolder, members: Sequence[StoredDistribution]) -> None:
        folder = self.root / "shared" / shared.digest
        found = verify_members(folder, shared.digest, members, trust=Trust().with_owner(self.root), whole=True)
        with incoming(self.root / "shared") as aside:
            renew_shared(found, members, aside)

    def table_path(self, key: str) -> Path:
        """Return where the compiled dispatch table with this key is kept."""
        return self.root / "tables" / _checked(key)

    def read_table(self, key: str) -> bytes | None:
        """Return a kept dispatch table, None where there is none."""
        try:
            return self.table_path(key).read_bytes()
        except FileNotFoundError:
            return None

    def write_table(self, key: str, data: bytes) -> None:
        """Keep a compiled dispatch table for every environment with the same key."""
        self.demand_writable()
        path = self.table_path(key)
        make_flushed(path.parent, published=True)
        write_atomic(path, data, mode=PUBLISHED, sync=True)  # nobody writes it again

    @property
    def is_ours_to_write(self) -> bool:
        """Whether this multisite knows enough to write there; file modes may forbid it all the same."""
        return self.min_writer <= FORMAT

    def demand_writable(self) -> None:
        """Refuse to write to a store to which only later releases may. Raises UnsupportedFormat."""
        if not self.is_ours_to_write:
            raise UnsupportedFormat("store, to write to it,", self.root, found=self.min_writer, known=FORMAT)

    def _folder(self, build: BuildId) -> Path:
        return self.root / ENTRIES / build.path

    def _described_again(self, build: BuildId, folder: Path, error: Exception) -> Manifest:
        """Make a manifest again that is missing, damaged, or of another format."""
        if not folder.is_dir():
            raise EntryMissing(str(build), self.root) from error
        manifest = describe(folder)
        if manifest.build_id != build:
            problem = f"RECORD and metadata are those of {manifest.build_id}"
            raise InvalidDocument("entry", folder, [problem], hint="multisite sync") from error
        # What a later multisite wrote is left for it.
        if not (isinstance(error, UnsupportedFormat) and _is_later(error.found)) and self.is_ours_to_write:
            try:
                # The manifest is the last: its format says that the index is there.
                write_atomic(folder / INDEX, indexed(folder), mode=PUBLISHED)
                write_atomic(folder / "manifest.json", manifest.to_document(), mode=PUBLISHED)
            except OSError as failure:
                if failure.errno not in _READ_ONLY:
                    raise
        return manifest

    def _unpacked(
        self, path: Path, artifact: Artifact, *, replace: bool, proceed: Callable[[], None]
    ) -> StoredDistribution:
        with self._incoming() as folder, flushing(folder) as flush:
            with WheelFile.open(path) as wheel:
                unpacked = unpack(wheel, folder, proceed=proceed)
            manifest = describe(folder, unpacked=unpacked)
            write_file(folder / "manifest.json", manifest.to_document())
            write_file(folder / INDEX, indexed(folder, unpacked=unpacked))
            write_file(folder / "artifacts.json", Origins().with_artifact(artifact).to_document())
            flush(folder, size=manifest.size)
            self._share(folder, manifest)
            if not (replace and self._folder(manifest.build_id).is_dir()):
                return self._published(folder, manifest)
            self._renewed(folder, manifest)
        try:
            return self.entry(manifest.build_id)
        except EntryMissing:  # removed meanwhile, and what was put there with it
            return self._unpacked(path, artifact, replace=False, proceed=proceed)

    def _renewed(self, folder: Path, manifest: Manifest) -> None:
        """Mend the entry that is there, file by file, for programs run from it; what it came from is kept."""
        target = self._folder(manifest.build_id)
        with contextlib.suppress(InvalidDocument, UnsupportedFormat, OSError):
            Origins.from_document((target / "artifacts.json").read_bytes(), target)
            (folder / "artifacts.json").unlink()
        with self._incoming() as aside:
            renew(folder, target, aside, store_root=self.root, build=manifest.build_id)

    def _share(self, folder: Path, manifest: Manifest) -> None:
        """Have the files of a new entry share with equal ones of other builds of its name, where the store wants it."""
        way = read_way(self.root)
        if way is None:
            return
        others = [self._folder(build) for build in self.builds() if build.name == manifest.name]
        files = [file for one in (folder, *others) for file in listed(one, _record(one))]
        # The setting may be older than the filesystem that the store is on now.
        with contextlib.suppress(CannotShare):
            carry_out(plan(files, way, within=folder), self.root)

    @contextlib.contextmanager
    def _incoming(self) -> Iterator[Path]:
        with incoming(self.root / ENTRIES) as folder:
            yield folder

    def _published(self, folder: Path, manifest: Manifest) -> StoredDistribution:
        """Rename *folder* into place, or return the entry that somebody else put there first."""
        build = manifest.build_id
        for _ in range(_ATTEMPTS):
            if publish(folder, self._folder(build), sync=True):
                return StoredDistribution(store_root=self.root, id=build, manifest=manifest)
            try:
                winner = self.entry(build)
            except EntryMissing:
                continue  # removed at this moment
            except InvalidDocument:
                self._set_aside(build)
                continue
            if winner.manifest.digest != manifest.digest:
                raise StoreNotUsable(self.root, f"{build} has other content with the same name")
            return winner
        raise StoreNotUsable(self.root, f"{build} is removed again and again")

    def _set_aside(self, build: BuildId) -> None:
        """Take away an entry that is there, in one step for those who look for it."""
        with self._incoming() as aside, contextlib.suppress(FileNotFoundError):
            self._folder(build).rename(aside / "entry")

    def _note(self, found: StoredDistribution, artifact: Artifact, source_key: str | None) -> None:
        """Write down that *artifact*, and the build *source_key*, lead to this entry."""
        if not _has(_origins(found), artifact, source_key):
            self.demand_writable()
            name = hashlib.sha256(str(found.id).encode()).hexdigest()[:32]
            make_folders(self.root / "locks")
            with locked(self.root / "locks" / f"{name}.lock"):
                noted = (_origins(found) or Origins()).with_artifact(artifact)
                noted = noted if source_key is None else noted.with_source(source_key)
                write_atomic(found.folder / "artifacts.json", noted.to_document(), mode=PUBLISHED, sync=True)
        self._alias(self._artifact_alias(artifact.sha256), found)
        if source_key is not None:
            self._alias(self._source_alias(source_key), found)

    def _artifact_alias(self, sha256: str) -> Path:
        return self.root / "artifacts" / "sha256" / _checked(sha256)[:2] / f"{sha256}.json"

    def _source_alias(self, key: str) -> Path:
        return self.root / "sources" / f"{_checked(key)}.json"

    def _alias(self, path: Path, found: StoredDistribution) -> None:
        value = {"entry": str(found.id), "digest": found.manifest.digest}
        document = dump_document(value, format=_ALIAS_FORMAT)
        with contextlib.suppress(FileNotFoundError):
            if path.read_bytes() == document:
                return
        self.demand_writable()
        for attempt in range(_ATTEMPTS):
            try:
                make_folders(path.parent)
                write_atomic(path, document, mode=PUBLISHED)
                return
            except FileNotFoundError:  # garbage collection removed the folder, being empty, at this moment
                if attempt == _ATTEMPTS - 1:
                    raise

    def _aliased(self, path: Path) -> StoredDistribution | None:
        """Follow an alias; a damaged one, or one that leads nowhere, counts as none and will be written again."""
        try:
            fields = Fields(load_document(path.read_bytes(), kind="alias", format=_ALIAS_FORMAT, where=path))
            build, digest = fields.text("entry"), fields.digest("digest")
            fields.finish("alias", path)
            found = self.entry(BuildId.parse(build))
        except (FileNotFoundError, InvalidDocument, EntryMissing):
            return None
        except UnsupportedFormat:
            raise
        except ValueError:
            return None
        return found if found.manifest.digest == digest else None


def _read_manifest(path: Path, build: BuildId) -> Manifest:
    manifest = Manifest.from_document(path.read_bytes(), path)
    if manifest.build_id != build:
        raise InvalidDocument("entry manifest", path, [f"it is that of {manifest.build_id}"])
    return manifest


def _record(folder: Path) -> list[RecordEntry]:
    """Read the RECORD of the entry in *folder*; an entry that is damaged, or just taken away, has none."""
    for path in (folder / "site-packages").glob("*.dist-info/RECORD"):
        with contextlib.suppress(FileNotFoundError, UnicodeDecodeError, InvalidDocument):
            return parse_record(path.read_text(encoding="utf-8"), where=path)
    return []


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a SHA-256 in hexadecimal digits: {key!r}")
    return key


def _is_later(found: object) -> bool:
    return isinstance(found, int) and found > MANIFEST_FORMAT


def _origins(found: StoredDistribution) -> Origins | None:
    """Return where an entry came from; None where that is damaged, to be written anew."""
    try:
        return found.origins()
    except InvalidDocument:
        return None


def _has(origins: Origins | None, artifact: Artifact, source_key: str | None) -> bool:
    return (
        origins is not None
        and origins.with_artifact(artifact) == origins
        and (source_key is None or source_key in origins.sources)
    )

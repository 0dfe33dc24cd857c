"""One entry or one shared folder of a store, verified: files, documents, and what was published under that name.

Readers are never blocked, and nothing is written. What vanishes while it is looked at was taken away by somebody who
may: that is no damage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multisite.contents import Contents, Expected, compare
from multisite.damage import Damage
from multisite.entry import ENTRIES, Origins, StoredDistribution, describe, indexed, metadata_folder, place
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.index import NAME as INDEX
from multisite.manifest import Manifest
from multisite.record import parse_record
from multisite.sharing import SharedLayout, read_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from multisite.names import BuildId
    from multisite.record import RecordEntry
    from multisite.trust import Trust

__all__ = ["Verified", "programs_of", "read_manifest", "verify_entry", "verify_members", "verify_shared"]

_DOCUMENTS = {"manifest.json": "manifest", "artifacts.json": "origins", INDEX: "index"}
_DERIVED = Expected(algorithm=None, digest=None, size=None, newest=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found in one folder. ``subject`` names it: a build, or ``shared/<digest>``.

    ``manifest`` is that of an entry, None where it cannot be told. ``caches`` are bytecode files and other derived ones
    whose content was not looked at.
    """

    subject: str
    folder: Path
    damage: tuple[Damage, ...] = ()
    manifest: Manifest | None = None
    caches: tuple[str, ...] = ()
    files: int = 0
    size: int = 0

    @property
    def faults(self) -> tuple[Damage, ...]:
        """The damage that matters."""
        return tuple(one for one in self.damage if not one.is_harmless)


def verify_entry(
    store_root: Path,
    build: BuildId,
    *,
    trust: Trust,
    whole: bool,
    advance: Callable[[int], None] = lambda size: None,  # noqa: ARG005
) -> Verified | None:
    """Verify an entry; None where there is none, or none any more. The arguments are those of ``contents.compare``."""
    folder = store_root / ENTRIES / build.path
    before = _identity(folder)
    if before is None:
        return None
    manifest, damage = _manifest(folder, build)
    contents, more = Contents(), list[Damage]()
    try:
        info = folder / "site-packages" / manifest.dist_info if manifest else metadata_folder(folder)
        record = info / "RECORD"
        newest = record.stat().st_mtime_ns
        rows = parse_record(record.read_text(encoding="utf-8"), where=record)
    except (InvalidDocument, OSError, UnicodeDecodeError) as error:
        more.append(_unread("record", folder, error))
    else:
        contents = _compared(folder, rows, manifest, newest, trust, advance, whole=whole)
    damage += [replace(one, kind=_DOCUMENTS.get(one.path, one.kind)) for one in contents.damage] + more
    damage += _origins(folder)
    if whole and not any(one.kind not in {"manifest", "origins", "index", "data", "mode"} for one in damage):
        manifest, more = _identified(folder, build, manifest, contents, rows)
        damage += more + _index_damage(folder, lambda: indexed(folder))
    if _identity(folder) != before:
        return None
    found = {(one.path, one.kind): one for one in damage}  # what is missing cannot be read either
    return Verified(
        subject=str(build),
        folder=folder,
        manifest=manifest,
        damage=tuple(found[key] for key in sorted(found)),
        caches=contents.caches,
        files=contents.files,
        size=contents.size,
    )


def _compared(
    folder: Path,
    rows: Sequence[RecordEntry],
    manifest: Manifest | None,
    newest: int,
    trust: Trust,
    advance: Callable[[int], None],
    *,
    whole: bool,
) -> Contents:
    programs = programs_of(manifest)
    expected = {}
    for row in rows:
        path = place(row.path)
        expected[path] = _expected(row, newest, executable=path in programs)
    for name in _DOCUMENTS:
        # Earlier releases made no index; with the manifest's present format there is one.
        if name != INDEX or (folder / INDEX).is_file() or _has_index(folder):
            expected[name] = _DERIVED
    return compare(folder, expected, trust=trust, whole=whole, advance=advance)


def _expected(row: RecordEntry, newest: int, *, executable: bool) -> Expected:
    return Expected(algorithm=row.algorithm, digest=row.digest, size=row.size, newest=newest, executable=executable)


def programs_of(manifest: Manifest | None) -> frozenset[str]:
    """Return the files of an entry that may be executed, by their paths in it, as far as that is known."""
    if manifest is None:
        return frozenset()
    data = (f"data/{file.scheme}/{file.path}" for file in manifest.data if file.executable)
    return frozenset([*data, *(f"site-packages/{path}" for path in manifest.executable)])


def _manifest(folder: Path, build: BuildId) -> tuple[Manifest | None, list[Damage]]:
    """Read the manifest; one of another format is no damage, and is derived instead."""
    path, damage = folder / "manifest.json", list[Damage]()
    try:
        manifest = Manifest.from_document(path.read_bytes(), path)
        if manifest.build_id == build:
            return manifest, damage
        damage.append(_document("manifest", path.name, f"it is that of {manifest.build_id}"))
    except UnsupportedFormat:
        pass
    except (InvalidDocument, OSError) as error:
        damage.append(_unread("manifest", folder, error, path.name))
    try:
        manifest = describe(folder)
    except InvalidDocument:
        return None, damage  # which file is to blame shows when they are compared
    return (manifest if manifest.build_id == build else None), damage


def read_manifest(store_root: Path, build: BuildId) -> Manifest | None:
    """Return an entry's manifest, derived where it is damaged; None where that cannot be. Nothing is written."""
    return _manifest(store_root / ENTRIES / build.path, build)[0]


def _origins(folder: Path) -> list[Damage]:
    path = folder / "artifacts.json"
    try:
        Origins.from_document(path.read_bytes(), path)
    except (InvalidDocument, OSError) as error:
        return [_unread("origins", folder, error, path.name)]
    except UnsupportedFormat:
        pass
    return []


def _identified(
    folder: Path, build: BuildId, manifest: Manifest | None, contents: Contents, rows: Sequence[RecordEntry]
) -> tuple[Manifest | None, list[Damage]]:
    """Compare an entry whose files are what its RECORD says with what it was published as; return its true manifest."""
    native = [row.path for row in rows if place(row.path) in contents.native]
    try:
        found = describe(folder, native=native)
    except InvalidDocument as error:
        return manifest, [_unread("record", folder, error)]
    if found.build_id != build or (manifest is not None and found.digest != manifest.digest):
        message = "RECORD is not the one that it was published with"
        return None, [Damage(kind="record", path=f"site-packages/{found.dist_info}/RECORD", message=message)]
    if manifest is None or _without_modes(found) == _without_modes(manifest):
        return manifest or found, []
    return found, [_document("manifest", "manifest.json", "it does not say what the entry's files say")]


def _has_index(folder: Path) -> bool:
    """Tell whether the manifest of the entry in *folder* says that an index has been made."""
    try:
        Manifest.from_document((folder / "manifest.json").read_bytes(), folder)
    except (InvalidDocument, UnsupportedFormat, OSError):
        return False
    return True


def _index_damage(folder: Path, wanted: Callable[[], bytes]) -> list[Damage]:
    """Return what is wrong with the module index of *folder*; one that is missing is somebody else's to say."""
    try:
        if (folder / INDEX).read_bytes() == wanted():
            return []
    except FileNotFoundError:
        return []
    except (InvalidDocument, OSError) as error:
        return [_unread("index", folder, error, INDEX)]
    return [_document("index", INDEX, "it does not say what the folder's files say")]


def _without_modes(manifest: Manifest) -> Manifest:
    # What can be executed now may be more than what the wheel said, and less is damage of its own.
    return replace(manifest, executable=(), data=tuple(replace(file, executable=False) for file in manifest.data))


def verify_shared(
    store_root: Path,
    digest: str,
    look: Callable[[str], StoredDistribution | None],
    *,
    trust: Trust,
    whole: bool,
    advance: Callable[[int], None] = lambda size: None,  # noqa: ARG005
) -> Verified | None:
    """Verify a shared folder; *look* returns a member, None for one that is not in the store or cannot be read."""
    folder = store_root / "shared" / digest
    before = _identity(folder)
    if before is None:
        return None
    subject = f"shared/{digest}"
    try:
        shared = read_shared(store_root, digest)
    except (InvalidDocument, OSError) as error:
        found = Verified(subject=subject, folder=folder, damage=(_unread("shared", folder, error, "shared.json"),))
    except UnsupportedFormat:
        return Verified(subject=subject, folder=folder)
    else:
        members = {name: look(name) for name in shared.members}
        missing = sorted(name for name, member in members.items() if member is None)
        if missing:
            message = f"its member {missing[0]} is not in the store, or cannot be read"
            found = Verified(
                subject=subject, folder=folder, damage=(Damage(kind="shared", path="shared.json", message=message),)
            )
        else:
            there = [member for member in members.values() if member is not None]
            found = verify_members(folder, digest, there, trust=trust, whole=whole, advance=advance)
    return found if _identity(folder) == before else None


def verify_members(
    folder: Path,
    digest: str,
    members: Sequence[StoredDistribution],
    *,
    trust: Trust,
    whole: bool,
    advance: Callable[[int], None] = lambda size: None,  # noqa: ARG005
) -> Verified:
    """Verify the files of a shared folder whose *members* are known."""
    subject = f"shared/{digest}"
    try:
        layout = SharedLayout.of(members)
        newest = {member.id: (member.dist_info / "RECORD").stat().st_mtime_ns for member in members}
    except (InvalidDocument, OSError, UnicodeDecodeError) as error:
        return Verified(subject=subject, folder=folder, damage=(_unread("shared", folder, error, "shared.json"),))
    programs = {member.id: programs_of(member.manifest) for member in members}
    expected = {
        path: _expected(
            file.row, newest[file.member.id], executable=file.member.place(file.row) in programs[file.member.id]
        )
        for path, file in layout.files.items()
    }
    expected["shared.json"] = _DERIVED
    if (folder / INDEX).is_file():  # earlier releases made none
        expected[INDEX] = _DERIVED
    damage = list[Damage]()
    if layout.site != "site-packages":
        damage += _link_damage(folder, layout.site)
    found = compare(folder, expected, trust=trust, whole=whole, advance=advance)
    link = "site-packages" if layout.site != "site-packages" else None
    damage += [one for one in found.damage if one.path != link]
    if whole:
        damage += _index_damage(folder, layout.index)
    return Verified(
        subject=subject,
        folder=folder,
        damage=tuple(damage),
        caches=found.caches,
        files=found.files,
        size=found.size,
    )


def _link_damage(folder: Path, site: str) -> list[Damage]:
    path = folder / "site-packages"
    try:
        if path.readlink().as_posix() == site:
            return []
    except OSError:
        pass  # missing, or no link
    message = f"site-packages is no link to {site}"
    return [Damage(kind="kind", path="site-packages", message=message)]


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        facts = folder.stat(follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return facts.st_dev, facts.st_ino


def _document(kind: str, path: str, problem: str) -> Damage:
    return Damage(kind=kind, path=path, message=f"{path}: {problem}")


def _unread(kind: str, folder: Path, error: Exception, path: str = "") -> Damage:
    """Return the damage that a document is which cannot be read, in as few words as serve."""
    if isinstance(error, PermissionError) or isinstance(error.__cause__, PermissionError):
        return Damage(kind="unreadable", path=path, message=f"{path or 'RECORD'} may not be read by this account")
    if isinstance(error, FileNotFoundError):
        missing = path or str(error.filename).removeprefix(f"{folder}/")
        return Damage(kind=kind, path=missing, message=f"{missing} is missing")
    if isinstance(error, InvalidDocument):
        problem = "; ".join(error.problems)
    else:
        problem = str(error)
    return Damage(kind=kind, path=path, message=f"{path or 'RECORD'}: {problem}")

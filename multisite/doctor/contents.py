"""The files of the store's folders against what RECORD says of them."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from multisite.doctor.examination import ExaminedBuild, SharedFiles
from multisite.entry import describe
from multisite.errors import EntryMissing, InvalidDocument, UnsupportedFormat
from multisite.sharing import find_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from multisite.entry import StoredDistribution
    from multisite.names import BuildId
    from multisite.record import RecordEntry
    from multisite.state import ChosenBuild
    from multisite.store import Store

__all__ = ["examine_build", "examine_shared"]

_CHUNK = 1 << 20
_CACHE = "__pycache__"


def examine_build(chosen: ChosenBuild, store: Store, *, deep: bool) -> ExaminedBuild:
    """Look at the entry of a chosen build: the size of each file, with *deep* its hash and the content digest."""
    try:
        stored = store.entry(chosen.build)
        record = stored.record()
    except EntryMissing:
        return ExaminedBuild(chosen=chosen, is_missing=True)
    except (InvalidDocument, UnsupportedFormat, OSError, UnicodeDecodeError) as error:
        return ExaminedBuild(chosen=chosen, problem=str(error), is_forbidden=isinstance(error, PermissionError))
    found = {
        **_sizes(stored.site_packages),
        **{path: size for scheme in _schemes(record) for path, size in _sizes(stored.data(scheme)).items()},
    }
    recorded = {str(stored.located(row)): row for row in record}
    damage = list(_damage(recorded, found, shown=stored.folder, deep=deep))
    if deep and not damage:
        damage = list(_identity(stored))
    extra = sorted(os.path.relpath(path, stored.folder) for path in found.keys() - recorded.keys())
    return ExaminedBuild(chosen=chosen, stored=stored, damage=tuple(damage), extra=tuple(extra))


def examine_shared(store_root: Path, members: Sequence[StoredDistribution], *, deep: bool) -> SharedFiles:
    """Look at the folder that *members* share."""
    builds = tuple(member.id for member in members)
    folder = find_shared(store_root, members)
    if folder is None:
        return SharedFiles(members=builds, problem="it is missing or cannot be read")
    recorded: dict[str, RecordEntry] = {}
    owners: dict[str, list[BuildId]] = {}
    # In the order in which their files were put there: the last one of a path is the one that is there.
    for member in sorted(members, key=lambda member: f"{member.id} {member.manifest.digest}"):
        for row in member.record():
            if member.located(row).is_relative_to(member.site_packages):
                recorded[str(folder.site_packages / row.path)] = row
                owners.setdefault(row.path, []).append(member.id)
    damage = _damage(recorded, _sizes(folder.site_packages), shown=folder.site_packages, deep=deep)
    contested = {path: tuple(owners.get(path, ())) for path in sorted(folder.overwritten)}
    return SharedFiles(members=builds, contested=contested, damage=tuple(damage))


def _schemes(record: Iterable[RecordEntry]) -> set[str]:
    tops = (row.path.split("/", 2) for row in record)
    return {parts[1] for parts in tops if len(parts) == 3 and parts[0].endswith(".data")}


def _sizes(folder: Path) -> dict[str, int]:
    """Return the size of each file below *folder* that is no bytecode, by its path."""
    sizes: dict[str, int] = {}
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as items:
                for item in items:
                    if not item.is_dir(follow_symlinks=False):
                        sizes[item.path] = item.stat(follow_symlinks=False).st_size
                    elif item.name != _CACHE:
                        waiting.append(item.path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # every file in it is missing
    return sizes


def _damage(recorded: Mapping[str, RecordEntry], found: Mapping[str, int], *, shown: Path, deep: bool) -> Iterator[str]:
    for path, row in sorted(recorded.items()):
        name = os.path.relpath(path, shown)
        if path not in found:
            # Bytecode that a wheel brings is listed, and was not looked for among what interpreters write.
            if not (f"{os.sep}{_CACHE}{os.sep}" in path and os.path.exists(path)):  # noqa: PTH110 -- many thousands
                yield f"{name} is missing"
        elif row.size is not None and found[path] != row.size:
            yield f"{name} has {found[path]} bytes instead of {row.size}"
        elif deep and row.algorithm and _hash(path, row.algorithm) != row.digest:
            yield f"{name} has other content"


def _hash(path: str, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:  # noqa: PTH123 -- as above
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _identity(stored: StoredDistribution) -> Iterator[str]:
    """Compare an entry whose files are what its RECORD says with what it was published as."""
    found = describe(stored.folder)
    if found.build_id != stored.id or found.digest != stored.manifest.digest:
        yield "RECORD is not the one that it was published with"

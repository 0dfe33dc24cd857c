"""Files with equal content in the entries of a store, kept once on the disk.

There are two ways. **Clones** share blocks, where the filesystem can: each file stays one of its own, with its times
and modes, and the kernel compares the contents itself. **Links** are one file with several names. Whoever writes into
one of them writes into all, so they are made only where somebody asked for them, never between files whose modes or
owners differ, and only after both contents have been compared with RECORD.

Of equal files the oldest stays: so none is later than the RECORD of its entry, which is how an edit is seen.
"""

from __future__ import annotations

import enum
import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.cloning import share_blocks, shares_blocks
from multisite.document import Fields, dump_document, load_document
from multisite.entry import ENTRIES, located
from multisite.files import PUBLISHED, write_atomic
from multisite.scratch import incoming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from multisite.record import RecordEntry

__all__ = [
    "FORMAT",
    "SETTING",
    "DedupPlan",
    "Duplicate",
    "Listed",
    "Saved",
    "Way",
    "carry_out",
    "listed",
    "plan",
    "read_way",
    "write_way",
]

FORMAT = 1
SETTING = "dedup.json"  # what is done at publishing
_BLOCK = 512  # bytes, the unit of st_blocks (stat(2))


class Way(enum.Enum):
    """How equal files are kept once."""

    CLONES = "clones"
    LINKS = "links"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file as RECORD has it: SHA-256 in hexadecimal digits, size in bytes."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Files of one content: those in ``others`` are to share with ``kept``, which frees so many bytes."""

    sha256: str
    kept: Path
    others: tuple[Path, ...]
    frees: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupPlan:
    """What is to share with what. ``apart`` counts equal files that stay so, as their modes or owners differ."""

    way: Way
    duplicates: tuple[Duplicate, ...]
    apart: int = 0

    @property
    def files(self) -> int:
        """The number of files that are to share with another."""
        return sum(len(found.others) for found in self.duplicates)

    @property
    def frees(self) -> int:
        """How many bytes that frees at most."""
        return sum(found.frees for found in self.duplicates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What came of a plan: how many files share now; ``altered`` are those whose content is not RECORD's."""

    files: int = 0
    altered: tuple[Path, ...] = ()


def listed(folder: Path, record: Iterable[RecordEntry]) -> Iterator[Listed]:
    """Yield the files of the entry in *folder* that can share: not the empty ones."""
    for row in record:
        if row.sha256 is not None and row.size:
            yield Listed(path=located(folder, row.path), sha256=row.sha256, size=row.size)


@dataclass(frozen=True, slots=True)
class _Inode:
    """A file on the disk and the names of it that are known."""

    facts: os.stat_result
    names: tuple[Path, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the file goes once these names are others'."""
        return len(self.names) == self.facts.st_nlink


def plan(files: Iterable[Listed], way: Way, *, also: Iterable[Path] = (), within: Path | None = None) -> DedupPlan:
    """Find what of *files* can share; *also* are paths that may be further links of them (shared folders).

    Only what lies *within* that folder is exchanged, if one is given. What is gone, no regular file, or not as large as
    RECORD says is left to others. Raises OSError.
    """
    contents: dict[tuple[str, int], list[Path]] = {}
    for file in files:
        contents.setdefault((file.sha256, file.size), []).append(file.path)
    equal = {content: paths for content, paths in contents.items() if len(paths) > 1}
    further = _further_names(also)
    found: list[Duplicate] = []
    apart = 0
    for (sha256, size), paths in sorted(equal.items()):
        groups = _alike(_inodes(paths, size, further), way)
        apart += sum(map(len, groups)) - max(map(len, groups), default=0)
        chosen = [[group[0], *(one for one in group[1:] if _lies(one, within))] for group in groups]
        found += [made for group in chosen if (made := _duplicate(sha256, size, group, way)) is not None]
    return DedupPlan(way=way, duplicates=tuple(found), apart=apart)


def _lies(inode: _Inode, within: Path | None) -> bool:
    return within is None or all(within in name.parents for name in inode.names)


def _further_names(paths: Iterable[Path]) -> dict[tuple[int, int], list[Path]]:
    further: dict[tuple[int, int], list[Path]] = {}
    for path in paths:
        if (facts := _facts(path)) is not None and facts.st_nlink > 1:
            further.setdefault((facts.st_dev, facts.st_ino), []).append(path)
    return further


def _inodes(paths: Sequence[Path], size: int, further: dict[tuple[int, int], list[Path]]) -> list[_Inode]:
    """Return the files behind *paths*, the oldest first."""
    names: dict[tuple[int, int], list[Path]] = {}
    facts: dict[tuple[int, int], os.stat_result] = {}
    for path in sorted(paths):
        found = _facts(path)
        if found is not None and found.st_size == size:
            key = found.st_dev, found.st_ino
            facts[key] = found
            names.setdefault(key, list(further.get(key, ()))).append(path)
    inodes = [_Inode(facts[key], tuple(dict.fromkeys(known))) for key, known in names.items()]
    return sorted(inodes, key=lambda inode: (inode.facts.st_mtime_ns, inode.names))


def _alike(inodes: Iterable[_Inode], way: Way) -> list[list[_Inode]]:
    """Group what may share: for links, what has the same mode and owner as well."""
    groups: dict[tuple[int, ...], list[_Inode]] = {}
    for inode in inodes:
        facts = inode.facts
        key = (facts.st_mode, facts.st_uid, facts.st_gid) if way is Way.LINKS else ()
        groups.setdefault((facts.st_dev, *key), []).append(inode)
    return list(groups.values())


def _duplicate(sha256: str, size: int, group: Sequence[_Inode], way: Way) -> Duplicate | None:
    kept, *others = group
    if way is Way.CLONES:
        # What is smaller than a block may lie among the metadata of the filesystem, where nothing is shared.
        block = os.statvfs(kept.names[0]).f_bsize if others and hasattr(os, "statvfs") else 0
        others = [other for other in others if size >= block and not shares_blocks(kept.names[0], other.names[0])]
    if not others:
        return None
    names = [name for other in others for name in (other.names if way is Way.LINKS else other.names[:1])]
    frees = sum(other.facts.st_blocks * _BLOCK for other in others if way is Way.CLONES or other.is_whole)
    return Duplicate(sha256=sha256, kept=kept.names[0], others=tuple(names), frees=frees)


def _facts(path: Path) -> os.stat_result | None:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return None  # somebody has just taken it away
    return facts if stat.S_ISREG(facts.st_mode) else None


def carry_out(planned: DedupPlan, store_root: Path) -> Saved:
    """Do what was planned. Each file is exchanged in one step, if at all.

    Raises CannotShare where the filesystem shares no blocks, and OSError.
    """
    files = 0
    altered: list[Path] = []
    with incoming(store_root / ENTRIES) as aside:
        for found in planned.duplicates:
            work = _Sharing(found, aside)
            for other in found.others:
                done = work.clone(other) if planned.way is Way.CLONES else work.link(other)
                files += done
            altered += work.altered
    return Saved(files=files, altered=tuple(altered))


class _Sharing:
    """The work on the files of one content. *aside* is a folder on the same filesystem."""

    def __init__(self, found: Duplicate, aside: Path) -> None:
        self.altered: list[Path] = []
        self._sha256 = found.sha256
        self._kept: Path | None = found.kept
        self._aside = aside / "link"
        self._is_compared = False

    def clone(self, other: Path) -> bool:
        try:
            done = share_blocks(self._kept or other, other)
        except FileNotFoundError:
            return False  # somebody has just taken one of them away
        if not done:
            for path in filter(None, (self._kept, other)):
                self._compare(path)
        return done

    def link(self, other: Path) -> bool:
        if not self._compare(other):
            return False
        kept = self._begin(other)
        if kept is None:
            return False
        try:
            os.link(kept, self._aside, follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.ENOENT:
                self._kept = None
                return False
            if error.errno != errno.EMLINK:
                raise
            self._kept = other  # each filesystem has a greatest number of names; the next ones share with this one
            return False
        try:
            self._aside.replace(other)
        finally:
            self._aside.unlink(missing_ok=True)
        return True

    def _begin(self, other: Path) -> Path | None:
        """Return what to share with; where that is gone or altered, *other* takes its place."""
        if self._kept is not None and not self._is_compared and not self._compare(self._kept):
            self._kept = None
        self._is_compared = True
        if self._kept is None:
            self._kept = other
            return None
        return self._kept

    def _compare(self, path: Path) -> bool:
        """Tell whether the content of *path* is RECORD's; note it where it is not."""
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        except FileNotFoundError:
            return False
        if digest.hexdigest() == self._sha256:
            return True
        self.altered.append(path)
        return False


def read_way(store_root: Path) -> Way | None:
    """Return how what is published in a store shares with what is there, None where it does not.

    Raises InvalidDocument, UnsupportedFormat.
    """
    path = store_root / SETTING
    try:
        document = path.read_bytes()
    except FileNotFoundError:
        return None
    fields = Fields(load_document(document, kind=SETTING, format=FORMAT, where=path))
    word = fields.text("publishing")
    if word not in {way.value for way in Way}:
        fields.problem("publishing", f"expected clones or links, found {word!r}")
    fields.finish(SETTING, path, hint="multisite dedup --publishing off")
    return Way(word)


def write_way(store_root: Path, way: Way | None) -> None:
    """Have what is published in a store from now on share in this way with what is there, or not at all."""
    path = store_root / SETTING
    if way is None:
        path.unlink(missing_ok=True)
    else:
        write_atomic(path, dump_document({"publishing": way.value}, format=FORMAT), mode=PUBLISHED)

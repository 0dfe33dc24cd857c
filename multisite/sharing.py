"""Folders in the store that several distributions share, since their files belong into one package's folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument, StoreNotUsable
from multisite.files import PUBLISHED, publish, write_atomic, write_file
from multisite.flushing import flush_tree
from multisite.index import NAME as INDEX
from multisite.index import module_index
from multisite.native import SITE
from multisite.scratch import incoming

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from multisite.entry import StoredDistribution
    from multisite.record import RecordEntry

__all__ = [
    "SharedFile",
    "SharedFolder",
    "SharedLayout",
    "discard_shared",
    "find_shared",
    "index_shared",
    "link_or_copy",
    "make_shared",
    "read_shared",
    "shared_digest",
]

_FORMAT = 1
_KIND = "shared folder"
_ATTEMPTS = 5
# Another filesystem, as many links as there may be, a filesystem or an owner that allows none.
_NO_LINK = frozenset(
    {
        errno.EXDEV,
        errno.EMLINK,
        errno.EPERM,
        errno.EACCES,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
        errno.ENOSYS,
        errno.EINVAL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFolder:
    """Distributions in one real folder. ``overwritten``: path -> the build whose other file of that path gave way."""

    store_root: Path
    digest: str
    members: tuple[str, ...]
    overwritten: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The folder that imports look in, relative to the store, as the dispatch table has it."""
        return f"shared/{self.digest}/site-packages"

    @property
    def site_packages(self) -> Path:
        """The folder that imports look in."""
        return self.store_root / self.root


def shared_digest(members: Sequence[StoredDistribution]) -> str:
    """Return the digest that names the shared folder of *members*, in any order."""
    text = "".join(f"{member.id} {member.manifest.digest}\n" for member in _ordered(members))
    return hashlib.sha256(f"multisite shared 1\n{text}".encode()).hexdigest()


def _ordered(members: Sequence[StoredDistribution]) -> list[StoredDistribution]:
    return sorted(members, key=lambda member: f"{member.id} {member.manifest.digest}")


def find_shared(store_root: Path, members: Sequence[StoredDistribution]) -> SharedFolder | None:
    """Return the shared folder of *members*, None where there is none or it is damaged."""
    try:
        return read_shared(store_root, shared_digest(members))
    except (FileNotFoundError, InvalidDocument):
        return None


def discard_shared(store_root: Path, members: Sequence[StoredDistribution]) -> None:
    """Take the shared folder of *members* away, in one step for those who look for it; none there is fine."""
    with incoming(store_root / "shared") as aside, contextlib.suppress(FileNotFoundError):
        (store_root / "shared" / shared_digest(members)).rename(aside / "discarded")


def index_shared(store_root: Path, members: Sequence[StoredDistribution]) -> None:
    """Write the module index of the shared folder of *members* where it has none: an earlier release made it."""
    path = store_root / "shared" / shared_digest(members) / INDEX
    if not path.is_file():
        write_atomic(path, SharedLayout.of(members).index(), mode=PUBLISHED)


def make_shared(store_root: Path, members: Sequence[StoredDistribution]) -> SharedFolder:
    """Make the shared folder of *members*, unless somebody else is faster; a damaged one is replaced."""
    digest = shared_digest(members)
    target = store_root / "shared" / digest
    for _ in range(_ATTEMPTS):
        with incoming(store_root / "shared") as folder:
            _build(folder, members)
            publish(folder, target, sync=True)
            found = find_shared(store_root, members)
            if found is not None:
                return found
        discard_shared(store_root, members)
    raise StoreNotUsable(store_root, f"the shared folder {digest} is removed again and again")


def read_shared(store_root: Path, digest: str) -> SharedFolder:
    """Read what a shared folder says of itself. Raises InvalidDocument, FileNotFoundError."""
    path = store_root / "shared" / digest / "shared.json"
    fields = Fields(load_document(path.read_bytes(), kind=_KIND, format=_FORMAT, where=path))
    shared = SharedFolder(
        store_root=store_root,
        digest=fields.digest("digest"),
        members=fields.texts("members"),
        overwritten=fields.text_map("overwritten"),
    )
    if shared.digest != digest:
        fields.problem("digest", f"not the folder's name, {digest}")
    fields.finish(_KIND, path)
    return shared


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFile:
    """A file of a shared folder: whose it is, the line of that one's RECORD, and where it lies in the entry."""

    member: StoredDistribution
    row: RecordEntry

    @property
    def source(self) -> Path:
        """The file in the entry."""
        return self.member.located(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLayout:
    """What a shared folder holds: its files by their paths in it, and what gave way there.

    ``site`` is where site-packages really lies, which ``site-packages`` leads to. ``contested`` are the paths in there
    of which members have different files, each with these members.
    """

    site: str
    files: Mapping[str, SharedFile]
    overwritten: Mapping[str, str]
    contested: Mapping[str, tuple[StoredDistribution, ...]]

    @classmethod
    def of(cls, members: Sequence[StoredDistribution]) -> SharedLayout:
        """Lay out the files of *members*: the later in their order gives the file.

        Where native files under the prefix are among them, the prefix's files are there as well, and site-packages lies
        as deep in there as in an environment.
        """
        owners: dict[str, list[SharedFile]] = {}
        under_prefix: dict[str, SharedFile] = {}
        for member in _ordered(members):
            for row in member.record():
                place = member.place(row)
                if place.startswith("site-packages/"):
                    owners.setdefault(row.path, []).append(SharedFile(member=member, row=row))
                elif place.startswith("data/data/"):
                    path = place.removeprefix("data/data/")
                    under_prefix.setdefault(path, SharedFile(member=member, row=row))
        is_prefix = any(path.startswith("../") for member in members for path in member.manifest.native.files)
        site = SITE if is_prefix else "site-packages"
        files = {f"{site}/{path}": found[-1] for path, found in owners.items()}
        if is_prefix:
            taken = {"site-packages", "shared.json", INDEX, *files}
            files = {**{path: file for path, file in under_prefix.items() if path not in taken}, **files}
        contested = {path: found for path, found in owners.items() if len({file.row.sha256 for file in found}) > 1}
        return cls(
            site=site,
            files=files,
            overwritten={path: str(_gave_way(found).member.id) for path, found in contested.items()},
            contested={path: tuple(file.member for file in found) for path, found in contested.items()},
        )

    def document(self, members: Sequence[StoredDistribution]) -> bytes:
        """Return ``shared.json``."""
        names = [str(member.id) for member in _ordered(members)]
        value = {"digest": shared_digest(members), "members": names, "overwritten": dict(self.overwritten)}
        return dump_document(value, format=_FORMAT)

    def index(self) -> bytes:
        """Return the folder's module index."""
        site = f"{self.site}/"
        return module_index(path.removeprefix(site) for path in self.files if path.startswith(site))


def _gave_way(found: Sequence[SharedFile]) -> SharedFile:
    """Return the last file of a path whose successor is another one."""
    return next(one for one, other in reversed([*pairwise(found)]) if one.row.sha256 != other.row.sha256)


def _build(folder: Path, members: Sequence[StoredDistribution]) -> None:
    """Fill *folder* with the files of *members*."""
    layout = SharedLayout.of(members)
    (folder / layout.site).mkdir(parents=True)
    for path, file in layout.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(file.source, target)
    if layout.site != "site-packages":
        # This changes nothing for loaders: they resolve ``$ORIGIN/..`` from where it leads.
        (folder / "site-packages").symlink_to(layout.site, target_is_directory=True)
    write_file(folder / "shared.json", layout.document(members))
    write_file(folder / INDEX, layout.index())
    flush_tree(folder)


def link_or_copy(source: Path, target: Path) -> None:
    """Make *target* a hard link to *source*, or a copy where the filesystem or its owner has no room for links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copy2(source, target)

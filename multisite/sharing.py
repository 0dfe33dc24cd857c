"""Folders in the store that several distributions share, since their files belong into one package's folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument, StoreNotUsable
from multisite.files import publish
from multisite.native import SITE
from multisite.scratch import scratch
from multisite.unpacking import flush_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from multisite.entry import StoredDistribution

__all__ = ["SharedFolder", "discard_shared", "find_shared", "make_shared", "shared_digest"]

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
        return _read(store_root, shared_digest(members))
    except (FileNotFoundError, InvalidDocument):
        return None


def discard_shared(store_root: Path, members: Sequence[StoredDistribution]) -> None:
    """Take the shared folder of *members* away, in one step for those who look for it; none there is fine."""
    with scratch(store_root / "shared" / ".incoming") as aside, contextlib.suppress(FileNotFoundError):
        (store_root / "shared" / shared_digest(members)).rename(aside / "discarded")


def make_shared(store_root: Path, members: Sequence[StoredDistribution]) -> SharedFolder:
    """Make the shared folder of *members*, unless somebody else is faster; a damaged one is replaced."""
    digest = shared_digest(members)
    target = store_root / "shared" / digest
    for _ in range(_ATTEMPTS):
        with scratch(store_root / "shared" / ".incoming") as incoming:
            _build(incoming, digest, _ordered(members))
            publish(incoming, target, sync=True)
            found = find_shared(store_root, members)
            if found is not None:
                return found
        discard_shared(store_root, members)
    raise StoreNotUsable(store_root, f"the shared folder {digest} is removed again and again")


def _read(store_root: Path, digest: str) -> SharedFolder:
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


def _build(folder: Path, digest: str, members: Sequence[StoredDistribution]) -> None:
    """Fill *folder* with the files of *members*; where two have the same path, the later member gives the file."""
    owners: dict[str, tuple[StoredDistribution, str | None]] = {}
    overwritten: dict[str, str] = {}
    for member in members:
        for path, sha256 in _site_files(member):
            if path in owners and owners[path][1] != sha256:
                overwritten[path] = str(owners[path][0].id)
            owners[path] = (member, sha256)
    site = _site(folder, members)
    for path, (owner, _) in owners.items():
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(owner.site_packages / path, target)
    names = [str(member.id) for member in members]
    document = dump_document({"digest": digest, "members": names, "overwritten": overwritten}, format=_FORMAT)
    (folder / "shared.json").write_bytes(document)
    flush_tree(folder)


def _site(folder: Path, members: Sequence[StoredDistribution]) -> Path:
    """Make site-packages in *folder*, as deep in a prefix as it lies when native files under that prefix are in it.

    Then it is reached by a link, which changes nothing for loaders: they resolve ``$ORIGIN/..`` from where it leads.
    """
    site = folder / "site-packages"
    if not any(path.startswith("../") for member in members for path in member.manifest.native.files):
        return site
    for member in members:
        data = member.data("data")
        for row in member.record():
            path = member.located(row)
            target = folder / path.relative_to(data) if path.is_relative_to(data) else site
            if target not in {site, folder / "shared.json"} and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(path, target)
    (folder / SITE).mkdir(parents=True, exist_ok=True)
    site.symlink_to(SITE, target_is_directory=True)
    return site


def _site_files(member: StoredDistribution) -> Iterator[tuple[str, str | None]]:
    site = member.site_packages
    for row in member.record():
        path = member.located(row)
        if path.is_relative_to(site):
            yield row.path, row.sha256


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        shutil.copy2(source, target)

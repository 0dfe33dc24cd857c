"""Where a distribution that was asked for by its address came from, as PEP 610 wants it recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from packaging.direct_url import ArchiveInfo, DirectUrl, DirInfo, VcsInfo

from multisite.lockfile import ArchiveSource, DirectorySource, VcsSource

if TYPE_CHECKING:
    from pathlib import PurePath

    from multisite.lockfile import Pinned

__all__ = ["direct_url_text"]


def direct_url_text(pinned: Pinned, folder: PurePath) -> str | None:
    """Return the text of ``direct_url.json``, without credentials; None for what came from an index.

    ``folder`` is the lockfile's, absolute: paths in the lockfile are relative to it.
    """
    record = _direct_url(pinned, folder)
    return None if record is None else json.dumps(record.to_dict(), sort_keys=True)


def _direct_url(pinned: Pinned, folder: PurePath) -> DirectUrl | None:
    source = pinned.source
    if isinstance(source, ArchiveSource):
        return DirectUrl(
            url=_address(source.path, source.url, folder),
            archive_info=ArchiveInfo(hashes=dict(source.hashes)),
            subdirectory=source.subdirectory,
        )
    if isinstance(source, VcsSource):
        vcs = VcsInfo(vcs=source.type, commit_id=source.commit, requested_revision=source.requested_revision)
        url = _address(source.path, source.url, folder)
        return DirectUrl(url=url, vcs_info=vcs, subdirectory=source.subdirectory)
    if isinstance(source, DirectorySource):
        url = _address(source.path, None, folder)
        return DirectUrl(url=url, dir_info=DirInfo(editable=source.editable), subdirectory=source.subdirectory)
    return None


def _address(path: str | None, url: str | None, folder: PurePath) -> str:
    if url is not None:  # says more than the path of a copy
        return url
    return urljoin("file:///", (folder / (path or ".")).as_uri())  # urljoin resolves "..", and reads no disk

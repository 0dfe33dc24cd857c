"""Where a distribution that was asked for by its address came from, as PEP 610 wants it recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.direct_url import ArchiveInfo, DirectUrl, DirInfo, VcsInfo

from .lockfile import ArchiveSource, DirectorySource, VcsSource

if TYPE_CHECKING:
    from .lockfile import Pinned

__all__ = ["direct_url_text"]


def direct_url_text(pinned: Pinned, folder: Path) -> str | None:
    """Return the text of ``direct_url.json``, without credentials; None for what came from an index.

    ``folder`` is the lockfile's, absolute: paths in the lockfile are relative to it.
    """
    record = _direct_url(pinned, folder)
    return None if record is None else json.dumps(record.to_dict(), sort_keys=True)


def _direct_url(pinned: Pinned, folder: Path) -> DirectUrl | None:
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


def _address(path: str | None, url: str | None, folder: Path) -> str:
    # An address, where there is one, says more than the path of a copy; normpath only joins, it reads no disk.
    return url if url is not None else Path(os.path.normpath(folder / (path or "."))).as_uri()

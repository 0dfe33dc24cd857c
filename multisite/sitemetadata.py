"""Metadata of what is locked, in site-packages, for tools that look there from outside and see no finder.

They are copies, with a RECORD that lists only themselves: whoever uninstalls the distribution by it removes these files
and nothing else. A file in them tells the finder that nothing is installed there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from multisite._runtime.installed import STUB, is_stub
from multisite.installation import PlannedFile
from multisite.real import real_files, really_installed
from multisite.record import RecordEntry, format_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.state import OwnedFile

__all__ = ["removable", "site_metadata"]

_EXPLANATION = (
    b"The distribution is locked, and its files are in multisite's store (multisite list, multisite doctor).\n"
    b"This folder shows its metadata to tools that do not run Python (multisite sync --site-metadata).\n"
)


def site_metadata(
    environment: Environment, entries: Iterable[StoredDistribution], requested: Iterable[NormalizedName]
) -> Iterator[PlannedFile]:
    """Yield the files that show *entries* in the environment's site-packages; none for what is really installed."""
    real, asked_for = really_installed(environment.site_packages), frozenset(requested)
    folder = environment.site_packages.relative_to(environment.path).as_posix()
    for entry in entries:
        if entry.manifest.name not in real:
            yield from _shown(entry, folder, requested=entry.manifest.name in asked_for)


def _shown(entry: StoredDistribution, folder: str, *, requested: bool) -> Iterator[PlannedFile]:
    info, name = entry.manifest.dist_info, entry.manifest.name
    rows = [row for row in entry.record() if row.path.startswith(f"{info}/") and row.sha256 is not None]
    facts = {"INSTALLER": b"multisite\n", STUB: _EXPLANATION, **({"REQUESTED": b""} if requested else {})}
    rows = [row for row in rows if row.path.removeprefix(f"{info}/") not in {*facts, "RECORD"}]
    added = [
        RecordEntry(path=f"{info}/{fact}", algorithm="sha256", digest=hashlib.sha256(text).hexdigest(), size=len(text))
        for fact, text in facts.items()
    ]
    own = RecordEntry(path=f"{info}/RECORD", algorithm=None, digest=None, size=None)
    record = format_record([*rows, *added, own]).encode()
    for row in rows:
        assert row.sha256 is not None
        yield PlannedFile(
            path=f"{folder}/{row.path}",
            owner=name,
            sha256=row.sha256,
            size=row.size or 0,
            executable=False,
            content=entry.located(row),
        )
    for fact, text in {**facts, "RECORD": record}.items():
        yield PlannedFile(
            path=f"{folder}/{info}/{fact}",
            owner=name,
            sha256=hashlib.sha256(text).hexdigest(),
            size=len(text),
            executable=False,
            content=text,
        )


def removable(environment: Environment, owned: Mapping[str, OwnedFile]) -> dict[str, OwnedFile]:
    """Return those of the *owned* files that are ours to remove or write again.

    Somebody may really have installed what they belong to: then files of the same content, or metadata that ours stood
    for, may be in their place that are not ours.
    """
    site = environment.site_packages.relative_to(environment.path).as_posix() + "/"
    infos = {path: path.removeprefix(site).partition("/")[0] for path in owned if path.startswith(site)}
    gone = {
        info
        for info in {info for info in infos.values() if info.endswith(".dist-info")}
        if (environment.site_packages / info).exists() and not is_stub(str(environment.site_packages / info))  # type: ignore[no-untyped-call]
    }
    others = frozenset(real_files(environment))
    return {path: file for path, file in owned.items() if infos.get(path) not in gone and path not in others}

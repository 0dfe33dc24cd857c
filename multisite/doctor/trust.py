"""What of the stores somebody else could have changed: the folders that lead to what an environment uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.entry import ENTRIES
from multisite.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from multisite.doctor.examination import ExaminedBuild
    from multisite.store import Store
    from multisite.trust import Doubt

__all__ = ["doubts"]

_FOLDERS = ("store.json", "artifacts/sha256", "sources", "tables", "runtime", "environments", "pins")


def doubts(
    environ: Mapping[str, str],
    stores: Mapping[int, Store],
    rows: Sequence[Sequence[str]],
    builds: Mapping[NormalizedName, ExaminedBuild],
) -> tuple[Doubt, ...]:
    """Return what others could have changed of *stores*, as far as the table's *rows* and the *builds* lead there.

    Whom the account trusts is said by *environ*. Files within an entry are looked at where it is verified. Raises
    InvalidRequest.
    """
    trust = Trust.of(environ)
    found = {doubt.path: doubt for store in stores.values() for doubt in _doubts(trust, store.root, rows, builds)}
    return tuple(found.values())


def _doubts(
    trust: Trust, root: Path, rows: Sequence[Sequence[str]], builds: Mapping[NormalizedName, ExaminedBuild]
) -> Iterator[Doubt]:
    entries = [build.chosen.build.path for build in builds.values()]
    paths = [*_FOLDERS, *(row[2] for row in rows)]
    paths += [f"{ENTRIES}/{path}/{name}" for path in entries for name in ("manifest.json", "site-packages")]
    place = trust.doubt_of_place(root)
    if place is not None:
        yield place
    for path in paths:
        doubt = trust.doubt(root, [path])
        if doubt is not None:
            yield doubt

"""Lines that installing adds to RECORD, as environment.json keeps them: by folder, and without what all of them have.

``../../../share/foo/a.txt,sha256=…,4`` is kept as ``a.txt,…,4`` under ``../../../share/foo``. A line of another form is
kept as it is, under no folder.
"""

from __future__ import annotations

import base64
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["by_folder", "files_of", "lines_of"]

_UP = "../" * (2 if sys.platform == "win32" else 3)  # from site-packages to the environment
_LINE = re.compile(r'((?:\.\./)*\.\.(?:/[^",]+)?)/([^",/]+),sha256=([A-Za-z0-9_-]{43}),(0|[1-9][0-9]{0,17})')


def by_folder(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return *lines* as they are kept."""
    found: dict[str, list[str]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        folder, row = (match[1], f"{match[2]},{match[3]},{match[4]}") if match else ("", line)
        found.setdefault(folder, []).append(row)
    return found


def lines_of(kept: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the lines that are *kept*, sorted."""
    found = []
    for folder, rows in kept.items():
        for row in rows:
            name, _, rest = row.partition(",")
            found.append(f"{folder}/{name},sha256={rest}" if folder else row)
    return tuple(sorted(found))


def files_of(lines: Iterable[str]) -> Iterator[tuple[str, str, int]]:
    """Yield the files that *lines* are about, those outside of its library: path in the environment, SHA-256, size.

    These are the lines that climb to the environment. Of one that climbs less only the environment's layout could tell.
    """
    for line in lines:
        match = _LINE.fullmatch(line)
        if match and match[0].startswith(_UP) and not match[0].startswith("../", len(_UP)):
            path = f"{match[1]}/{match[2]}".removeprefix(_UP)
            digest = base64.urlsafe_b64decode(f"{match[3]}=")
            yield path, digest.hex(), int(match[4])

"""What pip, uv or another installer made of a distribution, seen as the wheel that it came from."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.content import (
    NEUTRAL_LINE,
    ContentFile,
    Exclusions,
    content_digest,
    interpreter_line,
    starts_as_python,
)
from multisite.errors import InvalidDocument
from multisite.names import normalize
from multisite.record import parse_record

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["installed_content", "installed_digest"]

_KIND = "installed distribution"
_SCRIPTS = "Scripts" if os.name == "nt" else "bin"
# More than the longest path, twice.
_HEAD = 1 << 14


def installed_digest(site_packages: Path, dist_info: str, prefix: Path) -> str:
    """Return the content digest of the distribution whose metadata is the folder *dist_info* in *site_packages*.

    *prefix* is the environment that it was installed into. Raises InvalidDocument where RECORD is unreadable, or
    lists what is missing or lies outside of the environment.
    """
    return content_digest(installed_content(site_packages, dist_info, prefix))


def installed_content(site_packages: Path, dist_info: str, prefix: Path) -> list[ContentFile]:
    """Return the files that the content digest counts, hashed anew. Raises InvalidDocument like the digest."""
    # An absolute path without links resolved: `..` in RECORD is meant as a person reads it.
    tree = _Tree(site=_absolute(site_packages), prefix=_absolute(prefix), name=normalize(dist_info.partition("-")[0]))
    info = site_packages / dist_info
    landings = _landings(tree, info)
    points = info / "entry_points.txt"
    excluded = Exclusions(
        dist_info=dist_info,
        entry_points=points.read_text(encoding="utf-8") if points.is_file() else None,
        landings=landings.keys(),
    )
    missing = [str(path) for landed, path in landings.items() if landed not in excluded and not path.is_file()]
    if missing:
        raise InvalidDocument(_KIND, info, [f"{path}: missing" for path in missing])
    return [tree.content(*landed, path) for landed, path in landings.items() if landed not in excluded]


def _landings(tree: _Tree, info: Path) -> dict[tuple[str, str], Path]:
    """Return the files of RECORD: (scheme, path) -> where it is."""
    try:
        record = parse_record((info / "RECORD").read_text(encoding="utf-8"), where=info / "RECORD")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDocument(_KIND, info, [f"RECORD: {error}"]) from error
    paths = [_absolute(tree.site / row.path) for row in record]
    found = {landed: path for path in paths if (landed := tree.landing(path))}
    outside = [f"{path}: not in {tree.prefix}" for path in paths if tree.landing(path) is None]
    if outside:
        raise InvalidDocument(_KIND, info, outside)
    return found


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve() follows links, Path.absolute() keeps `..`


class _Tree:
    """An environment's folders by scheme."""

    def __init__(self, *, site: Path, prefix: Path, name: str) -> None:
        self.site = site
        self.prefix = prefix
        self._name = name
        self._scripts = prefix / _SCRIPTS

    def landing(self, path: Path) -> tuple[str, str] | None:
        """Return scheme and path of an installed file; None outside of the environment."""
        if path.is_relative_to(self.site):
            relative = path.relative_to(self.site).as_posix()
            return _replaced(relative) or ("site", relative)
        if path.is_relative_to(self._scripts):
            return "scripts", path.relative_to(self._scripts).as_posix()
        if path.is_relative_to(self.prefix):
            relative = path.relative_to(self.prefix).as_posix()
            return self._header(relative) or ("data", relative)
        return None

    def _header(self, path: str) -> tuple[str, str] | None:
        # include/site/python3.11/<name>/…: pip's and uv's place for headers in virtual environments.
        parts = path.split("/", 4)
        if len(parts) == 5 and parts[:2] == ["include", "site"] and normalize(parts[3]) == self._name:
            return "headers", parts[4]
        return None

    def content(self, scheme: str, path: str, file: Path) -> ContentFile:
        """Hash a file; a script that starts with this environment's interpreter as if it were the wheel's."""
        with file.open("rb") as stream:
            head = stream.read(_HEAD)
            skipped = self._rewritten(head) if scheme == "scripts" else 0
            first = (NEUTRAL_LINE if skipped else b"") + head[skipped:]
            digest, size = hashlib.sha256(first), len(first)
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
        return ContentFile(scheme=scheme, path=path, sha256=digest.hexdigest(), size=size)

    def _rewritten(self, head: bytes) -> int:
        """Return the length of the lines that stand for a wheel's first line ``#!python…``, 0 where none do."""
        if starts_as_python(head):
            end = head.find(b"\n")
            return len(head) if end < 0 else end + 1
        found = interpreter_line(head)
        if found is None:
            return 0
        interpreter, length = found
        return length if any(folder == self._scripts for folder in self._folders(interpreter)) else 0

    def _folders(self, interpreter: str) -> Iterator[Path]:
        folder, separator, _ = interpreter.rpartition("/" if "/" in interpreter else os.sep)
        if folder == ".":
            yield self._scripts
        elif separator:
            yield Path(folder)
            # The environment may have been made, or be looked at, through a link.
            if os.path.realpath(folder) == os.path.realpath(self._scripts):
                yield self._scripts


def _replaced(path: str) -> tuple[str, str] | None:
    # pip and uv keep the wheel's own line of RECORD for a script that they made anew from an entry point.
    top, _, rest = path.partition("/")
    return ("scripts", rest.removeprefix("scripts/")) if top.endswith(".data") else None

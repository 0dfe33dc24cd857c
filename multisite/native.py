"""What native files look for in each other's folders, and which distributions one folder has to hold for that.

A loader resolves ``$ORIGIN/..`` from where a file really lies, so a library in one distribution's folder does not find
one that an installer would have put beside it. What the header of a file says becomes *searches*, in paths of a plain
site-packages; only where a search ends at a file of another distribution do the two have to lie together. Rules:

* ELF: DT_RUNPATH, or else DT_RPATH, whose folders serve what the found libraries look for as well (ld.so(8)).
* Mach-O: ``@rpath`` through LC_RPATH, which serves found libraries as well, and ``@loader_path`` (dyld(1)).
* PE: the folder of the file; it serves found libraries as well. Folders that code adds while it runs are in no header.
* Folders that are absolute, relative to the process, or outside of the prefix lead to no distribution.

All paths are relative to site-packages. What wheels put under the prefix (their ``data`` scheme) has paths that begin
with ``..``: site-packages lies in ``lib/pythonX.Y`` there, so ``../../libx.so`` is ``lib/libx.so``.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "HEAD",
    "SITE",
    "Native",
    "Search",
    "data_path",
    "elf_searches",
    "linked",
    "macho_searches",
    "merged",
    "native_kind",
    "pe_searches",
]

# Where site-packages lies under a prefix, as far as ``..`` is concerned.
SITE = "lib/python/site-packages"

# What of a file's beginning tells whether it is native code.
HEAD = 4096
_MACHO = frozenset(bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe"))
_FAT_MACHO = frozenset(bytes.fromhex(magic) for magic in ("cafebabe", "cafebabf"))
# Java's class files begin as fat Mach-O files do; where these count architectures, they have a version from 45 on.
_ARCHITECTURES = 30
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Names that are looked for in ``folders``, in that order; ``""`` is site-packages itself.

    A ``chained`` search goes on in the chained folders of whoever loaded the file, and its own serve what it finds.
    """

    folders: tuple[str, ...]
    names: tuple[str, ...]
    chained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """The native files of a distribution, by their paths in site-packages, and all their searches."""

    files: tuple[str, ...] = ()
    searches: tuple[Search, ...] = ()


def native_kind(head: bytes) -> str | None:
    """Return ``elf``, ``macho`` or ``pe`` for the first bytes of a native file (``HEAD`` of them), None for others."""
    magic = head[:4]
    if magic == b"\x7fELF":
        return "elf"
    if magic in _MACHO or (magic in _FAT_MACHO and 0 < int.from_bytes(head[4:8], "big") < _ARCHITECTURES):
        return "macho"
    at = int.from_bytes(head[60:64], "little")
    return "pe" if magic[:2] == b"MZ" and head[at : at + 4] == b"PE\0\0" else None


def elf_searches(path: str, needed: Sequence[str], rpath: str | None, runpath: str | None) -> list[Search]:
    """Return the searches of the ELF file *path*: what it needs, by the texts of its DT_RPATH and DT_RUNPATH."""
    here = posixpath.dirname(path)
    entries = (rpath if runpath is None else runpath) or ""
    folders = _folders(_after_origin(here, entry) for entry in entries.split(":"))
    plain = [name for name in needed if "/" not in name]
    searches = [Search(folders=folders, names=tuple(plain), chained=runpath is None)]
    for name in needed:
        folder = _after_origin(here, posixpath.dirname(name))
        if "/" in name and folder is not None:
            searches.append(Search(folders=_folders([folder]), names=(posixpath.basename(name),), chained=False))
    return [search for search in searches if search.names and (search.folders or search.chained)]


def _after_origin(here: str, entry: str) -> str | None:
    found = _ORIGIN.match(entry)
    return f"{here}/{entry[found.end() :]}" if found else None


def macho_searches(path: str, needed: Sequence[str], rpaths: Sequence[str]) -> list[Search]:
    """Return the searches of the Mach-O file *path*: the names of the libraries it loads, by its LC_RPATH."""
    here = posixpath.dirname(path)
    folders = _folders(_after_token(here, entry, "@loader_path") for entry in rpaths)
    names = [name.partition("/")[2] for name in needed if name.startswith("@rpath/")]
    searches = [Search(folders=folders, names=tuple(names), chained=True)] if names else []
    for name in needed:
        folder = _after_token(here, posixpath.dirname(name), "@loader_path")
        if folder is not None:
            searches.append(Search(folders=_folders([folder]), names=(posixpath.basename(name),), chained=False))
    return [search for search in searches if search.folders or search.chained]


def _after_token(here: str, entry: str, token: str) -> str | None:
    first, _, rest = entry.partition("/")
    return f"{here}/{rest}" if first == token else None


def pe_searches(path: str, needed: Sequence[str]) -> list[Search]:
    """Return the search of the PE file *path*: the names of the libraries it imports, in its own folder.

    Everything is in lower case, since Windows does not tell cases apart; so are the paths in ``Native.files``.
    """
    names = tuple(name.lower() for name in needed)
    return [Search(folders=_folders([posixpath.dirname(path).lower()]), names=names, chained=True)] if names else []


def _folders(paths: Iterable[str | None]) -> tuple[str, ...]:
    """Return *paths* in their one form, without doubles; those that lead out of the prefix are left out."""
    found: dict[str, None] = {}
    for path in paths:
        folder = None if path is None else _normal(path.lstrip("/"))
        if folder is not None:
            found[folder] = None
    return tuple(found)


def _normal(path: str) -> str | None:
    """Return a path relative to site-packages in its one form, None for one outside of the prefix."""
    below_prefix = posixpath.normpath(f"{SITE}/{path}")
    if below_prefix.partition("/")[0] == "..":
        return None
    relative = posixpath.relpath(f"/{below_prefix}", f"/{SITE}")
    return "" if relative == "." else relative


def data_path(path: str) -> str:
    """Return where a file of the ``data`` scheme lies, relative to site-packages."""
    return posixpath.relpath(f"/{path}", f"/{SITE}")


def merged(searches: Iterable[Search]) -> tuple[Search, ...]:
    """Return the same searches with those in the same folders made one, sorted."""
    names: dict[tuple[tuple[str, ...], bool], set[str]] = {}
    for search in searches:
        names.setdefault((search.folders, search.chained), set()).update(search.names)
    return tuple(
        Search(folders=folders, names=tuple(sorted(names[folders, chained])), chained=chained)
        for folders, chained in sorted(names)
    )


def linked(natives: Sequence[Native]) -> set[tuple[int, int]]:
    """Return which of *natives*, all in one prefix, find a file of which: pairs of indexes.

    One that finds a file of its own is named where that is outside of site-packages, for there an entry has none.
    """
    layout = _Layout(natives)
    links = {link for at in range(len(natives)) for link in layout.found_by(at)}
    return links | {link for at in range(len(natives)) for link in layout.found_through(at, links)}


class _Layout:
    """The native files of several distributions as they would lie in one prefix."""

    def __init__(self, natives: Sequence[Native]) -> None:
        self._natives = natives
        self._owners: dict[str, set[int]] = {}
        # Who has files in or below a folder: names in frameworks of Mach-O begin with folders.
        self._below: dict[str, set[int]] = {}
        for at, native in enumerate(natives):
            for file in native.files:
                self._owners.setdefault(file, set()).add(at)
                for folder in _above(file):
                    self._below.setdefault(folder, set()).add(at)

    def found_by(self, at: int) -> Iterator[tuple[int, int]]:
        """Yield the links to those whose files the searches of a distribution end at."""
        for search in self._natives[at].searches:
            folders = self._existing(search.folders)
            for name in search.names if folders else ():
                found = self._first(folders, name)
                yield from self._links(at, self._owners.get(found or "", set()))
                if found and found.startswith("../") and at in self._owners[found]:
                    yield at, at

    def found_through(self, at: int, links: set[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield links to what those that a distribution finds look for, in their turn, in its chained folders."""
        handed = self._existing(
            folder for search in self._natives[at].searches if search.chained for folder in search.folders
        )
        if not any(self._below[folder] - {at} for folder in handed):
            return
        following: dict[int, set[int]] = {}
        for one, other in links:
            following.setdefault(one, set()).add(other)
        reached, waiting = {at}, [at]
        while waiting:
            one = waiting.pop()
            found = [self._owners.get(self._first(handed, name) or "", set()) for name in self._missed_by(one)]
            for owners in found:
                yield from self._links(at, owners)
            news = following.get(one, set()).union(*found) - reached
            waiting += news
            reached |= news

    def _missed_by(self, at: int) -> set[str]:
        """Return what chained searches of a distribution do not end at by themselves."""
        searches = [search for search in self._natives[at].searches if search.chained]
        existing = [(self._existing(search.folders), search.names) for search in searches]
        return {name for folders, names in existing for name in names if not self._first(folders, name)}

    def _existing(self, folders: Iterable[str]) -> list[str]:
        return [folder for folder in dict.fromkeys(folders) if folder in self._below]

    def _first(self, folders: Sequence[str], name: str) -> str | None:
        """Return the file that a search for *name* ends at, None where there is none."""
        paths = (posixpath.normpath(f"{folder}/{name}").lstrip("/") for folder in folders)
        return next((path for path in paths if path in self._owners), None)

    @staticmethod
    def _links(at: int, owners: set[int]) -> Iterator[tuple[int, int]]:
        if at not in owners:
            yield from ((at, owner) for owner in owners)


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:end]) for end in range(len(parts) + 1)]

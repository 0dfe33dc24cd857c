"""A requirements file as pip and uv read it: which lines are wrong, and which further files it includes."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from multisite.names import normalize

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

__all__ = [
    "RequirementsFiles",
    "addresses_in",
    "is_address",
    "is_path",
    "path_of",
    "requirement_name",
    "requirement_problem",
]

_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9.+-]+://|file:)", re.ASCII)
_ANY_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"]+", re.ASCII)
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_AT = re.compile(r"[A-Za-z0-9._-]+\s*(?:\[[^\]]*\])?\s*@")
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_INCLUDE = re.compile(r"(?:-r|--requirements?|-c|--constraints?)(?:\s+|=|(?=[^-\s=]))(?P<file>.+)")
_ELSEWHERE = re.compile(r"\$\{|file:|^(-e|--editable)\b")
_OPTIONS = re.compile(r"\s--?[A-Za-z]")
_LARGEST = 1 << 24  # bytes
_DEEPEST = 50  # files that include each other
_EXTRAS = re.compile(r"\[[^\]]*\]$")


def is_address(word: str) -> bool:
    """Tell whether a requirement is an address (``https://…``, ``git+ssh://…``, ``file:…``)."""
    return _ADDRESS.match(word) is not None


def addresses_in(words: str) -> list[str]:
    """Return every address in a line, be it a requirement or an option's value."""
    return _ANY_ADDRESS.findall(words)


def is_path(word: str) -> bool:
    """Tell whether a requirement is a folder or file of this machine, by its spelling alone."""
    path = path_of(word)
    return not _AT.match(word) and (
        path.startswith(".") or "/" in path or "\\" in path or path.lower().endswith(_ARCHIVES)
    )


def path_of(word: str) -> str:
    """Return a path without the marker and the extras that may follow it."""
    return _EXTRAS.sub("", word.partition(";")[0].strip())


def requirement_name(word: str) -> NormalizedName | None:
    """Return the name that a requirement states; None for bare addresses, paths, and what is no requirement."""
    try:
        return normalize(Requirement(word).name)
    except InvalidRequirement:
        return None


def requirement_problem(word: str) -> str | None:
    """Say what is wrong with a requirement of PEP 508; None for a good one."""
    try:
        Requirement(word)
    except InvalidRequirement as error:
        return str(error).partition("\n")[0]
    return None


@dataclass
class RequirementsFiles:
    """Requirements files with all that they include, read once each.

    ``digests`` maps each file to its SHA-256, ``names`` are what they ask for by name, ``addresses`` stand anywhere in
    them, perhaps with user and password, ``problems`` tells each fault with file and line. Options other than ``-r``
    and ``-c`` are the resolver's to judge, and so are variables (``${NAME}``). ``lead_elsewhere`` says whether what is
    asked for depends on more than these files: on folders, on files of other kinds or places, on variables.
    """

    digests: dict[Path, str] = field(default_factory=dict)
    names: set[NormalizedName] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    lead_elsewhere: bool = False
    _read: set[tuple[Path, bool]] = field(default_factory=set)

    def take(self, path: Path, where: str) -> bytes | None:
        """Read any file that what was asked for depends on, for its digest; None, and a problem, if that fails.

        Returned is what it begins with; that is all of it, unless it is larger than any file of requirements.
        """
        digest = hashlib.sha256()
        start = b""
        try:
            if path.exists() and not path.is_file() and not path.is_dir():  # without an end, or to be read only once
                self.problems.append(f"{where}: it is not a regular file")
                return None
            with path.open("rb") as file:
                while chunk := file.read(_LARGEST):
                    start = start or chunk
                    digest.update(chunk)
        except OSError as error:
            self.problems.append(f"{where}: {error.strerror}")
            return None
        self.digests[path] = digest.hexdigest()
        return start

    def read(
        self, path: Path, *, shown: str, asked_by: str | None = None, constraints: bool = False, depth: int = 0
    ) -> None:
        """Read a file and what it includes; ``shown`` is its name in messages, ``asked_by`` the line that named it.

        Constraints ask for nothing.
        """
        if (path, constraints) in self._read:
            return
        self._read.add((path, constraints))
        if depth > _DEEPEST or "\0" in str(path):
            problem = "no path" if "\0" in str(path) else f"included by more than {_DEEPEST} files, one by the other"
            self.problems.append(f"{asked_by or shown}: {shown!r}: {problem}")
            return
        data = self.take(path, f"{asked_by}: {shown}" if asked_by else shown)
        if data is None:
            return
        if len(data) == _LARGEST:
            self.problems.append(f"{shown}: it is no requirements file: it has {_LARGEST} bytes or more")
            return
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.problems.append(f"{shown}:{line}: not UTF-8")
            return
        for line, words in _logical_lines(text):
            self._judge(words, path, f"{shown}:{line}", constraints, depth)

    def _judge(self, words: str, path: Path, where: str, constraints: bool, depth: int) -> None:
        self.addresses.update(addresses_in(words))
        self.lead_elsewhere |= _ELSEWHERE.search(words) is not None
        if "${" in words:
            return
        if include := _INCLUDE.fullmatch(words):
            name = include["file"].strip("\"'")
            if is_address(name):
                self.lead_elsewhere = True
            else:
                included = Path(os.path.normpath(path.parent / name))  # or files that include each other have no end
                inherited = constraints or words.startswith(("-c", "--constraint"))
                self.read(included, shown=str(included), asked_by=where, constraints=inherited, depth=depth + 1)
        elif not words.startswith("-"):
            requirement = _OPTIONS.split(words)[0].strip()
            if is_address(requirement):
                return
            if is_path(requirement):
                self.lead_elsewhere = True
                place = Path(path_of(requirement))
                # Tools differ in where others start. This asks also about what can be no path.
                if place.is_absolute() and not os.path.exists(place):  # noqa: PTH110
                    self.problems.append(f"{where}: {requirement!r}: no such file or folder")
                return
            name = requirement_name(requirement)
            if name is None:
                self.problems.append(f"{where}: {requirement!r}: {requirement_problem(requirement)}")
            elif not constraints:
                self.names.add(name)


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Join continued lines, drop comments and blank ones; each with the number of its first line."""
    lines: list[tuple[int, str]] = []
    start, joined = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        start = start or number
        bare = _COMMENT.sub("", line)
        if bare.endswith("\\"):
            joined += bare[:-1] + " "
            continue
        lines.append((start, (joined + bare).strip()))
        start, joined = 0, ""
    lines.append((start, joined.strip()))
    return [(number, words) for number, words in lines if words]

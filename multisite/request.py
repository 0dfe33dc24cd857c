"""Request: what was asked for, read and checked before anybody resolves it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite.addresses import strip_credentials
from multisite.errors import InvalidRequest
from multisite.names import normalize
from multisite.pyproject import PyProject
from multisite.requirements_file import (
    RequirementsFiles,
    addresses_in,
    is_address,
    is_path,
    path_of,
    requirement_name,
    requirement_problem,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from multisite.lockfile import Lock

__all__ = ["Request"]

_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(?P<place>.+)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_SEED = "pip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an environment is to hold, in the asker's words.

    ``folder`` is where relative paths start. ``project`` is the folder of the project that is to be installed itself,
    editable. ``lockfile`` is set when there is nothing to resolve: a lockfile was found where requirements are looked
    for. ``origin`` names, for people, where all this was found. ``digests`` are the SHA-256 of each file that all this
    depends on; where ``is_told`` is false, more decides: a build backend, other folders, variables. ``names`` are what
    is asked for by name, ``addresses`` stand anywhere in it, perhaps with user and password. ``pythons`` are files, and
    the versions of Python that the projects in them are for.
    """

    requirements: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    constraints: tuple[Path, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    seed: bool = False
    folder: Path
    project: Path | None = None
    lockfile: Path | None = None
    origin: str
    digests: tuple[tuple[str, str], ...] = ()
    is_told: bool = True
    names: frozenset[NormalizedName] = frozenset()
    addresses: tuple[str, ...] = ()
    pythons: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(
        cls,
        words: Sequence[str] = (),
        *,
        folder: Path,
        files: Sequence[Path] = (),
        constraints: Sequence[Path] = (),
        groups: Sequence[str] = (),
        extras: Sequence[str] = (),
        project: bool = True,
        seed: bool = False,
    ) -> Request:
        """Read what was asked for; with neither words nor files, what ``folder`` holds.

        That is its pyproject.toml if it has a project, a build system or the wanted groups, else requirements.txt,
        else pylock.toml. With words or files, groups are those of the folder's pyproject.toml, whose project is left
        out. Raises InvalidRequest with every problem found.
        """
        reading = _Reading(folder, tuple(extras), tuple(groups))
        found = None if words or files else reading.find()
        lockfile = found if found is not None and found.name == "pylock.toml" else None
        chosen = tuple(files) if found is None else reading.resolvable(found)
        for word in words:
            reading.read_word(word)
        for file in chosen:
            reading.read_file(file)
        for file in constraints:
            reading.read_file(file, constraints=True)
        if lockfile is None:
            reading.check_selection(chosen)
        if reading.problems:
            raise InvalidRequest(_sentence(reading.problems))
        return cls(
            requirements=tuple(words),
            files=chosen,
            constraints=tuple(constraints),
            groups=tuple(groups),
            extras=tuple(extras),
            seed=seed,
            folder=folder,
            project=folder if project and found is not None and reading.builds(found) else None,
            lockfile=lockfile,
            origin=_origin(words, files, found),
            names=reading.names(words, chosen),
            is_told=reading.is_told(chosen),
            digests=tuple(sorted((str(path), digest) for path, digest in reading.files.digests.items())),
            addresses=tuple(sorted(reading.files.addresses.union(*map(addresses_in, words)))),
            pythons=tuple(reading.pythons(chosen)),
        )

    @property
    def words(self) -> tuple[str, ...]:
        """What to resolve beside the files, a line each."""
        return (*self.requirements, _SEED) if self.seed else self.requirements

    def requested_names(self, lock: Lock) -> frozenset[NormalizedName]:
        """Return which distributions of a lock were asked for, rather than needed by others.

        What was asked for by address may have told no name; in a lock those are the ones with an address.
        """
        seed = {normalize(_SEED)} if self.seed else set()
        locked = {package.name: package.is_direct for package in lock.pylock.packages}
        return frozenset(name for name, direct in locked.items() if direct or name in self.names | seed)

    def to_document(self) -> dict[str, Any]:
        """Return what ``environment.json`` remembers of it, without credentials."""
        return {
            "requirements": [_URL.sub(lambda url: strip_credentials(url[0]), word) for word in self.requirements],
            "files": [str(file) for file in self.files],
            "groups": list(self.groups),
            "extras": list(self.extras),
            "seed": self.seed,
            "project": None if self.project is None else str(self.project),
        }

    def inputs(self, python_key: str, settings: Iterable[str] = ()) -> str:
        """Return the SHA-256 over all that a resolution depends on but the index's own state.

        ``settings`` are the resolver's options and variables. The same digest and an unchanged lockfile mean that
        there is nothing to resolve, for locked versions stay where they are.
        """
        words = list(self.words)  # with credentials: another user may see other distributions
        places = [str(self.folder), *map(str, self.constraints)]
        parts = [self.to_document(), words, places, self.digests, python_key, sorted(settings)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class _Reading:
    """What has been read so far, and every problem in it."""

    def __init__(self, folder: Path, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
        self.folder = folder
        self.extras = extras
        self.groups = groups
        self.files = RequirementsFiles()
        self._own_problems: list[str] = []
        self._pyprojects: dict[Path, PyProject] = {}
        self._folders_are_static = True

    @property
    def problems(self) -> list[str]:
        return self._own_problems + self.files.problems

    def find(self) -> Path | None:
        """Return the file in the folder that says what is wanted."""
        pyproject = self._pyproject(self.folder / "pyproject.toml")
        if pyproject and (pyproject.has_project or pyproject.builds or pyproject.problems or self.groups):
            return self.folder / "pyproject.toml"
        for name in ("requirements.txt", "pylock.toml"):
            if (self.folder / name).is_file():
                return self.folder / name
        raise InvalidRequest(
            f"nothing to lock: no requirement is given, and {self.folder} has no pyproject.toml with a project, "
            "no requirements.txt and no pylock.toml",
            hint="name what you need: multisite lock django",
        )

    def resolvable(self, found: Path) -> tuple[Path, ...]:
        """Return what was found as files for the resolver, which has no use for mere groups and lockfiles."""
        pyproject = self._pyprojects.get(found)
        only_groups = pyproject and not (pyproject.has_project or pyproject.builds or pyproject.problems)
        if found.name == "pylock.toml" or only_groups:
            return ()
        return (Path(found.name),)

    def builds(self, path: Path) -> bool:
        return path in self._pyprojects and self._pyprojects[path].builds

    def read_word(self, word: str) -> None:
        editable = _EDITABLE.fullmatch(word)
        place = editable["place"].strip() if editable else word
        if problem := self._word_problem(place, editable=editable is not None):
            self._own_problems.append(f"{word!r}: {problem}")

    def _word_problem(self, word: str, *, editable: bool) -> str | None:
        self.files.lead_elsewhere |= "file:" in word
        if not word.strip():
            return "an empty requirement"
        if _UNPRINTABLE.search(word):
            return "a requirement is one line of printable text"
        if word.startswith("-"):
            return "an option is not a requirement"
        if is_address(word):
            return None
        if is_path(word) or editable:
            return self._path_problem(word, editable=editable)
        return requirement_problem(word)

    def _path_problem(self, word: str, *, editable: bool) -> str | None:
        path = self.folder / path_of(word)
        if path.is_file():
            self.files.take(path, repr(word))
            return "only a folder can be editable" if editable else None
        if not path.is_dir():
            return "no such file or folder"
        build_files = [path / name for name in _BUILD_FILES if (path / name).is_file()]
        static = False
        for file in build_files:
            data = self.files.take(file, str(file))
            if file.name == "pyproject.toml":
                static = PyProject.parse(data or b"").is_static(extras=[word])
        self._folders_are_static &= static
        return None if build_files else "the folder has neither pyproject.toml nor setup.py"

    def read_file(self, file: Path, *, constraints: bool = False) -> None:
        path = Path(os.path.normpath(self.folder / file))
        if file.name != "pyproject.toml":
            self.files.read(path, shown=str(file), constraints=constraints)
        elif self._pyproject(path) is None:
            self._own_problems.append(f"{file}: No such file or directory")

    def is_told(self, files: Sequence[Path]) -> bool:
        """Tell whether what was read is all that decides what is asked for; only where nothing is wrong."""
        chosen = self._chosen(files)
        asked = [project for path, project in self._pyprojects.items() if path in chosen or self.groups]
        static = self._folders_are_static and all(self._pyprojects[path].is_static(self.extras) for path in chosen)
        return static and not self.files.lead_elsewhere and not any(project.leads_elsewhere for project in asked)

    def names(self, words: Iterable[str], files: Sequence[Path]) -> frozenset[NormalizedName]:
        """Return what all of it asks for by name; only where nothing is wrong."""
        found = self.files.names | set(filter(None, map(requirement_name, words)))
        chosen, home = self._chosen(files), self.folder / "pyproject.toml"
        for path, pyproject in self._pyprojects.items():
            project = path in chosen
            extras, groups = self.extras if project else (), self.groups if path == home else ()
            if project or groups:
                found.update(pyproject.names(extras=extras, groups=groups, project=project))
        return frozenset(found)

    def pythons(self, files: Sequence[Path]) -> Iterator[tuple[str, str]]:
        """Yield for which versions of Python the projects of these files are; only where nothing is wrong."""
        for path in self._chosen(files):
            if python := self._pyprojects[path].python:
                yield _relative(path, self.folder), python

    def _chosen(self, files: Iterable[Path]) -> list[Path]:
        return [Path(os.path.normpath(self.folder / file)) for file in files if file.name == "pyproject.toml"]

    def check_selection(self, files: Iterable[Path]) -> None:
        """Find what is wrong with the extras and groups, which some pyproject.toml must have."""
        chosen = self._chosen(files)
        home = self.folder / "pyproject.toml"
        if self.groups and self._pyproject(home) is None:
            self._own_problems.append(f"dependency groups need a pyproject.toml, and {self.folder} has none")
        if self.extras and not chosen:
            self._own_problems.append("extras belong to a project: give them as name[extra], or -r pyproject.toml")
        for path, pyproject in self._pyprojects.items():
            problems = [*pyproject.problems]
            if not problems:
                extras = self.extras if path in chosen else ()
                problems += pyproject.missing(extras=extras, groups=self.groups if path == home else ())
            if path in chosen or (path == home and self.groups):
                self._own_problems += [f"{_relative(path, self.folder)}: {problem}" for problem in problems]

    def _pyproject(self, path: Path) -> PyProject | None:
        if path not in self._pyprojects:
            if not path.is_file():
                return None
            data = self.files.take(path, str(path))
            self._pyprojects[path] = PyProject.parse(data or b"")
            self.files.addresses.update(addresses_in((data or b"").decode(errors="replace")))  # [tool.uv.index]
        return self._pyprojects[path]


def _origin(words: Sequence[str], files: Sequence[Path], found: Path | None) -> str:
    if found is not None:
        return found.name
    given = ["the command line"] if words else []
    return ", ".join([*given, *map(str, files)])


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _sentence(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    return "what was asked for cannot be read:" + "".join(f"\n  - {problem}" for problem in problems)

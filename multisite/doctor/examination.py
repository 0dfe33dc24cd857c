"""What an environment was found to be: everything is looked at once, and the checks judge it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from multisite.dispatch import exact

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from multisite.dispatch import DispatchTable
    from multisite.edits import Difference, Edit
    from multisite.entry import StoredDistribution
    from multisite.environment import Environment
    from multisite.interpreter import Interpreter
    from multisite.lockfile import Lock
    from multisite.names import BuildId
    from multisite.state import ChosenBuild, EnvironmentState, OwnedFile, RequestRecord, StateProject
    from multisite.trust import Doubt

__all__ = [
    "Answer",
    "Examination",
    "ExaminedBuild",
    "ExaminedEdit",
    "ExaminedFile",
    "ExaminedView",
    "FoundDistribution",
    "FoundModule",
    "RealDistribution",
    "SharedFiles",
    "listed",
]

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedBuild:
    """The chosen build of a distribution: what the store has for it.

    ``problem`` says why there is no entry or why it cannot be read (then ``stored`` is None); ``is_forbidden`` is for
    an account that may not, which no command of its own changes. ``damage`` are sentences
    about files that are not what RECORD says, ``extra`` are data files that RECORD does not list. ``reaches`` are the
    environments that have the damage with this one, as far as the store knows of them.
    """

    chosen: ChosenBuild
    stored: StoredDistribution | None = None
    is_missing: bool = False
    problem: str | None = None
    is_forbidden: bool = False
    damage: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.chosen.build.name} {self.chosen.build.version}"

    @property
    def row(self) -> tuple[str, ...] | None:
        """What the table's ``distributions`` should have for it; None without an entry."""
        if self.stored is None:
            return None
        shared, build = self.chosen.shared, self.stored.id
        root = self.stored.root if shared is None else f"shared/{shared}/site-packages"
        manifest = self.stored.manifest
        return (build.name, build.version, root, manifest.dist_info, build.build, *map(exact, manifest.shown))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFiles:
    """A shared folder of the store. ``problem`` says why it cannot be used; ``members`` are the builds in it.

    ``contested`` maps each path of which several members have different files to these.
    """

    members: tuple[BuildId, ...]
    problem: str | None = None
    contested: Mapping[str, tuple[BuildId, ...]] = field(default_factory=dict)
    damage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedFile:
    """A file that multisite wrote into the environment, and what is there now.

    ``found`` is ``same``, ``changed``, ``missing``, or for what is no file ``a folder`` and so on. ``is_script`` tells
    a program from a data file, whose first line names no ``interpreter``.
    """

    owned: OwnedFile
    found: str
    is_script: bool = False
    is_executable: bool = True
    interpreter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedEdit:
    """A private copy: whether the table leads to it, and whether what it was made from is locked.

    ``difference`` is None where the store has not what it was made from.
    """

    edit: Edit
    is_bound: bool
    is_locked: bool
    difference: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RealDistribution:
    """A distribution that is really installed in the environment's site-packages folder.

    ``top_level`` is what its RECORD brings there; ``requires`` are the lines of its METADATA.
    """

    name: NormalizedName
    version: str
    requires: tuple[str, ...] = ()
    top_level: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModule:
    """What ``importlib.util.find_spec`` found for a top-level name; nothing of it, or ``error``, where it did not.

    ``importable`` tells whether the folder in the store alone would give a module of that name.
    """

    origin: str | None = None
    locations: tuple[str, ...] = ()
    error: str | None = None
    importable: bool = True

    @property
    def place(self) -> str | None:
        """Where the name leads."""
        return self.origin or next(iter(self.locations), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDistribution:
    """What ``importlib.metadata`` gives for a name: version and the folder that the distribution lies in."""

    version: str | None = None
    folder: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedView:
    """The view of an environment: whether it is for something else, and which of its files are gone or changed."""

    folder: Path
    is_stale: bool = False
    damage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the environment's interpreter says when it starts as its user starts it.

    ``said`` is what was written to stderr before any program ran. ``is_active`` tells whether the finder is there,
    ``rows`` are the distributions of the table that is in force. ``standard`` are the folders of the standard library.
    ``unknown_tools`` are modules of tools that the start-up code left alone when they were imported;
    ``tools_problem`` says why that is not known.
    """

    version: str
    said: str = ""
    is_active: bool = True
    rows: tuple[tuple[str, ...], ...] = ()
    standard: tuple[str, ...] = ()
    stale_bytecode: tuple[str, ...] = ()
    unknown_tools: tuple[str, ...] = ()
    tools_problem: str | None = None
    modules: Mapping[str, FoundModule] = field(default_factory=dict)
    distributions: Mapping[str, FoundDistribution] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything that the checks know. None stands for what could not be read, and ``unreadable`` says why: by part.

    ``stores`` are the folders of the stores in order of precedence, ``binding`` the plain values of the table's
    (docs/formats.md, "Dispatch table and its key"). ``pinned`` is what the lockfile wants here: name -> version and
    the SHA-256 of the wheel, each None where only the build tells. ``python`` is size and time of the recorded
    interpreter's file now, None where it is gone. ``registered`` is the path that the store's registry has for it;
    ``can_register`` is False for another account's store that lets nobody register. ``remedies`` are the commands
    for what is unreadable, by part. ``projects`` are the editable ones of which something is gone, each with that.
    ``forbidden`` are unreadable parts that this account may not read, which no command of its own changes. ``doubts``
    are what others than this account and whom it trusts could have changed in the stores. ``absent`` are stores that
    are listed and missing, and nothing locked is in them.
    """

    environment: Environment
    deep: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)
    state: EnvironmentState | None = None
    lock: Lock | None = None
    pinned: Mapping[NormalizedName, tuple[str | None, str | None]] | None = None
    table: DispatchTable | None = None
    binding: Mapping[str, Any] = field(default_factory=dict)
    stores: tuple[str, ...] = ()
    bootstrap: Mapping[Path, str] = field(default_factory=dict)
    builds: Mapping[NormalizedName, ExaminedBuild] = field(default_factory=dict)
    shared: Mapping[str, SharedFiles] = field(default_factory=dict)
    files: Mapping[str, ExaminedFile] = field(default_factory=dict)
    programs: frozenset[str] = frozenset()
    projects: tuple[tuple[StateProject, str], ...] = ()
    real: Mapping[NormalizedName, RealDistribution] = field(default_factory=dict)
    interpreter: Interpreter | None = None
    python: tuple[int, int] | None = None
    answer: Answer | None = None
    view: ExaminedView | None = None
    edits: tuple[ExaminedEdit, ...] = ()
    damaged_edits: tuple[Path, ...] = ()
    registered: str | None = None
    can_register: bool = True
    remedies: Mapping[str, str | None] = field(default_factory=dict)
    forbidden: Collection[str] = ()
    doubts: tuple[Doubt, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def venv(self) -> str:
        """The environment's folder as a word of a command."""
        return shlex.quote(str(self.environment.path))

    @property
    def python_word(self) -> str:
        """The environment's interpreter as a word of a command."""
        return shlex.quote(str(self.environment.python))

    @property
    def sync(self) -> str:
        """The command that makes the environment what its lockfile says."""
        return f"multisite sync --venv {self.venv}"

    def repair(self, chosen: ChosenBuild) -> str:
        """Return the command that mends what a store has of a distribution."""
        store = self.stores[chosen.store] if chosen.store < len(self.stores) else ""
        return f"multisite verify --repair {chosen.build.name} --store {shlex.quote(store)}"

    @property
    def lock_again(self) -> str:
        """The command that writes the lockfile again from what was asked for."""
        words = _asked_for(None if self.state is None else self.state.request)
        return " ".join(["multisite lock", *map(shlex.quote, words), f"--venv {self.venv}"])

    @property
    def is_other_python(self) -> bool:
        """Whether the interpreter is not the one that the environment was made for."""
        return self.state is not None and self.interpreter is not None and self.interpreter.key != self.state.python.key

    @property
    def is_followed(self) -> bool:
        """Whether the interpreter follows the environment's table, so that what it finds can be held against that."""
        sound = not self.bootstrap and self.answer is not None and not self.answer.stale_bytecode
        return sound and self.answer is not None and self.answer.is_active and not self.is_switched

    @property
    def is_switched(self) -> bool:
        """Whether another table than the environment's own is in force, since its lockfile is a known other one."""
        return self.answer is not None and self.table is not None and self.answer.rows != self.rows

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The distributions of the table: name, version, root, dist-info folder, build."""
        return () if self.table is None else tuple(self.table.plain["distributions"])

    @property
    def explained(self) -> bool:
        """Whether the start-up code has a reason, which a check of its own tells, to say something or to do nothing."""
        return bool(
            self.table is None
            or self.lock is None
            or self.is_other_python
            or "store" in self.unreadable
            or self.bootstrap
            or self.lock.sha256 != self.binding.get("sha256")
            or (self.answer is not None and self.answer.stale_bytecode)
        )

    def is_private(self, index: int) -> bool:
        """Tell whether the distribution with this *index* in the table is a private copy, which people change."""
        return self.rows[index][2] in self.binding.get("edits", {})

    def root(self, index: int) -> str:
        """Return the folder that the finder takes for the distribution with this *index* in the table."""
        row = self.rows[index]
        edits = self.binding.get("edits", {})
        if row[2] in edits:
            return str(self.environment.path / edits[row[2]])
        return self.store_of(index) + os.sep + row[2].replace("/", os.sep)

    def store_of(self, index: int) -> str:
        """Return the store that holds the folder of the distribution with this *index* in the table."""
        layers = self.binding.get("layers")
        return self.stores[layers[index] if layers else 0]


def _asked_for(request: RequestRecord | None) -> list[str]:
    if request is None:
        return []
    words = list(request.requirements)
    # What the project's folder itself asks for is found there again.
    for file in () if request.project else request.files:
        words += ["-r", file]
    for option, names in (("--group", request.groups), ("--extra", request.extras)):
        for name in names:
            words += [option, name]
    return [*words, "--seed"] if request.seed else words


def listed(items: Sequence[str]) -> str:
    """Return *items* as a part of a sentence; of many, the first and how many more there are."""
    shown = ", ".join(items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} and {len(items) - _SHOWN} more"

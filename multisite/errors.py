"""What multisite raises on purpose: one tree, each kind with its facts as attributes and the next command to type."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "ArtifactMismatch",
    "BuildFailed",
    "DownloadFailed",
    "EntryMissing",
    "GarbageRefused",
    "InterpreterNotUsable",
    "InvalidDocument",
    "InvalidLockfile",
    "InvalidRequest",
    "InvalidWheel",
    "LockfileDoesNotFit",
    "LockfileGone",
    "MultisiteError",
    "NotAnEnvironment",
    "NotTrusted",
    "ResolutionFailed",
    "ResolverStopped",
    "StoreNotUsable",
    "UnsavedChanges",
    "UnsupportedFormat",
    "told",
]


_MOST_LISTED = 50  # a person reads the first ones; a file of ten thousand lines may be wrong in each


class MultisiteError(Exception):
    """A failure that multisite foresaw: ``str()`` is the sentence, ``hint`` the next thing to type.

    ``exit_code`` is what the command line exits with: 1 for what it found, 2 for wrong usage, 3 for what kept it from
    finding out.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, sentence: str, *, hint: str | None = None) -> None:
        super().__init__(sentence)
        self.hint = hint


def told(error: Exception) -> str:
    """Return what went wrong, for people: what the system says without its numbers, and with the path first."""
    if isinstance(error, OSError) and not isinstance(error, MultisiteError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _listed(problems: Sequence[str]) -> str:
    if len(problems) == 1:
        return f": {problems[0]}"
    left = len(problems) - _MOST_LISTED
    rest = [f"and {left} more"] if left > 0 else []
    return "".join(f"\n  - {problem}" for problem in [*problems[:_MOST_LISTED], *rest])


class UnsupportedFormat(MultisiteError, ValueError):
    """A document states a format version that this multisite does not know."""

    exit_code = 3

    def __init__(self, kind: str, where: str | Path, *, found: object, known: int) -> None:
        super().__init__(
            f"{where}: {kind} has format {found!r}; this multisite knows format {known}",
            hint="upgrade multisite: pip install --upgrade multisite",
        )
        self.kind, self.where, self.found, self.known = kind, where, found, known


class InvalidDocument(MultisiteError, ValueError):
    """A file of multisite's own is damaged; ``problems`` names each fault with its key path."""

    exit_code = 3

    def __init__(self, kind: str, where: str | Path, problems: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__(f"{where}: not a valid {kind}{_listed(problems)}", hint=hint)
        self.kind, self.where, self.problems = kind, where, tuple(problems)


class InvalidWheel(MultisiteError, ValueError):
    """A wheel breaks the binary distribution format; ``problems`` names each fault."""

    def __init__(self, wheel: str, problems: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__(
            f"{wheel}: not a valid wheel{_listed(problems)}",
            hint=hint or "report it to the project that published it, or lock another version",
        )
        self.wheel, self.problems = wheel, tuple(problems)


class InvalidLockfile(MultisiteError, ValueError):
    """A lockfile breaks PEP 751 or TOML; ``problems`` names each fault with its key path or line."""

    def __init__(self, where: str | Path, problems: Sequence[str]) -> None:
        super().__init__(f"{where}: not a valid lockfile{_listed(problems)}", hint="write it anew: multisite lock")
        self.where, self.problems = where, tuple(problems)


class LockfileDoesNotFit(MultisiteError, LookupError):
    """A lockfile is valid, but cannot be installed for this interpreter and selection."""

    def __init__(self, where: str | Path, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{where}: {reason}", hint=hint or "lock for this interpreter: multisite lock")
        self.where, self.reason = where, reason


class LockfileGone(MultisiteError, LookupError):
    """The lockfile that an environment follows is not there any more; ``ways`` are commands that go on from there."""

    exit_code = 3

    def __init__(self, lockfile: str | Path, environment: str | Path, ways: Sequence[str]) -> None:
        super().__init__(
            f"{lockfile}: it is gone, and the environment {environment} follows it", hint="; or ".join(ways)
        )
        self.lockfile, self.environment, self.ways = lockfile, environment, tuple(ways)


class InvalidRequest(MultisiteError, ValueError):
    """What was asked for cannot be read: a malformed requirement, a missing file, contradicting options."""

    exit_code = 2

    def __init__(self, sentence: str, *, hint: str | None = None) -> None:
        super().__init__(sentence, hint=hint or "correct that, then run the same command again")


class ResolutionFailed(MultisiteError):
    """The resolver found no solution; ``explanation`` is the resolver's own, whole."""

    def __init__(self, explanation: str, *, shortened: str | None = None, hint: str | None = None) -> None:
        sentence = f"no set of versions satisfies what was asked for:\n{shortened or explanation}"
        super().__init__(sentence, hint=hint or "loosen a requirement, or let locked versions move: --upgrade")
        self.explanation = explanation


class ResolverStopped(MultisiteError):
    """The resolver could not find out whether there is a solution; ``explanation`` is its own, whole."""

    exit_code = 3

    def __init__(self, explanation: str, *, hint: str | None = None) -> None:
        super().__init__(f"the resolver stopped:\n{explanation}", hint=hint or "mend what it names, then try again")
        self.explanation = explanation


class DownloadFailed(MultisiteError, OSError):
    """An artifact could not be fetched. ``url`` carries no credentials."""

    exit_code = 3

    def __init__(self, filename: str, url: str, reason: str, *, hint: str | None = None) -> None:
        sentence = f"{filename}: could not be fetched from {url}: {reason}"
        MultisiteError.__init__(self, sentence, hint=hint or "try again, or lock anew with another index")
        self.filename, self.url, self.reason = filename, url, reason

    def __str__(self) -> str:
        # OSError's own, once there is a file name, speaks of an error number.
        return str(self.args[0])


class ArtifactMismatch(MultisiteError, ValueError):
    """A fetched file is not the one that the lockfile names."""

    def __init__(self, filename: str, *, what: str, expected: str, found: str) -> None:
        super().__init__(
            f"{filename}: {what} is {found}, but the lockfile says {expected}; nothing of it was used",
            hint="find out who changed the file; if it is meant to be so: multisite lock --upgrade",
        )
        self.filename, self.what, self.expected, self.found = filename, what, expected, found


class BuildFailed(MultisiteError):
    """A wheel could not be built from its source; ``output`` is the build's own, whole."""

    def __init__(self, source: str, output: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"{source}: building a wheel failed:\n{output.rstrip()}",
            hint=hint or "install what the build misses, or lock a version that has a wheel",
        )
        self.source, self.output = source, output


class InterpreterNotUsable(MultisiteError):
    """No such interpreter, or it does not start, or it is one that multisite does not support."""

    exit_code = 3

    def __init__(self, wanted: str, reason: str) -> None:
        super().__init__(f"{wanted}: {reason}", hint="name one that is there: --python /path/to/python")
        self.wanted, self.reason = wanted, reason


class NotAnEnvironment(MultisiteError):
    """A folder is not a virtual environment, or not one that can be used as asked."""

    exit_code = 3

    def __init__(self, path: str | Path, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{path}: {reason}", hint=hint or "make one: multisite lock --venv DIR")
        self.path, self.reason = path, reason


class StoreNotUsable(MultisiteError, OSError):
    """The store cannot be read or written."""

    exit_code = 3

    def __init__(self, path: str | Path, reason: str, *, hint: str | None = None) -> None:
        way_out = hint or "choose another: --store DIR or MULTISITE_STORE"
        MultisiteError.__init__(self, f"store {path}: {reason}", hint=way_out)
        self.path, self.reason = path, reason


class NotTrusted(MultisiteError, PermissionError):
    """Something of a store could have been changed by accounts that this one does not trust."""

    exit_code = 3

    def __init__(self, path: str | Path, reason: str, *, hint: str) -> None:
        MultisiteError.__init__(self, f"{path}: {reason}; it is not used", hint=hint)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return str(self.args[0])  # OSError's own speaks of an error number


class GarbageRefused(MultisiteError):
    """The garbage of a store cannot be collected safely, or not by this account."""

    exit_code = 3

    def __init__(self, store: str | Path, reason: str, *, hint: str) -> None:
        super().__init__(f"store {store}: {reason}", hint=hint)
        self.store, self.reason = store, reason


class EntryMissing(MultisiteError, LookupError):
    """The store does not hold an entry that something refers to."""

    def __init__(self, entry: str, store: str | Path) -> None:
        super().__init__(f"{entry} is not in the store {store}", hint="multisite sync")
        self.entry, self.store = entry, store


class UnsavedChanges(MultisiteError):
    """A private copy was to be removed that somebody changed; ``changes`` are its files, with what became of each."""

    def __init__(self, label: str, folder: Path, changes: Sequence[str]) -> None:
        hint = "save them: --patch FILE; or throw them away: --force"
        super().__init__(f"{label}: what was changed in {folder} would be lost{_listed(changes)}", hint=hint)
        self.folder, self.changes = folder, tuple(changes)

"""Resolver: what was asked for to a lockfile for one interpreter.

uv does the resolving; what it writes is read as a stranger's would be, and written anew in our form. What reads
lockfiles is imported when uv has begun, which takes longer.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from multisite.addresses import is_local
from multisite.aside import Aside
from multisite.cache import Cache
from multisite.errors import InvalidLockfile, InvalidRequest, ResolutionFailed, ResolverStopped, UnsupportedFormat
from multisite.files import write_file
from multisite.indexes import IndexOptions
from multisite.processes import ended_by, run_program
from multisite.scratch import temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from packaging.pylock import Pylock

    from multisite.lockfile import Lock
    from multisite.request import Request

__all__ = ["Resolution", "Resolver", "Upgrade", "UvResolver", "uv_environment"]

_CREATED_BY = "multisite"
_KIND = "resolutions"  # the folder in the cache
_PATH = re.compile(rb"""^\s*path\s*=|[{,]\s*path\s*=|file:""", re.MULTILINE)
_LONG = 6  # lines of an explanation that is worth shortening
# What would have uv work in another folder, and what only colours or draws.
_NOT_FOR_UV = ("UV_WORKING_DIR", "UV_PROJECT", "FORCE_COLOR", "CLICOLOR_FORCE", "RUST_LOG")
# How uv says that it cannot read what it was given: not a matter of what there is to be found.
_UNREADABLE = (
    re.compile(r"Couldn't parse requirement in `(?P<where>[^`]+)` at position \d+\n\s*cause: (?P<why>.+)", re.DOTALL),
    re.compile(r"Invalid URL in `(?P<where>[^`]+)` at position \d+: (?P<why>.+)", re.DOTALL),
    re.compile(r"invalid value (?P<why>'.*') for '(?P<where>--[a-z-]+)[^']*': (?P<reason>[^\n]*)"),
)
_KILLED = "find out who ended it (a machine without memory does), then run the same command again"
_STEP = re.compile(r"\n\s*(?=And because )")
# What to type next, by what uv's explanation says; the first that applies.
_ADVICE = (
    ("network was disabled", "run the command without --offline"),
    ("was not found in the cache", "run the command without --offline"),
    ("lack of valid authentication", "give user and password in the index's address, or in ~/.netrc"),
    ("not found in the package registry", "correct the name, or name the index that has it: --index-url URL"),
    (
        "not found in the provided package locations",
        "correct the name, or name a place that has it: --find-links DIR",
    ),
    ("Failed to fetch", "check the network and the index's address (--index-url URL), then try again"),
    ("unexpected JSON", "check the index's address: --index-url URL"),
    ("Failed to build", "install what the build misses, or ask for a version that has a wheel"),
    ("matching platform tag", "ask for another version, or choose another interpreter: --python PYTHON"),
    ("matching Python", "ask for another version, or choose another interpreter: --python PYTHON"),
    ("current Python version", "ask for another version, or choose another interpreter: --python PYTHON"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """Which locked versions may move: ``everything``, or the distributions of these names; else none."""

    everything: bool = False
    names: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Return the options of ``uv pip compile``."""
        arguments = ["--upgrade"] if self.everything else []
        return arguments + [f"--upgrade-package={name}" for name in self.names]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A new lockfile: its bytes, what they say, and what the resolver warns of."""

    data: bytes
    lock: Lock
    warnings: tuple[str, ...]


class Resolver(Protocol):
    """What turns a request into a lockfile for one interpreter and its platform."""

    def resolve(self, request: Request, *, python: Path, lockfile: Path, upgrade: Upgrade) -> Resolution:
        """Resolve; ``lockfile`` is where the result will stand. Nothing is written there.

        Where it exists, its versions are kept unless the request or ``upgrade`` says otherwise; local paths in the
        result are relative to its folder. Raises ResolutionFailed, ResolverStopped, InvalidRequest.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class UvResolver:
    """Resolve with ``uv pip compile``; ``program`` is uv's path, ``environ`` what it is run with.

    In the ``cache`` is noted which lockfile an answer of uv's came to: reading and writing one of hundreds of
    distributions takes as long as uv. ``meanwhile`` is called when uv has begun, and begins what the caller has to do.
    """

    program: str
    environ: Mapping[str, str]
    indexes: IndexOptions = field(default_factory=IndexOptions)
    offline: bool = False
    cache: Cache = field(default_factory=Cache)
    meanwhile: Callable[[], None] = lambda: None

    def resolve(self, request: Request, *, python: Path, lockfile: Path, upgrade: Upgrade) -> Resolution:
        """Resolve as Resolver says; uv's own variables and configuration files count."""
        target = lockfile.parent.resolve()
        with temporary() as folder:
            # A folder of its own: uv names it in local paths, and an interrupted run leaves nothing beside the user's.
            output = folder / "pylock.toml"
            options = [*self._options(request, python, output), *upgrade.arguments()]
            offered, warnings, messages = self._run_beside(request, options, lockfile, output)
            text = output.read_bytes()
            data = self._known(text, lockfile, request)
            if data is None:
                data = self._formatted(text, request, output.parent, target)
                self.cache.remember(_KIND, self._name(text, request), hashlib.sha256(data).hexdigest().encode())
        from multisite.lockfile import Lock

        same = offered is not None and offered.sha256 == hashlib.sha256(data).hexdigest()
        parsed = offered if same and offered is not None else Lock.parse(data, lockfile)
        return Resolution(data=data, lock=parsed, warnings=(*warnings, *_warnings(messages)))

    def _run_beside(
        self, request: Request, options: Sequence[str], lockfile: Path, output: Path
    ) -> tuple[Lock | None, list[str], str]:
        """Have uv resolve, with the versions of the present *lockfile* to keep, which is read meanwhile.

        Return it, or None, warnings, and what uv says. One that cannot be read keeps none: uv is asked once more.
        """
        try:
            data = lockfile.read_bytes()
        except FileNotFoundError:
            return None, [], self._run(request, options)
        except OSError as error:
            warning = f"{lockfile}: {error.strerror}\nall versions are chosen anew"
            return None, [warning], self._run(request, options)
        write_file(output, data)
        reading = _Reading(data, lockfile)
        try:
            messages = self._run(request, options, reading.begin)
        except (ResolutionFailed, ResolverStopped, InvalidRequest):
            if reading.problem() is None:
                raise
        finally:
            reading.end()
        problem = reading.problem()
        if problem is None:
            return reading.found, [], messages
        output.unlink(missing_ok=True)
        return None, [f"{problem}\nall versions are chosen anew"], self._run(request, options)

    def _formatted(self, text: bytes, request: Request, folder: Path, target: Path) -> bytes:
        """Return uv's lockfile, written in *folder*, as ours in *target*."""
        from packaging.pylock import Pylock

        from multisite.lockfile import Lock

        found = Lock.parse(text, "uv's lockfile").pylock
        self._refuse_strangers(found, request.folder)
        moved = _relocated(found.to_dict(), folder, target)
        return Lock.format(replace(Pylock.from_dict(moved), created_by=_CREATED_BY))

    def _known(self, text: bytes, lockfile: Path, request: Request) -> bytes | None:
        """Return the lockfile that is there if it came of the same answer of uv's, without a path in it."""
        digest = self.cache.recall(_KIND, self._name(text, request))
        if digest is None or _PATH.search(text):
            return None
        try:
            data = lockfile.read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest().encode() == digest else None

    def _name(self, text: bytes, request: Request) -> str:
        """Return what an answer of uv's is known by: its bytes, and where distributions may come from."""
        local = self.indexes.effective(self.environ).has_local(self.environ, request.folder)
        return hashlib.sha256(b"%d " % local + text).hexdigest()

    def _refuse_strangers(self, found: Pylock, folder: Path) -> None:
        """Refuse files of this machine that a server's page names: uv takes them. Raises ResolverStopped."""
        files = [(package, file) for package in found.packages for file in (*(package.wheels or ()), package.sdist)]
        named = [(package.name, file.url) for package, file in files if file is not None and file.url]
        local = [f"{name}: the index names a file of this machine: {url}" for name, url in named if is_local(url)]
        if local and not self.indexes.effective(self.environ).has_local(self.environ, folder):
            hint = "ask who runs the index; a folder with distributions is given as --find-links DIR"
            raise ResolverStopped("\n".join(local), hint=hint)

    def _options(self, request: Request, python: Path, output: Path) -> list[str]:
        options = ["--format", "pylock.toml", "--output-file", str(output), "--no-header"]
        options += ["--python", str(python), "--no-python-downloads", "--no-progress", "--color", "never"]
        options += ["--no-universal"]  # whatever [tool.uv.pip] says: the lock is for one interpreter
        options += [f"--constraints={file}" for file in request.constraints]
        options += [f"--group={group}" for group in request.groups]
        options += [f"--extra={extra}" for extra in request.extras]
        options += ["--offline"] if self.offline else []
        return options + self.indexes.effective(self.environ).arguments()

    def _run(self, request: Request, options: Sequence[str], beside: Callable[[], None] = lambda: None) -> str:
        """Run uv in the request's folder, where relative paths mean what they meant to the asker.

        *beside* is called when it has begun, before the caller's turn.
        """

        def meanwhile() -> None:
            beside()
            self.meanwhile()

        sources = [*(["-"] if request.words else []), *map(str, request.files)]
        command = [self.program, "pip", "compile", *options, *(["--", *sources] if sources else [])]
        words = "".join(f"{word}\n" for word in request.words)
        environ = uv_environment(self.environ)
        try:
            done = run_program(command, environ=environ, cwd=request.folder, given=words.encode(), meanwhile=meanwhile)
        except OSError as error:
            raise ResolverStopped(f"{self.program} cannot be run: {error.strerror}") from error
        messages = done.stderr.decode("utf-8", "replace")
        if killed := ended_by(done):
            raise ResolverStopped("\n".join(filter(None, [messages.strip(), killed])), hint=_KILLED)
        if done.returncode != 0:
            raise _failure(messages)
        return messages


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to run uv with: as given, but for what would have it work elsewhere or draw."""
    return {name: value for name, value in environ.items() if name not in _NOT_FOR_UV}


class _Reading:
    """A lockfile that is read by a thread, for as long as uv takes: one of hundreds of distributions takes as long."""

    def __init__(self, data: bytes, where: Path) -> None:
        self._data = data
        self._where = where
        self._work: Aside | None = None
        self.found: Lock | None = None

    def begin(self) -> None:
        """Begin to read it, if that has not been begun."""
        self._begun()

    def _begun(self) -> Aside:
        if self._work is None:
            self._work = Aside(self._read)
        return self._work

    def _read(self) -> None:
        from multisite.lockfile import Lock

        self.found = Lock.parse(self._data, self._where)

    def problem(self) -> InvalidLockfile | UnsupportedFormat | None:
        """Return, once it is read, why it cannot be."""
        try:
            self._begun().demand()
        except (InvalidLockfile, UnsupportedFormat) as error:
            return error
        return None

    def end(self) -> None:
        """Return when nobody reads any more: an interpreter that ends must not end a thread that imports."""
        if self._work is not None:
            self._work.wait()


def _relocated(value: Any, old: Path, new: Path) -> Any:
    """Rewrite local paths relative to one folder into paths relative to another."""
    if isinstance(value, dict):
        return {
            key: _moved_path(item, old, new) if key == "path" and isinstance(item, str) else _relocated(item, old, new)
            for key, item in value.items()
        }
    return [_relocated(item, old, new) for item in value] if isinstance(value, list) else value


def _moved_path(path: str, old: Path, new: Path) -> str:
    if Path(path).is_absolute():
        return path
    absolute = Path(os.path.normpath(old / path))
    try:
        return Path(os.path.relpath(absolute, new)).as_posix()
    except ValueError:  # another drive
        return absolute.as_posix()


def _failure(output: str) -> ResolutionFailed | ResolverStopped | InvalidRequest:
    lines = [line for line in output.splitlines() if not line.startswith(("warning:", "Using "))]
    explanation = "\n".join(lines).strip().removeprefix("error: ")
    if unreadable := next(filter(None, (pattern.match(explanation) for pattern in _UNREADABLE)), None):
        return _misuse(**unreadable.groupdict())
    hint = next((advice for words, advice in _ADVICE if words in explanation), None)
    if "No solution found" not in explanation:
        return ResolverStopped(explanation, hint=hint)
    explanation = re.sub(r"\A.*No solution found[^\n]*\n(\s*cause: )?", "", explanation)
    explanation = _STEP.sub("\n", explanation)  # it hangs below a "cause:" that is not shown
    return ResolutionFailed(explanation, shortened=_shortened(explanation), hint=hint)


def _misuse(where: str, why: str, reason: str | None = None) -> InvalidRequest:
    where = "what was asked for cannot be read" if where == "-" else where
    lines = re.sub(r"\n\s*cause: ", ": ", why).splitlines()
    return InvalidRequest("\n".join([f"{where}: {lines[0]}" + (f": {reason}" if reason else ""), *lines[1:]]))


def _shortened(explanation: str) -> str | None:
    """Keep the last step of uv's reasoning, what it rests on, and the hints: where a person can change things."""
    reasoning, *hints = re.split(r"\n+(?=hint: )", explanation)
    steps = _STEP.split(reasoning)
    if len(explanation.splitlines()) <= _LONG or len(steps) < 2:
        return None
    premise = steps[-2].rpartition("we can conclude that ")[2]
    return "\n".join([premise, steps[-1], *hints, f"({len(steps) - 2} earlier steps: --verbose)"])


def _warnings(output: str) -> Sequence[str]:
    return [line.removeprefix("warning: ") for line in output.splitlines() if line.startswith("warning: ")]

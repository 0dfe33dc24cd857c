"""The place where a command works: an environment that it holds, or the folder where it will make one."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.environment import Environment, is_ours
from multisite.errors import InterpreterNotUsable, NotAnEnvironment
from multisite.files import locked, remove_tree
from multisite.interpreter import inspect_interpreter
from multisite.interpreters import find_interpreter
from multisite.recall import make_room, recall
from multisite.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from multisite.acquaintance import Acquaintance
    from multisite.interpreter import Interpreter
    from multisite.state import EnvironmentState

__all__ = ["Place"]

# Where nobody can write, nobody needs to be kept out.
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_SHOWN = 5


class Place:
    """The folder *path*: two commands that change the environment there wait for each other, as ``with`` blocks.

    ``interpreter`` is the environment's, or the one that it will be made with: *python*, looked for with the help of
    *environ*. An environment whose interpreter is gone is remade with another, as is one that *python* is no longer the
    interpreter of (``remade``, with what there is to say of it in ``findings``). ``before`` is what is known of the
    environment. *acquaintance* knows interpreters, *notice* is told of waiting.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        *,
        python: str | None = None,
        system_site_packages: bool = False,
        acquaintance: Acquaintance,
        notice: Callable[[str], None],
    ) -> None:
        self.path = Path(os.path.normpath(path.absolute()))
        self.created = False
        self.remade = False
        self.findings: tuple[Finding, ...] = ()
        self._had_folder = False
        self.environment: Environment | None = None
        self.before: EnvironmentState | None = None
        self.interpreter: Interpreter
        self._environ = environ
        self._python = python
        self._acquaintance = acquaintance
        self._system_site_packages = system_site_packages
        self._notice = notice
        self._held = ExitStack()
        self._reason: str | None = None  # why it is to be remade with another interpreter

    def __enter__(self) -> Self:
        if (self.path / "pyvenv.cfg").exists() or is_ours(self.path):
            self._meet(Environment.remains(self.path))
        else:
            if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
                Environment.open(self.path)  # says what is there instead, before anything is resolved for it
            Environment.check(self.path)
            self.interpreter = find_interpreter(self._python, self._environ, inspect=self._acquaintance.inspect)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.close()

    def take_away(self) -> None:
        """Remove an environment that was made here for something that failed; a folder that was there before stays."""
        if not self.created:
            return
        if self._had_folder:
            for item in list(self.path.iterdir()):
                remove_tree(item)
        else:
            remove_tree(self.path)

    @property
    def is_remade(self) -> bool:
        """Whether the environment gets another interpreter."""
        return self._reason is not None

    @property
    def state_folder(self) -> Path:
        """The folder of multisite's own files in the environment."""
        return self.path / ".multisite"

    @property
    def lockfile(self) -> Path:
        """Where the environment's lockfile is unless another file was made that."""
        return self.path / "pylock.toml"

    def lockfile_of(self, state: EnvironmentState) -> Path:
        """Return the environment's lockfile according to *state*."""
        return Path(os.path.normpath(self.path / state.lockfile))

    def make(self) -> Environment:
        """Return the environment, made now where there was none; where somebody else made it meanwhile, that one."""
        if self.environment is not None:
            former = self.environment
            self.environment = self._remade(former) if self._reason else former.fitted(self.interpreter)
            self._tell_of_what_stays(former)
            self.environment.site_packages.mkdir(parents=True, exist_ok=True)  # some clean up by removing it
            return self.environment
        self._had_folder = self.path.exists()
        try:
            environment = Environment.create(
                self.path, self.interpreter, system_site_packages=self._system_site_packages
            )
            self.created = True
        except NotAnEnvironment:
            if not (self.path / "pyvenv.cfg").exists():
                raise
            self._meet(Environment.remains(self.path))
            return self.make()
        self._take(environment)
        return environment

    def demand_writable(self, lock_sha256: str) -> None:
        """Refuse an environment that is to change and cannot, before the store is filled for it."""
        same = self.before is not None and self.before.lock_sha256 == lock_sha256 and self._reason is None
        if self.environment is None or same:
            return
        if not self.path.exists():
            raise NotAnEnvironment(self.path, "it was removed meanwhile", hint="run the command again")
        folder = self.state_folder if self.state_folder.exists() and self._reason is None else self.path
        if not os.access(folder, os.W_OK | os.X_OK):
            reason = f"it cannot be changed: {folder} may not be written to"
            raise NotAnEnvironment(self.path, reason, hint="run it as its owner, or choose another folder: --venv DIR")

    def _meet(self, environment: Environment) -> None:
        """Hold an environment that is there, with the interpreter that it has or is to have."""
        self._examine(environment)
        sees = environment.configuration.get("include-system-site-packages", "false").lower() == "true"
        if self._system_site_packages and not sees and environment.fault is None:
            message = "--system-site-packages is for a new environment, and this one does not see them"
            fix = f"write include-system-site-packages = true into {self.path / 'pyvenv.cfg'}"
            self._find(Severity.WARNING, message, fix)
        self._take(environment)
        if self._reason is not None:  # whoever held it until now may have mended it
            self._examine(Environment.remains(self.path))

    def _examine(self, environment: Environment) -> None:
        self._reason = None
        try:
            own = self._inspected(environment)
        except InterpreterNotUsable as error:
            from multisite.remaking import Ruin, starts_unlocked

            ruin = Ruin.of(environment, error)
            if ruin is None and (unlocked := starts_unlocked(environment)) is not None:
                # A lockfile without what ends it must be able to take its place.
                self._find(Severity.WARNING, f"it did not start with what was locked until now: {error.reason}")
                self.interpreter = self._demanded(unlocked)
                return
            if ruin is None:
                reason = f"its interpreter, {error.wanted}, cannot be used: {error.reason}"
                hint = "remove what keeps it from starting: a .pth file or sitecustomize.py, most often"
                raise NotAnEnvironment(environment.path, reason, hint=hint) from error
            self.interpreter, self._reason = ruin.successor(self._python, self._environ), ruin.reason
            return
        self.interpreter = self._demanded(own)
        if self.interpreter is not own:
            self._reason = f"{self._python} was asked for, and it had Python {own.version}"

    def _remade(self, environment: Environment) -> Environment:
        from multisite.remaking import remade

        environment = remade(environment, self.interpreter, system_site_packages=self._system_site_packages)
        self.remade = True
        with_it = f"{self.interpreter.version} ({self.interpreter.base_executable})"
        self._find(Severity.NOTE, f"the environment was remade with Python {with_it}: {self._reason}")
        self._inspected(environment)
        return environment

    def _tell_of_what_stays(self, former: Environment) -> None:
        """Warn of what is really installed and belongs to another version of Python."""
        if self.environment is None or self.environment.site_packages == former.site_packages:
            return
        from multisite.remaking import left_behind

        state = self.before
        projects = () if state is None else (*([state.project] if state.project else ()), *state.editables)
        site = former.site_packages.relative_to(self.path).as_posix()
        mine = {
            path.removeprefix(f"{site}/") for project in projects for path in project.files if path.startswith(site)
        }
        if stays := left_behind(former, frozenset(mine)):
            shown = ", ".join(stays[:_SHOWN]) + (f" and {len(stays) - _SHOWN} more" if len(stays) > _SHOWN else "")
            version = self.interpreter.version
            self._find(Severity.WARNING, f"{shown} stayed in {site}, where Python {version} does not look")

    def _find(self, severity: Severity, message: str, fix: str | None = None) -> None:
        found = Finding(check="interpreter", severity=severity, message=message, fix=fix)
        if found not in self.findings:
            self.findings = (*self.findings, found)

    def _take(self, environment: Environment) -> None:
        """Hold *environment* until the end of the block, then see what is known of it."""
        for path in make_room(environment):
            self._find(Severity.WARNING, f"something else was in the place of multisite's own; it is {path} now")
        lock = environment.state_folder / "lock"
        try:
            self._held.enter_context(locked(lock, timeout=0))
        except TimeoutError:
            self._notice(f"waiting for another multisite that works on {self.path}")
            self._wait(lock)
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
        self.environment = environment
        recalled = recall(environment)
        self.before = None if recalled is None else recalled.state

    def _wait(self, lock: Path) -> None:
        try:
            self._held.enter_context(locked(lock, make=False))
            is_there = (self.path / "pyvenv.cfg").exists() or is_ours(self.path)
            gone = None if is_there else FileNotFoundError(lock)
        except FileNotFoundError as error:
            gone = error
        if gone is not None:
            reason = "it was removed while this command waited for it"
            raise NotAnEnvironment(self.path, reason, hint="run the command again") from gone

    def _demanded(self, found: Interpreter) -> Interpreter:
        """Return the environment's interpreter if it is what was asked for, else the one that it is to have then.

        Raises NotAnEnvironment for an environment that multisite has not worked on.
        """
        python = self._python
        if python is None or f"{found.version}.".startswith(python.lower().removeprefix("python") + "."):
            return found
        wanted = find_interpreter(python, self._environ, inspect=self._acquaintance.inspect)
        if wanted.key == found.key:
            return found
        if not is_ours(self.path) or sys.platform == "win32":  # what is in there may all be really installed
            reason = f"it has Python {found.version}, and {python} is {wanted.version}"
            raise NotAnEnvironment(self.path, reason, hint="remove it first, or choose another: --venv DIR")
        return wanted

    def _inspected(self, environment: Environment) -> Interpreter:
        """Ask the environment's interpreter. Raises InterpreterNotUsable."""
        try:
            return self._acquaintance.of(environment)
        except InterpreterNotUsable:
            from multisite.bootstrap import Bootstrap

            # Before 3.13 no interpreter starts beside a start-up file that cannot be decoded, and it may be ours.
            bootstrap = Bootstrap(prefix=environment.path, site_packages=environment.site_packages)
            if not bootstrap.mend_start():
                raise
            return inspect_interpreter(environment.python)

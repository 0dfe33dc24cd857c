"""An environment made anew in its place: its interpreter is gone, or another one is wanted.

Everything in the folder stays but what names the interpreter. Each minor version has a site-packages folder of its own,
so what is really installed is seen again once that version is back.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.bootstrap import PTH_NAME, Bootstrap
from multisite.environment import Environment, configuration_text, default_prompt, program_names
from multisite.errors import InterpreterNotUsable, InvalidDocument, NotAnEnvironment
from multisite.files import free_path, write_atomic
from multisite.interpreter import inspect_interpreter
from multisite.interpreters import find_interpreter
from multisite.record import parse_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from multisite.interpreter import Interpreter

__all__ = ["Ruin", "left_behind", "own_interpreter", "remade", "starts_unlocked"]

_CONFIGURATION = "pyvenv.cfg"
_PROGRAM = re.compile(r"python(\d+(\.\d+t?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruin:
    """What is left of an environment, and why it is no more than that."""

    environment: Environment
    reason: str

    @classmethod
    def of(cls, environment: Environment, problem: InterpreterNotUsable) -> Ruin | None:
        """Return what is left of *environment*, whose interpreter has the *problem* that it does not start.

        None where another interpreter would not start there either: it is something else that keeps this one from it.
        """
        if sys.platform == "win32":
            return None  # only the interpreter's own library knows its launchers
        reason = environment.fault or _gone(environment, problem)
        return None if reason is None else cls(environment=environment, reason=reason)

    @property
    def version(self) -> str:
        """The minor version that it was made with, as in ``3.12`` and ``3.13t``."""
        if match := re.fullmatch(r"python(3\.\d+t?)", self.environment.site_packages.parent.name):
            return match[1]
        configuration = self.environment.configuration
        full = configuration.get("version") or configuration.get("version_info") or "3"
        return ".".join(full.split(".")[:2])

    def successor(self, python: str | None, environ: Mapping[str, str]) -> Interpreter:
        """Return the interpreter that it is to be remade with: *python*, else one of the same minor version.

        The one that it had comes first, where that is there, then one of the same patch release. Raises
        NotAnEnvironment where there is none, InterpreterNotUsable for a *python* that is none.
        """
        if python is not None:
            return find_interpreter(python, environ)
        problem = None
        for wanted in (str(self.environment.python), *self._own(), *self._versions()):
            try:
                found = find_interpreter(wanted, environ)
            except InterpreterNotUsable as error:
                problem = error
                continue
            if found.library == f"python{self.version}":
                return found
        reason = f"{self.reason}; and there is no other Python {self.version}"
        hint = f"install Python {self.version} again, or name another: {self.command} --python PYTHON"
        raise NotAnEnvironment(self.environment.path, reason, hint=hint) from problem

    def remedy(self, environ: Mapping[str, str]) -> str:
        """Return the command that remakes it."""
        try:
            self.successor(None, environ)
        except NotAnEnvironment:
            return f"{self.command} --python PYTHON"
        return self.command

    @property
    def command(self) -> str:
        """The command that remakes it, if there is another interpreter of its version."""
        return f"multisite sync --venv {shlex.quote(str(self.environment.path))}"

    def _own(self) -> Iterator[str]:
        configuration = self.environment.configuration
        if home := configuration.get("home"):
            yield str(Path(home, f"python{self.version}"))
        yield from (configuration[key] for key in ("base-executable", "executable") if configuration.get(key))

    def _versions(self) -> Iterator[str]:
        configuration = self.environment.configuration
        match = re.match(r"\d+\.\d+\.\d+", configuration.get("version") or configuration.get("version_info") or "")
        if match and match[0].startswith(f"{self.version.rstrip('t')}."):
            yield match[0] + ("t" if self.version.endswith("t") else "")
        yield self.version


def own_interpreter(environment: Environment) -> Interpreter:
    """Ask the interpreter of *environment*. Raises InterpreterNotUsable, also for a fault of the environment's."""
    if environment.fault is not None:
        raise InterpreterNotUsable(str(environment.path), environment.fault)
    return inspect_interpreter(environment.python)


def starts_unlocked(environment: Environment) -> Interpreter | None:
    """Return the interpreter of *environment* if it starts without the finder: what is locked ends it otherwise."""
    if environment.fault is not None or not (environment.site_packages / PTH_NAME).exists():
        return None
    try:
        return inspect_interpreter(environment.python, finder=False)
    except InterpreterNotUsable:
        return None


def _gone(environment: Environment, problem: InterpreterNotUsable) -> str | None:
    """Return why the interpreter of *environment*, which does not start, is gone; None where it is there."""
    home = Path(environment.configuration.get("home", ""))
    if not home.is_dir():
        return f"its interpreter is gone: there is no {home}, which its {_CONFIGURATION} names"
    if _starts_alone(environment.python):
        return None
    return f"its interpreter, {problem.wanted}, cannot be used: {problem.reason}"


def _starts_alone(python: Path) -> bool:
    """Tell whether *python* starts where nothing that is installed has a say."""
    try:
        return subprocess.run([python, "-I", "-S", "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def remade(environment: Environment, interpreter: Interpreter, *, system_site_packages: bool = False) -> Environment:
    """Return *environment* as one of *interpreter*; *system_site_packages* counts where no configuration tells.

    The start-up file is there before the interpreter changes, so that what can be imported stays so. An interpreter
    that is no link is kept, as ``python.old``.
    """
    folder = environment.path
    site = folder / "lib" / interpreter.library / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    if (environment.site_packages / PTH_NAME).exists() and not (site / PTH_NAME).exists():
        start = Bootstrap(prefix=folder, site_packages=site).expected()[site / PTH_NAME]
        write_atomic(site / PTH_NAME, start, sync=True)
    _link(environment.scripts, interpreter)
    text = _read(folder / _CONFIGURATION)
    if text.strip():
        text = _fitted(text, interpreter)
    else:
        prompt = default_prompt(folder)
        text = configuration_text(interpreter, prompt=prompt, system_site_packages=system_site_packages)
    write_atomic(folder / _CONFIGURATION, text.encode("utf-8", "surrogateescape"), sync=True)
    return Environment.open(folder)


def _link(scripts: Path, interpreter: Interpreter) -> None:
    """Let the names of the interpreter lead to *interpreter*, and no others be there."""
    scripts.mkdir(exist_ok=True)
    names = program_names(interpreter)
    for path in scripts.iterdir():
        if path.is_symlink() and _PROGRAM.fullmatch(path.name) and path.name not in {"python", *names}:
            path.unlink()
    for name, target in {"python": str(interpreter.base_executable), **dict.fromkeys(names, "python")}.items():
        path = scripts / name
        if path.is_symlink() and os.fspath(path.readlink()) == target:
            continue
        if path.exists() and not path.is_symlink():
            path.replace(free_path(scripts, f"{name}.old"))
        temporary = free_path(scripts, f".{name}.new")
        temporary.symlink_to(target)
        temporary.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""


def _fitted(text: str, interpreter: Interpreter) -> str:
    """Return a ``pyvenv.cfg`` with what it says of the interpreter changed, and everything else as it was."""
    executable, base = interpreter.base_executable, str(interpreter.base_prefix)
    version = ".".join(map(str, interpreter.version_info))
    wanted = {
        "home": str(executable.parent),
        "version": version,
        "version_info": version,
        "executable": str(executable.resolve()),
        # virtualenv's
        "base-prefix": base,
        "base-exec-prefix": base,
        "base-executable": str(executable),
    }
    lines, found = [], set()
    for line in text.splitlines():
        key = line.partition("=")[0].strip().lower()
        found.add(key)
        if key == "version_info":
            lines.append(re.sub(r"\d+\.\d+\.\d+", version, line))
        else:
            lines.append(f"{key} = {wanted[key]}" if key in wanted else line)
    missing = {"home"} | (set() if found & {"version", "version_info"} else {"version"})
    lines += [f"{key} = {wanted[key]}" for key in sorted(missing - found)]
    return "\n".join(lines) + "\n"


def left_behind(environment: Environment, mine: frozenset[str]) -> list[str]:
    """Return what is really in the site-packages folder of *environment*, for people; *mine* are its own paths in it.

    Distributions by name and version, and the rest by its name.
    """
    site = environment.site_packages
    names = {path.name for path in site.iterdir()} if site.is_dir() else set()
    names -= {PTH_NAME, "__pycache__", *(path.partition("/")[0] for path in mine)}
    found = []
    for name in sorted(names):
        if name.endswith(".dist-info"):
            found.append(" ".join(name.removesuffix(".dist-info").rsplit("-", 1)))
            names -= {name, *_top_level(site / name / "RECORD")}
    return found + sorted(names)


def _top_level(record: Path) -> Iterator[str]:
    try:
        rows = parse_record(record.read_text(encoding="utf-8"), where=record)
    except (OSError, UnicodeDecodeError, InvalidDocument):
        return
    yield from (row.path.partition("/")[0] for row in rows)

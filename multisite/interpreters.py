"""Where interpreters are: in the active environment, on PATH, with pyenv or known to uv. None is downloaded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.errors import InterpreterNotUsable
from multisite.interpreter import Interpreter, base_executable, inspect_interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["find_interpreter"]

_VERSION = re.compile(r"(?:c?python[@-]?)?(\d+(?:\.\d+){0,2})(t?)", re.ASCII | re.IGNORECASE)


def find_interpreter(
    wanted: str | None,
    environ: Mapping[str, str],
    *,
    inspect: Callable[[Path], Interpreter] = inspect_interpreter,
) -> Interpreter:
    """Return the interpreter that is *wanted*. Raises InterpreterNotUsable, which says where it was looked for.

    None is the active environment's if that is there, else the installation that runs this program. Otherwise it is a
    program, a folder of a virtual environment or of an installation, the name of a program on PATH, or a version such
    as ``3.12``, ``3.12.1``, ``3.13t`` or ``python3.12``.
    """
    if wanted is None:
        active = environ.get("VIRTUAL_ENV")
        # One that was removed since is nobody's wish.
        return inspect(_program(Path(active)) if active and os.path.lexists(active) else _own())
    path = Path(wanted).expanduser()
    version = _VERSION.fullmatch(wanted)
    if path.is_file() or (path.is_dir() and not version) or _is_path(wanted):
        return inspect(_program(path))
    if version:
        return _Version.parse(version).find(wanted, environ, inspect)
    return _named(wanted, environ, inspect)


def _is_path(wanted: str) -> bool:
    return any(separator and separator in wanted for separator in (os.sep, os.altsep)) or wanted.startswith("~")


def _program(path: Path) -> Path:
    if not path.is_dir():
        if not path.exists():
            raise InterpreterNotUsable(str(path), "there is no such file")
        return path
    found = _in_folder(path)
    if found is None:
        raise InterpreterNotUsable(str(path), "the folder holds no interpreter (bin/python)")
    return found


def _in_folder(folder: Path) -> Path | None:
    places = ("Scripts/python.exe", "python.exe") if sys.platform == "win32" else ("bin/python", "bin/python3")
    return next((folder / place for place in places if (folder / place).is_file()), None)


def _own() -> Path:
    program = Path(getattr(sys, "_base_executable", None) or sys.executable)
    return base_executable(program, Path(sys.base_prefix), sys.version_info[:2])


def _named(wanted: str, environ: Mapping[str, str], inspect: Callable[[Path], Interpreter]) -> Interpreter:
    reasons = []
    for program in _on_path([wanted], environ):
        try:
            return inspect(program)
        except InterpreterNotUsable as error:
            reasons.append(str(error))
    raise InterpreterNotUsable(wanted, _not_found(f"neither a path nor a version, and looked for on {_PATH}", reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """A version that is wanted, in as many numbers as were given."""

    numbers: tuple[int, ...]
    free_threaded: bool

    @classmethod
    def parse(cls, match: re.Match[str]) -> _Version:
        text = match[1]
        # As in tags and in names such as python312: a single number of several digits is major and minor.
        text = f"{text[0]}.{text[1:]}" if text.isdecimal() and len(text) > 1 else text
        return cls(numbers=tuple(map(int, text.split("."))), free_threaded=bool(match[2]))

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers)) + self._suffix

    @property
    def _suffix(self) -> str:
        return "t" if self.free_threaded else ""

    def names(self) -> list[str]:
        """Return what a program of this version may be called, the most telling name first."""
        lengths = range(min(len(self.numbers), 2), -1, -1)
        suffixes = ["t", ""] if self.free_threaded else [""]
        names = [f"python{'.'.join(map(str, self.numbers[:length]))}" for length in lengths]
        return [f"{name}{suffix}" for name in names for suffix in suffixes]

    def fits(self, interpreter: Interpreter) -> bool:
        """Tell whether the interpreter is of this version."""
        same_kind = interpreter.library.endswith("t") == self.free_threaded
        return same_kind and interpreter.version_info[: len(self.numbers)] == self.numbers

    def find(self, wanted: str, environ: Mapping[str, str], inspect: Callable[[Path], Interpreter]) -> Interpreter:
        """Return the first one that fits and works."""
        reasons = []
        seen = set()
        for program in self._candidates(environ):
            if program in seen:
                continue
            seen.add(program)
            try:
                found = inspect(program)
            except InterpreterNotUsable as error:
                reasons.append(str(error))
                continue
            if self.fits(found):
                return found
        places = f"looked for {', '.join(self.names())} on {_PATH}, in {_pyenv(environ) / 'versions'}, and asked uv"
        raise InterpreterNotUsable(wanted, _not_found(places, reasons))

    def _candidates(self, environ: Mapping[str, str]) -> Iterator[Path]:
        yield from _on_path(self.names(), environ)
        yield from self._of_pyenv(environ)
        yield from self._of_uv(environ)

    def _of_pyenv(self, environ: Mapping[str, str]) -> Iterator[Path]:
        found = []
        for folder in (_pyenv(environ) / "versions").glob("*"):
            match = re.match(r"(\d+)\.(\d+)\.(\d+)", folder.name)
            numbers = tuple(map(int, match.groups())) if match else ()
            if numbers and numbers[: len(self.numbers)] == self.numbers:
                found.append((numbers, folder))
        for _, folder in sorted(found, reverse=True):
            program = _in_folder(folder)
            if program is not None:
                yield program

    def _of_uv(self, environ: Mapping[str, str]) -> Iterator[Path]:
        from uv import find_uv_bin

        try:
            uv = find_uv_bin()
        except FileNotFoundError:
            return
        command = [uv, "python", "find", "--no-python-downloads", "--no-project", "--no-config", f"cpython@{self}"]
        done = subprocess.run(command, capture_output=True, check=False, env=dict(environ), stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            yield Path(os.fsdecode(done.stdout.strip()))


_PATH = "PATH (the shims of version managers left out)"


def _not_found(places: str, reasons: list[str]) -> str:
    return f"no such interpreter; {places}" + "".join(f"\n  - {reason}" for reason in reasons)


def _pyenv(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()


def _on_path(names: list[str], environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the programs of these *names* on PATH, folder by folder for each name.

    Shims (pyenv, asdf, mise) are left out: they stand for another program that depends on the current folder, and
    fail where no version is chosen there.
    """
    folders = [Path(folder) for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    for name in names:
        for folder in folders:
            program = folder / (f"{name}.exe" if sys.platform == "win32" else name)
            if folder.name != "shims" and program.is_file() and os.access(program, os.X_OK):
                yield program

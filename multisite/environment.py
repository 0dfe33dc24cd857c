"""A virtual environment: making one as people know it, and finding one's way in those that anybody made (PEP 405)."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.batch import flush
from multisite.errors import InterpreterNotUsable, InvalidDocument, NotAnEnvironment, UnsupportedFormat
from multisite.files import flush_folder, publish, remove_empty_parents, remove_tree, write_atomic, write_file
from multisite.scratch import scratch
from multisite.state import EnvironmentState, PythonRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multisite.interpreter import Interpreter

__all__ = ["Environment", "configuration_text", "default_prompt", "is_ours", "program_names", "python_record"]

_CONFIGURATION = "pyvenv.cfg"
_ELSEWHERE = "choose another folder: --venv DIR"
_WINDOWS = sys.platform == "win32"
_SCRIPTS = "Scripts" if _WINDOWS else "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment. ``path`` is absolute, with links in it kept: scripts and people know it by that name.

    ``fault`` says why it is only what is left of one: its interpreter is gone, or its ``pyvenv.cfg``.
    """

    path: Path
    site_packages: Path
    configuration: Mapping[str, str]
    fault: str | None = None

    @classmethod
    def open(cls, path: Path) -> Environment:
        """Return the environment at *path*, whoever made it. Raises NotAnEnvironment, without running anything."""
        environment = cls.remains(path)
        if environment.fault is not None:
            hint = f"make it anew in its place: multisite sync --venv {shlex.quote(str(environment.path))}"
            raise NotAnEnvironment(environment.path, environment.fault, hint=hint)
        if not _is_text(environment.path):
            reason = f"programs cannot name it: {str(path)!r} is no text in the locale's encoding"
            raise NotAnEnvironment(environment.path, reason, hint=_ELSEWHERE)
        return environment

    @classmethod
    def remains(cls, path: Path) -> Environment:
        """Return the environment at *path* or, with its ``fault``, what is left of it. Raises NotAnEnvironment.

        Without a ``pyvenv.cfg`` multisite's own files tell that the folder is one.
        """
        path = Path(os.path.normpath(Path(path).absolute()))
        configuration, fault = _read_configuration(path)
        site_packages = _site_packages(path, configuration)
        environment = cls(path=path, site_packages=site_packages, configuration=configuration, fault=fault)
        python = environment.python
        if fault is not None or python.is_file():
            return environment
        gone = f"{python} leads to {python.readlink()}" if python.is_symlink() else f"there is no {python}"
        return replace(environment, fault=f"its interpreter is gone: {gone}")

    @classmethod
    def create(
        cls,
        path: Path,
        interpreter: Interpreter,
        *,
        prompt: str | None = None,
        system_site_packages: bool = False,
    ) -> Environment:
        """Make the environment at *path*, which must be missing or an empty folder.

        It appears as a whole. The *prompt* is the folder's name, or for one like ``.venv`` that of the folder around
        it. Raises NotAnEnvironment where it cannot be made.
        """
        path = Path(os.path.normpath(Path(path).absolute()))
        new = _NewEnvironment(
            path=path,
            interpreter=interpreter,
            prompt=prompt or default_prompt(path),
            system_site_packages=system_site_packages,
        )
        try:
            new.make()
        except OSError as error:
            reason = f"it cannot be made: {error.strerror or error}"
            raise NotAnEnvironment(path, reason, hint=_ELSEWHERE) from error
        return cls.open(path)

    @classmethod
    def outline(cls, folder: Path, path: Path, interpreter: Interpreter) -> Environment:
        """Write into the empty *folder* what an environment at *path* has at first; return what is in *folder*."""
        new = _NewEnvironment(
            path=path, interpreter=interpreter, prompt=default_prompt(path), system_site_packages=False
        )
        new.fill(folder)
        return cls.open(folder)

    @classmethod
    def check(cls, path: Path) -> None:
        """Raise NotAnEnvironment where ``create`` would, as far as that can be told beforehand."""
        path = Path(os.path.normpath(Path(path).absolute()))
        _check_place(path, default_prompt(path))

    @property
    def scripts(self) -> Path:
        """The folder of its programs."""
        return self.path / _SCRIPTS

    @property
    def python(self) -> Path:
        """Its interpreter."""
        names = ("python.exe",) if _WINDOWS else ("python", "python3")
        found = (self.scripts / name for name in names if (self.scripts / name).exists())
        return next(found, self.scripts / names[0])

    @property
    def state_folder(self) -> Path:
        """The folder of multisite's own files in it."""
        return self.path / ".multisite"

    @property
    def state_file(self) -> Path:
        """What multisite knows of it (docs/formats.md, "environment.json")."""
        return self.state_folder / "environment.json"

    @property
    def lockfile(self) -> Path:
        """Where its lockfile is unless another file was made that."""
        return self.path / "pylock.toml"

    def lockfile_of(self, state: EnvironmentState) -> Path:
        """Return its lockfile according to *state*."""
        return Path(os.path.normpath(self.path / state.lockfile))

    def fitted(self, interpreter: Interpreter) -> Environment:
        """Return the environment for *interpreter*, which its own has become; written is only what no longer fits.

        After an upgrade in place to another minor version, site-packages is another folder, in which nothing is yet.
        What is in the former one stays, and no interpreter looks there.
        """
        text = (self.path / _CONFIGURATION).read_text(encoding="utf-8", errors="surrogateescape")
        version = ".".join(map(str, interpreter.version_info))
        wanted = re.sub(r"(?m)^(version(?:_info)?\s*=\s*)\d+\.\d+\.\d+", rf"\g<1>{version}", text)
        folder = self.path / "lib" / interpreter.library / "site-packages"
        if wanted == text and (_WINDOWS or folder == self.site_packages):
            return self
        if not _WINDOWS:
            folder.mkdir(parents=True, exist_ok=True)
        link = self.scripts / interpreter.library
        if self.python.is_symlink() and not link.exists():
            link.symlink_to("python")
        write_atomic(self.path / _CONFIGURATION, wanted.encode("utf-8", "surrogateescape"), sync=True)
        return Environment.open(self.path)

    def tidy(self, path: Path) -> None:
        """Remove the folders above *path* that are empty, but for those that every environment has."""
        lasting = {self.path, self.scripts, self.path / "include", self.site_packages, *self.site_packages.parents}
        remove_empty_parents(path, next(folder for folder in path.parents if folder in lasting))

    def read_state(self) -> EnvironmentState | None:
        """Return what multisite knows of it, None where it was never synced. Raises as ``from_document``."""
        try:
            document = self.state_file.read_bytes()
        except FileNotFoundError:
            return None
        except (IsADirectoryError, NotADirectoryError) as error:
            problem = f"it cannot be read: {error.strerror}"
            raise InvalidDocument("environment.json", self.state_file, [problem], hint="multisite sync") from error
        return EnvironmentState.from_document(document, self.state_file)

    def write_state(self, state: EnvironmentState) -> bool:
        """Write *state* where it differs from what is there; return whether it did."""
        document = state.to_document()
        try:
            if self.state_file.read_bytes() == document:
                return False
        except FileNotFoundError:
            self.state_folder.mkdir(exist_ok=True)
        write_atomic(self.state_file, document, sync=True)
        return True


def is_ours(path: Path) -> bool:
    """Tell whether multisite has worked on the environment at *path*."""
    return any((path / ".multisite" / name).is_file() for name in ("environment.json", "next.json", "table"))


def python_record(interpreter: Interpreter) -> PythonRecord:
    """Return what tells later whether the interpreter is still the same, by its key and by the file."""
    executable = interpreter.base_executable
    # It has several names, and which one is found depends on who asks: take the one with the version.
    versioned = executable.with_name(interpreter.library)
    if versioned.exists() and versioned.samefile(executable):
        executable = versioned
    facts = executable.stat()
    return PythonRecord(
        key=interpreter.key,
        executable=str(executable),
        size=facts.st_size,
        mtime_ns=facts.st_mtime_ns,
    )


def program_names(interpreter: Interpreter) -> list[str]:
    """Return what its interpreter is called in an environment besides ``python``."""
    major, minor = interpreter.version_info[:2]
    return list(dict.fromkeys([f"python{major}", f"python{major}.{minor}", interpreter.library]))


def configuration_text(interpreter: Interpreter, *, prompt: str, system_site_packages: bool) -> str:
    """Return the ``pyvenv.cfg`` of an environment of *interpreter*."""
    from multisite import __version__

    executable = interpreter.base_executable
    values = {
        "home": executable.parent,
        "include-system-site-packages": str(system_site_packages).lower(),
        "version": ".".join(map(str, interpreter.version_info)),
        "executable": executable.resolve(),
        "prompt": prompt,
        "multisite": __version__,
    }
    return "".join(f"{key} = {value}\n" for key, value in values.items())


def default_prompt(path: Path) -> str:
    """Return what a shell shows for the environment at *path*: for one like ``.venv`` the folder around it."""
    return (path.parent.name if path.name.startswith(".") else path.name) or path.name


def _read_configuration(path: Path) -> tuple[Mapping[str, str], str | None]:
    """Return the values in ``pyvenv.cfg``, and what is wrong with it. Raises NotAnEnvironment."""
    if not path.is_dir():
        if path.exists():
            raise NotAnEnvironment(path, "it is a file, not a folder", hint=_ELSEWHERE)
        raise NotAnEnvironment(path, "there is no such folder")
    try:
        text = (path / _CONFIGURATION).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return _lost(path, {}, f"it has no {_CONFIGURATION}")
    except OSError as error:
        reason = f"its {_CONFIGURATION} cannot be read: {error.strerror}"
        raise NotAnEnvironment(path, reason, hint=_ELSEWHERE) from error
    pairs = (line.partition("=") for line in text.splitlines())
    configuration = {key.strip().lower(): value.strip() for key, separator, value in pairs if separator}
    if not configuration.get("home"):
        return _lost(path, configuration, f"its {_CONFIGURATION} names no home")
    return configuration, None


def _lost(path: Path, configuration: Mapping[str, str], reason: str) -> tuple[Mapping[str, str], str]:
    """Return what is known of an environment of ours whose configuration is damaged. Raises NotAnEnvironment."""
    if not is_ours(path):
        raise NotAnEnvironment(path, f"it is no virtual environment: {reason}", hint=_ELSEWHERE)
    try:
        document = (path / ".multisite" / "environment.json").read_bytes()
        key = EnvironmentState.from_document(document, path).python.key
    except (OSError, InvalidDocument, UnsupportedFormat):
        key = ""
    version = re.search(r"-(\d+\.\d+\.\d+)", key)
    known = {"version": version[1]} if version and "version" not in configuration else {}
    return {**configuration, **known}, reason


def _site_packages(path: Path, configuration: Mapping[str, str]) -> Path:
    if _WINDOWS:
        return path / "Lib" / "site-packages"
    # The standard library and virtualenv call it version, uv and virtualenv version_info (3.12.1.final.0).
    version = re.match(r"(\d+)\.(\d+)", configuration.get("version") or configuration.get("version_info") or "")
    found = {folder.parent.name: folder for folder in sorted((path / "lib").glob("python3*/site-packages"))}
    if version:
        wanted = f"python{version[1]}.{version[2]}"
        found = {name: folder for name, folder in found.items() if name in {wanted, f"{wanted}t"}} or found
        if len(found) == 2 and wanted in found:  # a free-threaded one was here before, or is now
            found.pop(wanted if (path / _SCRIPTS / f"{wanted}t").exists() else f"{wanted}t", None)
    if not found and version and is_ours(path):
        return path / "lib" / f"python{version[1]}.{version[2]}" / "site-packages"
    if len(found) != 1:
        places = f"several ({', '.join(sorted(found))})" if found else "none"
        raise NotAnEnvironment(path, f"its lib/python3.*/site-packages cannot be told: there are {places}")
    return next(iter(found.values()))


def _is_own(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:  # bytes that the encoding of names has no letters for
        return False
    return True


def _check_place(path: Path, prompt: str) -> None:
    """Refuse a place where no environment can be made. Raises NotAnEnvironment."""
    if (path / _CONFIGURATION).exists():
        raise NotAnEnvironment(path, "it is a virtual environment already", hint="use it, or remove it first")
    if path.is_symlink() and not path.exists():
        reason = f"it is a link to {path.readlink()}, which is not there"
        raise NotAnEnvironment(path, reason, hint=_ELSEWHERE)
    if path.exists() and not path.is_dir():
        raise NotAnEnvironment(path, "it is a file, not a folder", hint=_ELSEWHERE)
    if path.exists() and any(path.iterdir()):
        raise NotAnEnvironment(path, "the folder is not empty", hint="empty it, or choose another: --venv DIR")
    from multisite.activation import unusable_in_scripts

    for text in (str(path), prompt):
        if character := os.pathsep if os.pathsep in text else unusable_in_scripts(text):
            reason = f"activation scripts cannot hold {text!r}, because of the {character!r} in it"
            raise NotAnEnvironment(path, reason, hint=_ELSEWHERE)
    above = next(folder for folder in path.parents if folder.exists())
    if not above.is_dir():
        raise NotAnEnvironment(path, f"it cannot be made: {above} is a file", hint=_ELSEWHERE)
    if not path.exists() and not os.access(above, os.W_OK | os.X_OK):
        raise NotAnEnvironment(path, f"it cannot be made: {above} may not be written to", hint=_ELSEWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewEnvironment:
    """An environment that is to be made at ``path``."""

    path: Path
    interpreter: Interpreter
    prompt: str
    system_site_packages: bool

    def make(self) -> None:
        _check_place(self.path, self.prompt)
        if _WINDOWS:
            self._ask_the_interpreter()
            return
        if self.path.exists():
            # Somebody's empty folder may be where another disk is mounted: it cannot be replaced, only filled.
            self._fill_in_place()
            return
        with scratch(self.path.parent, before=f".{self.path.name[:100]}.", after=".tmp") as temporary:
            self.fill(temporary)
            if not publish(temporary, self.path, sync=True):
                raise NotAnEnvironment(self.path, "something else was made there at the same moment", hint="try again")

    def _fill_in_place(self) -> None:
        try:
            self.fill(self.path)
        except BaseException:  # an interruption as well: nothing half made stays, and it is raised again
            for item in list(self.path.iterdir()):
                remove_tree(item)
            raise

    def fill(self, folder: Path) -> None:
        """Write the environment into *folder*; what makes it one comes last."""
        from multisite.activation import write_activation_scripts

        scripts = folder / _SCRIPTS
        (folder / "lib" / self.interpreter.library / "site-packages").mkdir(parents=True)
        (folder / "include").mkdir()
        scripts.mkdir()
        if self.interpreter.pointer_size == 8 and not self.interpreter.platform.startswith("macosx"):
            (folder / "lib64").symlink_to("lib")
        (scripts / "python").symlink_to(self.interpreter.base_executable)
        for name in program_names(self.interpreter):
            (scripts / name).symlink_to("python")
        write_activation_scripts(scripts, environment=self.path, prompt=self.prompt)
        write_file(folder / ".gitignore", b"*\n")
        folders = [path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()]
        flush(path for above in (folder, *folders) for path in above.iterdir() if _is_own(path))
        for above in folders:
            flush_folder(above)
        text = configuration_text(self.interpreter, prompt=self.prompt, system_site_packages=self.system_site_packages)
        write_atomic(folder / _CONFIGURATION, text.encode("utf-8", "surrogateescape"), sync=True)

    def _ask_the_interpreter(self) -> None:
        # On Windows only the interpreter's own library knows its launchers.
        command = [str(self.interpreter.base_executable), "-I", "-m", "venv", "--without-pip", "--prompt", self.prompt]
        command += ["--system-site-packages"] if self.system_site_packages else []
        done = subprocess.run([*command, str(self.path)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = f"it cannot make a virtual environment:\n{done.stderr.strip() or done.stdout.strip()}"
            raise InterpreterNotUsable(str(self.interpreter.base_executable), reason)

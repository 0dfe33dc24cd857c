"""Pairs of environments of one interpreter that hold the same wheels: a plain one, and one of multisite's.

Pairs that no case changes are made once for a whole run of the tests, whichever of its processes asks first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import tomli
from filelock import FileLock
from uv import find_uv_bin

from tests.parity.broken import break_finder
from tests.parity.wheels import common, digest, first_versions, write_wheels
from tests.pythons import found_pythons

if TYPE_CHECKING:
    from tests.parity.header import Case

__all__ = ["Bench", "Environment", "EnvironmentNotMade"]

_OURS = ("MULTISITE_", "PYTHON", "VIRTUAL_ENV", "PIP_NO_", "PARITY_")


class EnvironmentNotMade(Exception):
    """A command that makes an environment failed; the text is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment. ``kind`` is ``plain``, ``multisite``, or the name of a broken finder."""

    kind: str
    version: str
    venv: Path
    store: Path
    wheels: Path
    index: bool
    installer: str

    @property
    def site(self) -> Path:
        return self.venv / "lib" / f"python{self.version}" / "site-packages"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def interpreter(self) -> Path:
        return found_pythons()[self.version]

    def twin(self, venv: Path) -> Environment:
        """Return an environment of multisite's at *venv*, not made yet, to lock what this plain one is to hold."""
        return replace(self, kind="multisite", venv=venv, store=venv.parent / "store")

    def make(self, requirements: Sequence[str], lockfile: Path, *, system_site: bool) -> None:
        """Make the environment: a plain one of what multisite has locked in *lockfile*."""
        system: list[str | Path] = ["--system-site-packages"] if system_site else []
        if self.kind == "plain":
            self._do(self.interpreter, "-m", "venv", "--without-pip", *system, self.venv)
            self._fill(lockfile)
        elif self.kind == "multisite":
            self._multisite("lock", *self._pinned(requirements), *self.sources(), "--no-project", *system, python=True)
        else:
            self._multisite("sync", lockfile, *system, python=True)
            break_finder(self.kind, self.venv, self.site)

    def lock(self, requirements: Sequence[str], lockfile: Path) -> None:
        """Have *requirements* in the environment instead of what it holds; *lockfile* is multisite's."""
        if self.kind == "plain":
            self._fill(lockfile)
        else:
            self._multisite("lock", *self._pinned(requirements), *self.sources(), "--no-project")
            if self.kind != "multisite":
                break_finder(self.kind, self.venv, self.site)

    def prepare(self, commands: Sequence[str]) -> None:
        """Run commands of the command line in an environment of multisite's."""
        for command in commands:
            self._multisite(*command.split())
        if commands and self.kind != "multisite":  # a sync mends the finder
            break_finder(self.kind, self.venv, self.site)

    def install(self, requirements: Sequence[str]) -> None:
        """Have made wheels really installed."""
        if requirements:
            self._uv("install", "--no-deps", "--no-index", "--find-links", self.wheels, *requirements)

    def seed(self) -> None:
        """Have pip really installed, and what else ``venv`` installs, of the interpreter's own wheels."""
        wheels = self._bundled()
        names = sorted({path.name.partition("-")[0] for path in wheels.glob("*.whl")})
        self._uv("install", "--no-deps", "--no-index", "--find-links", wheels, *names)

    def _fill(self, lockfile: Path) -> None:
        if self.installer == "uv":
            self._uv("sync", "--allow-empty-requirements", lockfile)
            return
        packages = tomli.loads(lockfile.read_text(encoding="utf-8"))["packages"]
        pins = [f"{package['name']}=={package['version']}" for package in packages]
        options = ["--quiet", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--no-warn-script-location"]
        self._do(self.python, self._pip(), "install", *options, *self.sources(), *pins)

    def _bundled(self) -> Path:
        """Return the folder of the wheels that the interpreter brings for its environments."""
        code = "import ensurepip; print(ensurepip.__path__[0])"
        return Path(self._do(self.interpreter, "-c", code).strip()) / "_bundled"

    def _pip(self) -> Path:
        """Return pip, as a folder that is run from outside of the environment; it keeps its bytecode there."""
        folder = self.wheels.parent / f"pip-{self.version}"
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                with zipfile.ZipFile(max(self._bundled().glob("pip-*.whl"))) as wheel:
                    wheel.extractall(f"{folder}.unfinished")
                Path(f"{folder}.unfinished").rename(folder)
        return folder / "pip"

    def _pinned(self, requirements: Sequence[str]) -> list[str]:
        """Return *requirements* with made wheels named as files: an index may have something of the same name."""
        return [self._as_file(requirement) if self.index else requirement for requirement in requirements]

    def _as_file(self, requirement: str) -> str:
        name, _, version = requirement.replace(" ", "").partition("==")
        made = list(self.wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl")) if version else []
        return f"{name} @ {made[0].as_uri()}" if made else requirement

    def sources(self) -> list[str | Path]:
        """Return the options that say where distributions come from."""
        return [*(() if self.index else ("--no-index",)), "--find-links", self.wheels]

    def _multisite(self, *words: str | Path, python: bool = False) -> None:
        which: list[str | Path] = ["--python", self.interpreter] if python else []
        self._do(sys.executable, "-m", "multisite", *words, "--venv", self.venv, "--store", self.store, *which)

    def _uv(self, *words: str | Path) -> None:
        self._do(find_uv_bin(), "pip", *words, "--quiet", "--link-mode", "copy", "--python", self.python)

    def _do(self, *command: str | Path) -> str:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        words = [str(word) for word in command]
        self.venv.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            words, cwd=self.venv.parent, env=environ, capture_output=True, text=True, check=False, timeout=1800
        )
        if done.returncode:
            raise EnvironmentNotMade(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
        return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The folder in which environments are made, by any number of processes at the same time."""

    folder: Path

    def environment(self, case: Case, version: str, kind: str) -> Environment:
        """Return the environment of *kind* for *case*, made when it is not there.

        One that is the case's own is new; take it away with ``remove``.
        """
        shared = self._shared(case, version, "multisite" if case.own_environments else kind)
        if not case.own_environments:
            return self._described(case, version, kind, shared)
        folder = self.folder / "own" / uuid.uuid4().hex[:12]
        return self._make(case, version, kind, folder, shared / "multisite" / "venv" / "pylock.toml")

    def _shared(self, case: Case, version: str, kind: str) -> Path:
        """Return the folder of the environments that all cases with these needs share, made when they are not there."""
        key = [case.requirements, case.made, case.wheels, case.installed, case.installer, case.seed, case.system_site]
        folder = self.folder / "shared" / f"{version}-{digest([*key, case.multisite, case.cost != 'offline'])}"
        folder.mkdir(parents=True, exist_ok=True)
        lockfile = folder / "multisite" / "venv" / "pylock.toml"
        with FileLock(folder / "lock"):
            for needed in ("multisite", kind):
                if not (folder / f"{needed}.made").exists():
                    shutil.rmtree(folder / needed, ignore_errors=True)
                    self._make(case, version, needed, folder, lockfile)
                    (folder / f"{needed}.made").touch()
        return folder

    def remove(self, case: Case, environment: Environment) -> None:
        """Take away what was made for *case* alone."""
        if case.own_environments:
            shutil.rmtree(environment.venv.parents[1])

    def _described(self, case: Case, version: str, kind: str, folder: Path) -> Environment:
        own = case.keeps_store and folder.parent.name == "own"
        return Environment(
            kind=kind,
            version=version,
            venv=folder / kind / "venv",
            store=(folder if own else self.folder) / ("nowhere" if kind == "plain" else "store"),
            wheels=self.wheels(case),
            index=case.cost != "offline",
            installer=case.installer,
        )

    def _make(self, case: Case, version: str, kind: str, folder: Path, lockfile: Path) -> Environment:
        environment = self._described(case, version, kind, folder)
        requirements = case.requirements or first_versions(case.wheels or common())
        environment.make(requirements, lockfile, system_site=case.system_site)
        environment.install(case.installed)
        if case.seed:
            environment.seed()
        if kind != "plain":
            environment.prepare(case.multisite)
        return environment

    def wheels(self, case: Case) -> Path:
        """Return the folder with the wheels that *case* can have."""
        folder = self.folder / "wheels" / digest([case.wheels, case.made])
        with FileLock(self.folder / "wheels.lock"):
            if not folder.exists():
                unfinished = folder.with_name(folder.name + ".unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                write_wheels(unfinished, {**common(), **case.wheels}, case.made)
                unfinished.rename(folder)
        return folder


def unpack(wheels: Path, requirement: str, folder: Path) -> None:
    """Unpack the made wheel that fits *requirement*, ``name==version``, into *folder*, as ``pip --target`` does."""
    name, _, version = requirement.replace(" ", "").partition("==")
    (wheel,) = wheels.glob(f"{name.replace('-', '_')}-{version}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


def given(mapping: Mapping[str, str], folders: Mapping[str, str]) -> dict[str, str]:
    """Fill the folders in."""
    return {key: filled(value, folders) for key, value in mapping.items()}


def filled(text: str, folders: Mapping[str, str]) -> str:
    """Put the folders for their names in *text*."""
    for name, folder in folders.items():
        text = text.replace("{" + name + "}", folder)
    return text

"""Projects that are imported from their own folders: real files in an environment, written and removed by uv (PEP 660).

A hook of ours could not stand for them: what an editable installation consists of is the build backend's affair.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.errors import BuildFailed
from multisite.files import remove_empty_parents
from multisite.indexes import IndexOptions
from multisite.names import normalize
from multisite.processes import ended_by, run_program
from multisite.resolving import uv_environment
from multisite.state import StateProject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from multisite.environment import Environment
    from multisite.state import EnvironmentState

__all__ = ["EditableSet", "Editables", "editable_version"]

_METADATA = ".dist-info/METADATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableSet:
    """What is installed editable in an environment now, and what of it is to go (``gone``).

    ``project`` is the one whose requirements were locked, ``others`` are those that the lockfile has. ``changed`` tells
    whether anything was installed.
    """

    project: StateProject | None = None
    others: tuple[StateProject, ...] = ()
    gone: tuple[StateProject, ...] = ()
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Editables:
    """Install with ``uv pip install --editable --no-deps``.

    ``program`` returns uv's path when it is needed, ``environ`` is what it runs with.
    """

    program: Callable[[], str]
    environ: Mapping[str, str]
    indexes: IndexOptions = field(default_factory=IndexOptions)
    offline: bool = False

    def make(
        self,
        environment: Environment,
        before: EnvironmentState | None,
        *,
        project: Path | None,
        keep_project: bool = False,
        others: Sequence[Path] = (),
    ) -> EditableSet:
        """Install the folders *project* and *others*, unless *before* says that they are and nothing has changed.

        With *keep_project* the project that is there stays where no other is given. Nothing is removed yet. Raises
        BuildFailed; what was there before then still is.
        """
        known = _known(before)
        done: dict[Path, StateProject] = {}
        changed = False
        for folder in dict.fromkeys([*([project] if project else []), *others]):
            installed = self._current(known, folder, environment)
            if installed is None:
                changed, installed = True, self.install(folder, environment)
                _leave_other_folders(known, installed, environment)
            done[folder] = installed
        kept = before.project if before is not None and project is None and keep_project else None
        names = {installed.name for installed in (*done.values(), *([kept] if kept else []))}
        return EditableSet(
            project=kept if project is None else done[project],
            others=tuple(done[folder] for folder in others if folder != project),
            gone=tuple(installed for installed in known if installed.name not in names),
            changed=changed,
        )

    def install(self, folder: Path, environment: Environment) -> StateProject:
        """Install the project in *folder*, again where it is installed; return what *environment* then holds of it.

        Raises BuildFailed with the whole output of uv and of the project's build backend.
        """
        if not folder.is_dir():
            hint = "put the folder back, or lock without it: multisite lock"
            raise BuildFailed(str(folder), f"{folder}: no such folder", hint=hint)
        options = ["--no-deps", "--reinstall", *self.indexes.effective(self.environ).arguments()]
        options += ["--offline"] if self.offline else []
        # Copies: a hard link would let whoever writes into the environment write into uv's cache.
        self._run(environment, "install", *options, "--link-mode", "copy", "--editable", str(folder))
        for dist_info in _editable(environment, folder):
            return _installed(environment, folder, dist_info)
        raise BuildFailed(str(folder), "uv installed it, but its metadata is not in the environment")

    def uninstall(self, installed: StateProject, environment: Environment) -> None:
        """Remove what ``install()`` wrote; what is gone already is no error. Raises BuildFailed."""
        if not any((environment.path / file).exists() for file in installed.files):
            return
        self._run(environment, "uninstall", installed.name)
        for file in installed.files:
            environment.tidy(environment.path / file)  # uv leaves the folders

    def _current(self, known: Sequence[StateProject], folder: Path, environment: Environment) -> StateProject | None:
        """Return what is installed of the project in *folder*, None where nothing is or it has to be done again."""
        for installed in known:
            if (environment.path / installed.path).resolve() == folder.resolve():
                return installed if _is_current(installed, folder, environment) else None
        return None

    def _run(self, environment: Environment, *arguments: str) -> None:
        command = [self.program(), "pip", *arguments, "--python", str(environment.python)]
        command += ["--no-python-downloads", "--no-progress", "--color", "never"]
        try:
            done = run_program(command, environ=uv_environment(self.environ))
        except OSError as error:
            raise BuildFailed(arguments[-1], f"{command[0]} cannot be run: {error.strerror}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").rstrip()
            raise BuildFailed(arguments[-1], "\n".join(filter(None, [said, ended_by(done)])))


def editable_version(installed: StateProject) -> str:
    """Return the version that an editable installation has, from the name of its metadata's folder."""
    names = (Path(file).parent.name for file in installed.files if file.endswith(_METADATA))
    return next((name.removesuffix(".dist-info").rpartition("-")[2] for name in names), "?")


def _known(before: EnvironmentState | None) -> tuple[StateProject, ...]:
    if before is None:
        return ()
    return (*([before.project] if before.project else []), *before.editables)


def _is_current(installed: StateProject, folder: Path, environment: Environment) -> bool:
    """Tell whether all its files are there, its programs start here, and what its metadata come from is not newer."""
    if not folder.is_dir():
        return False  # the build that is tried then says what is missing
    written = [environment.path / file for file in installed.files]
    # What is in the folder of another version of Python is not found.
    metadata = [file for file in written if file.name == "METADATA" and environment.site_packages in file.parents]
    if not metadata or not all(file.exists() for file in written):
        return False
    if not all(_starts_here(file, environment) for file in written if file.parent == environment.scripts):
        return False
    sources = (folder / name for name in ("pyproject.toml", "setup.py", "setup.cfg"))
    times = [source.stat().st_mtime_ns for source in sources if source.exists()]
    return max(times, default=0) <= metadata[0].stat().st_mtime_ns


def _leave_other_folders(known: Sequence[StateProject], installed: StateProject, environment: Environment) -> None:
    """Remove what an earlier installation has in the folder of another version of Python, where uv does not look."""
    site = environment.site_packages
    for former in known:
        paths = [environment.path / file for file in former.files] if former.name == installed.name else []
        for path in paths:
            elsewhere = path.is_relative_to(site.parent.parent) and not path.is_relative_to(site.parent)
            if elsewhere and path.is_file():
                path.unlink()
                remove_empty_parents(path, site.parent.parent)


def _starts_here(script: Path, environment: Environment) -> bool:
    """Tell whether a program names this environment's interpreter: not so once the environment was moved."""
    with script.open("rb") as file:
        start = file.read(4096).splitlines()[:3]  # the third for paths too long for a first line
    if not start or not start[0].startswith(b"#!"):
        return True
    return any(os.fsencode(environment.scripts) in line for line in start)


def _editable(environment: Environment, folder: Path) -> Iterator[Path]:
    """Yield the dist-info folders that say to be an editable installation of *folder* (PEP 610)."""
    for path in environment.site_packages.glob("*.dist-info/direct_url.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("dir_info", {}).get("editable") and found["url"].rstrip("/") == folder.resolve().as_uri():
            yield path.parent


def _installed(environment: Environment, folder: Path, dist_info: Path) -> StateProject:
    from multisite.record import parse_record

    record = dist_info / "RECORD"
    rows = parse_record(record.read_text(encoding="utf-8"), where=record)
    files = (os.path.normpath(environment.site_packages / row.path) for row in rows)
    return StateProject(
        name=normalize(dist_info.name.partition("-")[0]),
        path=Path(os.path.relpath(folder, environment.path)).as_posix(),
        files=tuple(sorted(Path(file).relative_to(environment.path).as_posix() for file in files)),
    )

"""Projects that are installed editable: real files in an environment, written and removed by uv (PEP 660)."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.errors import BuildFailed
from multisite.indexes import IndexOptions
from multisite.names import normalize
from multisite.resolving import uv_environment
from multisite.state import StateProject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from multisite.environment import Environment

__all__ = ["Editables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editables:
    """Install with ``uv pip install --editable --no-deps``; ``program`` is uv's path, ``environ`` what it runs with."""

    program: str
    environ: Mapping[str, str]
    indexes: IndexOptions = field(default_factory=IndexOptions)
    offline: bool = False

    def install(self, project: Path, environment: Environment) -> StateProject:
        """Install the project in the folder *project*; return what *environment* then holds of it.

        Raises BuildFailed with the whole output of uv and of the project's build backend.
        """
        options = ["--no-deps", *self.indexes.effective(self.environ).arguments()]
        options += ["--offline"] if self.offline else []
        done = self._run(environment, "install", *options, "--editable", str(project))
        if done.returncode:
            raise BuildFailed(str(project), done.stderr)
        for dist_info in _editable(environment, project):
            return _installed(environment, project, dist_info)
        raise BuildFailed(str(project), "uv installed it, but its metadata is not in the environment")

    def uninstall(self, installed: StateProject, environment: Environment) -> None:
        """Remove what ``install()`` wrote; what is gone already is no error. Raises BuildFailed."""
        done = self._run(environment, "uninstall", installed.name)
        if done.returncode:
            raise BuildFailed(installed.name, done.stderr)

    def is_current(self, installed: StateProject | None, project: Path, environment: Environment) -> bool:
        """Tell whether *project* is installed and none of the files that its metadata may come from is newer."""
        if installed is None or (environment.path / installed.path).resolve() != project.resolve():
            return False
        written = [environment.path / file for file in installed.files if file.endswith(".dist-info/METADATA")]
        if not written or not all((environment.path / file).exists() for file in installed.files):
            return False
        sources = [project / name for name in ("pyproject.toml", "setup.py", "setup.cfg")]
        newest = max(source.stat().st_mtime_ns for source in sources if source.exists())
        return newest <= written[0].stat().st_mtime_ns

    def _run(self, environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.program, "pip", *arguments, "--python", str(environment.python)]
        command += ["--no-python-downloads", "--no-progress", "--color", "never"]
        return subprocess.run(
            command,
            env=uv_environment(self.environ),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )


def _editable(environment: Environment, project: Path) -> Iterator[Path]:
    """Yield the dist-info folders that say to be an editable installation of *project* (PEP 610)."""
    for path in environment.site_packages.glob("*.dist-info/direct_url.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("dir_info", {}).get("editable") and found["url"].rstrip("/") == project.resolve().as_uri():
            yield path.parent


def _installed(environment: Environment, project: Path, dist_info: Path) -> StateProject:
    from multisite.record import parse_record

    record = dist_info / "RECORD"
    rows = parse_record(record.read_text(encoding="utf-8"), where=record)
    files = (os.path.normpath(environment.site_packages / row.path) for row in rows)
    return StateProject(
        name=normalize(dist_info.name.partition("-")[0]),
        path=Path(os.path.relpath(project, environment.path)).as_posix(),
        files=tuple(sorted(Path(file).relative_to(environment.path).as_posix() for file in files)),
    )

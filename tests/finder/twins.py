"""Two virtual environments with the same distributions: one plain, and one in which they are locked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from multisite.bootstrap import Bootstrap
from tests.finder.servers import MTIME_NS, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.finder.scenario import Distribution, Scenario

__all__ = ["Outcome", "Twin", "Twins"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a program ended, and what it said: a line that is JSON as its value, folders by their names."""

    code: int
    out: list[Any]
    err: list[Any]


@dataclass(frozen=True, kw_only=True)
class Twin:
    """One of the two. ``folder`` holds the environment, and the folders around it."""

    folder: Path
    version: str
    roots: tuple[str, ...] = ()

    @property
    def venv(self) -> Path:
        return self.folder / "venv"

    @property
    def site(self) -> Path:
        return self.venv / "lib" / f"python{self.version}" / "site-packages"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def unpack(self, dist: Distribution, folder: Path) -> None:
        """Write the files of *dist* into *folder*: into the store as in the wheel, else as an installer does."""
        for path, text in dist.files.items():
            write(folder / path, text)
        if dist.info:
            rows = "".join(f"{path},,\n" for path in [*dist.files, f"{dist.info}/RECORD"])
            if not folder.is_relative_to(self.folder / "store"):
                rows += f"{dist.info}/INSTALLER,,\n" + "".join(f"{path},,\n" for path in self._bytecode(dist))
                write(folder / dist.info / "INSTALLER", "multisite\n")
            write(folder / dist.info / "RECORD", rows)

    def _bytecode(self, dist: Distribution) -> list[str]:
        tag = "cpython-" + self.version.replace(".", "")
        sources = [PurePosixPath(path) for path in dist.files if path.endswith(".py")]
        return [str(source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc") for source in sources]

    def remove(self, dist: Distribution) -> None:
        """Take *dist* out of site-packages again."""
        for path in [*dist.files, f"{dist.info}/RECORD", f"{dist.info}/INSTALLER"]:
            (self.site / path).unlink()
        for folder, _, _ in os.walk(self.site, topdown=False):
            if not os.listdir(folder) and folder != str(self.site):
                Path(folder).rmdir()

    def run(self, *command: str, environ: Mapping[str, str] | None = None, cwd: str = "script") -> Outcome:
        """Run the environment's interpreter with *command*, in which ``{name}`` stands for a folder."""
        given = {key: self.filled(value) for key, value in (environ or {}).items()}
        done = subprocess.run(
            [str(self.python), *map(self.filled, command)],
            cwd=self.folder / cwd,
            env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(self.folder), **given},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Outcome(code=done.returncode, out=self._read(done.stdout), err=self._read(done.stderr))

    def filled(self, text: str) -> str:
        """Put this environment's folders for their names in *text*."""
        for name in ("before", "script", "after", "alias", "store", "venv", "site"):
            folder = self.site if name == "site" else self.folder / name
            text = text.replace("{" + name + "}", str(folder))
        return text

    def _read(self, text: str) -> list[Any]:
        return [self._plain(_value(line)) for line in text.splitlines() if line.strip()]

    def _plain(self, value: Any) -> Any:
        if isinstance(value, list):
            items = [self._plain(item) for item in value]
            # Over several entries a namespace package has several folders where a plain environment has one.
            is_path = bool(items) and all(isinstance(item, str) and item.startswith("<") for item in items)
            return list(dict.fromkeys(items)) if is_path else items
        if isinstance(value, dict):
            return {key: self._plain(item) for key, item in value.items()}
        return self._named(value) if isinstance(value, str) else value

    def _named(self, text: str) -> str:
        for folder in self.roots:
            text = text.replace(folder, "<site>")
        text = text.replace(f"{self.site}/./", "<site>/").replace(f"{self.folder}/alias", "<site>")
        return text.replace(str(self.site), "<site>").replace(str(self.folder), "<run>")


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Both environments."""

    plain: Twin
    locked: Twin

    @classmethod
    def make(cls, python: Path, version: str, folder: Path, scenario: Scenario, *, system: bool = False) -> Twins:
        """Make both in *folder* for the interpreter *python*; *system* shows them the interpreter's own site-packages.

        The scenario's steps and spare distributions are not used.
        """
        store = folder / "locked" / "store"
        roots = [str(store / root) for root in {*scenario.roots().values(), *scenario.entries().values()}]
        plain = Twin(folder=folder / "plain", version=version)
        locked = Twin(folder=folder / "locked", version=version, roots=tuple(sorted(roots, key=len, reverse=True)))
        for twin in (plain, locked):
            _make_venv(twin, python, system=system)
            _fill(twin, scenario)
        replaced = {dist.key for dist in scenario.distributions if dist.where == "site"}
        for dist in scenario.locked:
            if dist.key not in replaced:
                plain.unpack(dist, plain.site)
            for root in {scenario.roots()[dist.key], scenario.entries()[dist.key]}:
                locked.unpack(dist, locked.folder / "store" / root)
        _bootstrap(locked, python, scenario, compiled=folder.parent / "compiled")
        return cls(plain=plain, locked=locked)

    def copied(self, *, linked: bool = False) -> Twins:
        """Copy both to other places, or make links to them there."""
        return Twins(plain=_copied(self.plain, linked=linked), locked=_copied(self.locked, linked=linked))

    def run(self, *command: str, environ: Mapping[str, str] | None = None, cwd: str = "script") -> tuple[Outcome, ...]:
        """Run the same *command* in both: what the plain one said, and what the other did."""
        return tuple(twin.run(*command, environ=environ, cwd=cwd) for twin in (self.plain, self.locked))


def _make_venv(twin: Twin, python: Path, *, system: bool) -> None:
    twin.site.mkdir(parents=True)
    twin.python.parent.mkdir()
    twin.python.symlink_to(python)
    lines = [f"home = {python.parent}", f"include-system-site-packages = {str(system).lower()}"]
    write(twin.venv / "pyvenv.cfg", "\n".join(lines) + "\n")
    for name in ("before", "script", "after"):
        (twin.folder / name).mkdir()
    (twin.folder / "alias").symlink_to(twin.site)


def _fill(twin: Twin, scenario: Scenario) -> None:
    for dist in scenario.distributions:
        if dist.where != "locked":
            twin.unpack(dist, twin.site if dist.where == "site" else twin.folder / dist.where)
    for loose in scenario.loose:
        folder = twin.site if loose.where == "site" else twin.folder / loose.where
        write(folder / loose.path, loose.text)


def _bootstrap(twin: Twin, python: Path, scenario: Scenario, *, compiled: Path) -> None:
    bootstrap = Bootstrap(prefix=twin.venv, site_packages=twin.site)
    bootstrap.write(python=python, cache_tag="cpython-" + twin.version.replace(".", ""), store=compiled)
    bootstrap.table.write_bytes(table(scenario, twin.folder / "store"))
    write(twin.venv / "pylock.toml", "")
    os.utime(twin.venv / "pylock.toml", ns=(MTIME_NS, MTIME_NS))


def _copied(twin: Twin, *, linked: bool) -> Twin:
    target = twin.folder / "copied"
    target.mkdir()
    if linked:
        (target / "venv").symlink_to(twin.venv)
    else:
        shutil.copytree(twin.venv, target / "venv", symlinks=True)
    for name in ("before", "script", "after"):
        shutil.copytree(twin.folder / name, target / name)
    (target / "alias").symlink_to(target / "venv" / twin.site.relative_to(twin.venv))
    return Twin(folder=target, version=twin.version, roots=twin.roots)

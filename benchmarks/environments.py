"""Environments of the benchmark: made by multisite, by uv in its three ways, by pip."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from benchmarks.inputs import TWELVE, Inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.figures import Sample
    from benchmarks.workbench import Workbench

__all__ = ["Environments", "Link", "imported"]

Link = Literal["hardlink", "symlink", "copy"]
T = TypeVar("T")


class Environments:
    """The ways to an environment, and those that several cases need."""

    def __init__(self, bench: Workbench, inputs: Inputs) -> None:
        self.bench = bench
        self.inputs = inputs
        self._known: dict[str, Any] = {}

    def once(self, name: str, measure: Callable[[], T]) -> T:
        """Return what was measured under this name, measured when it is first asked for: some cases share it."""
        if name not in self._known:
            self._known[name] = measure()
        found: T = self._known[name]
        return found

    def path(self, name: str) -> Path:
        """Return where an environment of that name is."""
        return self.bench.folder / "environments" / name

    def python(self, venv: Path) -> str:
        """Return the path of its interpreter."""
        return str(venv / "bin" / "python")

    def ours(self, lockfile: Path, name: str, *options: str) -> Sample:
        """Make an environment by multisite; return what the command took."""
        venv = self.path(name)
        self.bench.set_aside(venv)
        return self.bench.timed([*self.sync(lockfile, venv), "--python", str(self.bench.python), *options])

    def sync(self, lockfile: Path, venv: Path, store: Path | None = None) -> list[str]:
        """Return the command that makes an environment what a lockfile says.

        The store is named by an option: as a variable it would be heard by the interpreters of environments as well.
        """
        options = ["--venv", str(venv), "--store", str(store or self.bench.folder / "store"), "--quiet"]
        return [self.bench.tool("multisite"), "sync", str(lockfile), *options]

    def uv(self, lockfile: Path, name: str, link: Link, *options: str) -> Sample:
        """Make an environment by uv; return what its two commands took."""
        venv = self.path(name)
        self.bench.set_aside(venv)
        made = self.bench.timed(self.uv_venv(venv))
        return made + self.bench.timed([*self.uv_install(lockfile, venv, link), *options])

    def uv_venv(self, venv: Path) -> list[str]:
        """Return the command that makes an empty environment."""
        return [self.bench.tool("uv"), "venv", "-q", "--python", str(self.bench.python), str(venv)]

    def uv_install(self, lockfile: Path, venv: Path, link: Link) -> list[str]:
        """Return the command that installs a lockfile."""
        options = ["-q", "--link-mode", link, "--python", self.python(venv)]
        return [self.bench.tool("uv"), "pip", "install", *options, "-r", str(lockfile)]

    def pip(self, wheels: Sequence[Path], name: str) -> Sample:
        """Make an environment by virtualenv and pip from wheels at hand; return what their two commands took."""
        venv = self.path(name)
        self.bench.set_aside(venv)
        made = self.bench.timed([self.bench.tool("virtualenv"), "-q", "-p", str(self.bench.python), str(venv)])
        install = [self.python(venv), "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
        return made + self.bench.timed([*install, *map(str, wheels)])

    @cached_property
    def empty(self) -> str:
        """The interpreter of an environment with nothing in it."""
        venv = self.path("empty")
        self.bench.done([str(self.bench.python), "-m", "venv", "--without-pip", str(venv)])
        return self.python(venv)

    @cached_property
    def plain(self) -> str:
        """The interpreter of a plain environment of the large lockfile, copied, with its bytecode."""
        venv = self.path("plain")
        self.bench.done([str(self.bench.python), "-m", "venv", "--without-pip", str(venv)])
        self.bench.done(self.uv_install(self.inputs.large(), venv, "copy"))
        self.bench.done(imported([self.python(venv)]))
        return self.python(venv)

    @cached_property
    def multisite(self) -> str:
        """The interpreter of our environment of the large lockfile, with bytecode in the store."""
        self.ours(self.inputs.large(), "multisite")
        self.bench.done(imported([self.python(self.path("multisite"))]))
        return self.python(self.path("multisite"))


def imported(python: Sequence[str], modules: Sequence[str] = TWELVE) -> list[str]:
    """Return the command that imports modules."""
    return [*python, "-c", f"import {', '.join(modules)}"]

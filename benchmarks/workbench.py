"""The workbench: folders, programs and environment variables of one run, and the commands that are timed there."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CommandFailed", "Workbench", "pinned", "removed"]

# Where these are set they falsify what is measured, or lead to somebody's own store, cache or environment.
UNSET = (
    *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV"),
    *("MULTISITE_STORE", "MULTISITE_CACHE", "MULTISITE_TRUST", "MULTISITE_DISABLE", "MULTISITE_COMPILE"),
    *("UV_LINK_MODE", "UV_OFFLINE", "UV_COMPILE_BYTECODE", "UV_PROJECT_ENVIRONMENT", "UV_NO_CACHE"),
    *("PIP_NO_CACHE_DIR", "PIP_FIND_LINKS"),
)
PATIENCE = 1200  # seconds for one command
ROOM = 6_000_000_000  # bytes that are to be free before a row; the largest one takes as much


class CommandFailed(Exception):
    """A command that was to be measured failed."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        self.command = list(command)
        self.status = status
        self.output = output
        super().__init__(f"{' '.join(command)[:300]}: status {status}: {output.strip()[-600:]}")


def removed(folder: Path) -> None:
    """Remove a folder that may be there, and wait until the disk has nothing more to write."""
    if folder.exists():
        _writable(folder)
        shutil.rmtree(folder)
    _written_out(folder)


def _written_out(path: Path) -> None:
    """Wait until the disk has nothing more to write: on the path's filesystem alone, for other programs write too."""
    above = next(folder for folder in path.parents if folder.exists())
    subprocess.run(["sync", "--file-system", str(above)], check=True)


def _writable(folder: Path) -> None:
    for place, names, _ in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if not path.is_symlink() and not os.access(path, os.W_OK):
                path.chmod(0o755)


class Workbench:
    """One run's folder, which is removed at its end, and the programs to compare, installed into it.

    *inputs* is kept from run to run: wheels, so that they are fetched once. *python* is the interpreter of all
    environments. With *quick* there are few pairs, for a first idea.
    """

    def __init__(self, folder: Path, inputs: Path, python: Path, *, quick: bool) -> None:
        self.folder = folder
        self.inputs = inputs
        self.python = python
        self.quick = quick
        self._aside = folder / "aside"
        self._numbers = itertools.count()
        self.environ = {name: value for name, value in os.environ.items() if name not in UNSET}
        self.environ |= {
            "MULTISITE_CACHE": str(folder / "multisite-cache"),
            "UV_CACHE_DIR": str(folder / "uv-cache"),
            "PIP_CACHE_DIR": str(folder / "pip-cache"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    @cached_property
    def tools(self) -> Path:
        """The environment of multisite and of its peers, made of this checkout and what an index has.

        pip makes it, so the bytecode of all is there, as usual.
        """
        tools = self.folder / "tools"
        checkout = str(Path(__file__).parents[1])
        self.done([str(self.python), "-m", "venv", "--upgrade-deps", str(tools)], cached=False)
        self.done([str(tools / "bin" / "pip"), "install", "-q", checkout, "virtualenv"], cached=False)
        return tools

    def tool(self, name: str) -> str:
        """Return the path of a program that is installed for the benchmark."""
        return str(self.tools / "bin" / name)

    @cached_property
    def without_bytecode(self) -> list[str]:
        """The options that keep a sync from making bytecode, as far as there are such."""
        text = self.done([self.tool("multisite"), "sync", "--help"])
        return ["--compile", "none"] if "--compile" in text else []

    def set_aside(self, *folders: Path) -> None:
        """Take folders that may be there out of the way, and wait until the disk has nothing more to write.

        They are not removed, for the command that is measured next would pay for that: for some minutes after inodes
        were freed, ext4 takes many times as long to make a file.
        """
        self._aside.mkdir(exist_ok=True)
        for folder in folders:
            if os.path.lexists(folder):
                folder.rename(self._aside / str(next(self._numbers)))
        _written_out(self._aside)

    def make_room(self) -> None:
        """Remove what was set aside, if there is little room; in between two rows."""
        if self._aside.exists() and shutil.disk_usage(self.folder).free < ROOM:
            removed(self._aside)

    def pairs(self, usual: int) -> int:
        """Return how many pairs are to be taken where *usual* are in a full run."""
        return max(1, usual // 8) if self.quick else usual

    def done(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        cached: bool = True,
    ) -> str:
        """Run a command that is not timed; return what it wrote. Without *cached*, with the caches of the user."""
        variables = {**self.environ, **(environ or {})}
        if not cached:
            variables = {
                name: value for name, value in variables.items() if name not in {"UV_CACHE_DIR", "PIP_CACHE_DIR"}
            }
        done = subprocess.run(
            command, env=variables, cwd=self.folder, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        if done.returncode != 0:
            raise CommandFailed(command, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def timed(self, command: Sequence[str], *, environ: Mapping[str, str] | None = None) -> Sample:
        """Run a command; return its time, and the processor's time of it and of all that it waited for."""
        variables = {**self.environ, **(environ or {})}
        with (self.folder / "output").open("w+b") as output:
            actions = [
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
                # The last, for whoever was started without an input has the output in its place.
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            ]
            with _patience():
                begun = time.perf_counter()
                process = os.posix_spawn(command[0], list(command), variables, file_actions=actions)
                try:
                    _, status, usage = os.wait4(process, 0)
                except BaseException:
                    os.kill(process, signal.SIGKILL)
                    os.waitpid(process, 0)
                    raise
                ended = time.perf_counter()
            output.seek(0)
            if status != 0:
                raise CommandFailed(command, os.waitstatus_to_exitcode(status), output.read().decode(errors="replace"))
        return Sample(value=ended - begun, cpu=usage.ru_utime + usage.ru_stime)

    def told(self, command: Sequence[str], *, environ: Mapping[str, str] | None = None) -> Sample:
        """Run a command that measures itself; return the number in its last line."""
        return Sample(value=float(self.done(command, environ=environ).split()[-1]))


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """End what is timed when it takes too long; an alarm, for a thread would compete with what is timed."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"not done within {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Keep to one processor, with all that is started: for small commands of one thread, whose time moves otherwise."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)

"""A machine of a test's own: a home, a store, an index of made wheels, and the command line run on it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite.cli import run
from multisite.environment import Environment
from tests import builders
from tests.index import LocalIndex

if TYPE_CHECKING:
    from multisite.state import EnvironmentState

__all__ = ["Done", "Machine", "hear_interrupts", "snapshot"]

_BACKEND = Path(__file__).parent / "data" / "backend.py"
_KEPT = ("PATH", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START", "COV_CORE_SOURCE")


def hear_interrupts() -> None:
    """Have the commands that are started hear Ctrl-C: shells start what is to run in the background deaf to it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def succeeded(self) -> Done:
        assert self.code == 0, f"{self.code}\n{self.out}\n{self.err}"
        return self


@dataclass
class Machine:
    """``folder`` holds all of it; commands run in ``folder/work``."""

    folder: Path
    index: LocalIndex
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, folder: Path) -> Iterator[Machine]:
        for name in ("home", "work", "wheels"):
            (folder / name).mkdir(parents=True)
        with LocalIndex(folder / "wheels") as index:
            yield cls(folder, index)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def venv(self) -> Path:
        return self.work / ".venv"

    @property
    def environment(self) -> Environment:
        return Environment.open(self.venv)

    @property
    def lockfile(self) -> Path:
        return self.venv / "pylock.toml"

    @property
    def state(self) -> EnvironmentState:
        state = self.environment.read_state()
        assert state is not None
        return state

    def environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {
            "HOME": str(self.folder / "home"),
            "MULTISITE_STORE": str(self.store),
            "UV_INDEX_URL": self.index.url,
            "UV_CACHE_DIR": str(self.folder / "uv-cache"),
            "UV_CREDENTIALS_DIR": str(self.folder / "uv-cache-credentials"),  # uv 0.13.9 leaves a lock file there
            "UV_NO_CONFIG": "1",
            "UV_HTTP_RETRIES": "0",
        }
        return {**kept, **own, **self.variables}

    def wheel(self, name: str, version: str = "1.0", files: builders.Tree | None = None, **options: Any) -> Path:
        tree = {f"{name}.py": f"version = {version!r}\n"} if files is None else files
        return builders.make_wheel(self.index.folder, name, version, tree, **options)

    def project(self, folder: Path, name: str, *, text: str = "", files: builders.Tree | None = None) -> Path:
        """Write a project whose build backend is its own, for no index has one."""
        head = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["_build"]\n\n'
        head += f'[project]\nname = "{name}"\nversion = "1.0"\n'
        tree = {f"{name.replace('-', '_')}.py": "where = __file__\n"} if files is None else files
        builders.write_tree(folder, {"pyproject.toml": head + text, "src": tree})
        builders.write_tree(folder, {"_build": {"backend.py": _BACKEND.read_bytes()}})
        return folder

    def run(self, *words: str | Path, cwd: Path | None = None) -> Done:
        """Run the command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        before, environ, folder = dict(os.environ), self.environ(), Path.cwd()
        os.environ.clear()
        os.environ.update(environ)
        os.chdir(cwd or self.work)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = run([str(word) for word in words])
                except SystemExit as stopped:  # argparse
                    code = int(str(stopped.code))
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(before)
        return Done(code, out.getvalue(), err.getvalue())

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "multisite", *map(str, words)]

    def spawn(self, *words: str | Path, **options: Any) -> subprocess.Popen[str]:
        """Start the command line as a process of its own."""
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.Popen(self.command(*words), cwd=self.work, env=self.environ(), **pipes)

    def run_unprivileged(self, *words: str | Path) -> Done:
        """Run the command line as a process that file modes bind, also where the tests are root's."""
        command = self.command(*words)
        if os.geteuid() == 0:
            command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--", *command]
        done = subprocess.run(command, cwd=self.work, env=self.environ(), capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def python(self, code: str, *, venv: Path | None = None, variables: Mapping[str, str] | None = None) -> Done:
        """Run *code* in the environment's interpreter."""
        return self.program("python", "-c", code, venv=venv, variables=variables)

    def program(
        self, name: str, *words: str, venv: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> Done:
        environ = {name: value for name, value in self.environ().items() if name != "MULTISITE_STORE"}
        command = [str((venv or self.venv) / "bin" / name), *words]
        done = subprocess.run(
            command, cwd=self.work, env={**environ, **(variables or {})}, capture_output=True, text=True, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def fetched(self) -> list[str]:
        """Return the files that were asked of the index, in any order."""
        paths = [path.removeprefix("/files/") for path in self.index.requests.elements() if path.startswith("/files/")]
        return sorted(path for path in paths if not path.endswith(".metadata"))


def snapshot(*folders: Path, content: bool = False) -> dict[str, object]:
    """Return what changes when something is written: times of everything in *folders*, or its *content*."""
    found: dict[str, object] = {}
    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            if "__pycache__" in path.parts and "runtime" not in path.parts:
                continue
            facts = path.lstat()
            if content:
                is_file = path.is_file() and not path.is_symlink()
                found[str(path)] = path.read_bytes() if is_file else path.is_symlink() and path.readlink()
            else:
                found[str(path)] = (facts.st_mtime_ns, facts.st_ino, facts.st_size)
    return found

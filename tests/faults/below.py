"""The library that stands between programs and the C library (``below.c``), as Python sees it."""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

__all__ = ["FAULTS", "Call", "Commands", "Ended", "Fault", "State", "calls", "missing"]

_SOURCE = Path(__file__).with_name("below.c")
_PATHS = 2 * 4096
FAILS, DIES, CUTS, STAYS = 1, 2, 3, 4
WRITES, MAKES, TAKES, CHANGES, FLUSHES = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Fault:
    """What happens at the chosen call: ``how``, with which ``error``; ``kinds`` are calls that fail from then on."""

    how: int
    error: int = 0
    kinds: int = 0

    def fits(self, call: Call) -> bool:
        """Tell whether the fault can happen at *call*."""
        return self.how != CUTS or call.kind == WRITES


FAULTS: Mapping[str, Fault] = {
    "ENOSPC": Fault(FAILS, errno.ENOSPC),
    "EACCES": Fault(FAILS, errno.EACCES),
    "EROFS": Fault(FAILS, errno.EROFS),
    "EIO": Fault(FAILS, errno.EIO),
    "short": Fault(CUTS),
    "full": Fault(STAYS, errno.ENOSPC, WRITES | MAKES),
    "read-only": Fault(STAYS, errno.EROFS, WRITES | MAKES | TAKES | CHANGES),
    "SIGKILL": Fault(DIES),
}


class State(ctypes.Structure):
    """``struct state`` of ``below.c``, shared by all processes of a command."""

    _fields_ = [
        ("count", ctypes.c_int64),
        ("at", ctypes.c_int64),
        ("armed", ctypes.c_int32),
        ("how", ctypes.c_int32),
        ("error", ctypes.c_int32),
        ("kinds", ctypes.c_int32),
        ("main", ctypes.c_int32),
        ("lock", ctypes.c_int32),
        ("hit", ctypes.c_int32),
        ("journal", ctypes.c_int32),
        ("children", ctypes.c_int32),
        ("call", ctypes.c_char * (2 * _PATHS)),
        ("log", ctypes.c_char * 4096),
    ]

    @classmethod
    def mapped(cls, path: Path) -> State:
        """Map the file *path*, which is made where it is missing."""
        if not path.exists():
            path.write_bytes(bytes(ctypes.sizeof(cls)))
        with path.open("r+b") as file:
            return cls.from_buffer(mmap.mmap(file.fileno(), 0))

    def clear(self) -> None:
        """Have nothing happen."""
        ctypes.memset(ctypes.addressof(self), 0, ctypes.sizeof(self))


@dataclass(frozen=True)
class Call:
    """A call that changes a file."""

    name: str
    kind: int
    path: str
    other: str = ""


@dataclass(frozen=True)
class Ended:
    """How a command ended: ``code`` is negative for a signal. ``call`` is the one that failed, if it came to that."""

    code: int
    text: str
    count: int
    call: str = ""


def missing() -> str | None:
    """Say what keeps this machine from running what is here; None where nothing does."""
    if sys.platform != "linux":
        return "the preloaded library is for Linux"
    if shutil.which("gcc") is None:
        return "there is no gcc"
    return None


def _compiled(folder: Path) -> Path:
    library = folder / "below.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, _SOURCE, "-ldl"], check=True)
    return library


class Commands:
    """Run commands of multisite above the library: each in a fork of one process, which has loaded everything.

    *folder* is for files of its own, changes in *watched* folders are what counts.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], *, watched: Sequence[Path | str], cwd: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.state = State.mapped(folder / "state")
        below = {
            "LD_PRELOAD": str(_compiled(folder)),
            "FAULTS_STATE": str(folder / "state"),
            "FAULTS_FOLDERS": ":".join(map(str, watched)),
        }
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server", str(cwd)],
            env={**environ, **below, "PYTHONPATH": str(_SOURCE.parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._stream(self._server.stdin).close()
        self._server.wait()
        self._stream(self._server.stdout).close()

    def run(self, *words: str | Path, at: int = 0, fault: Fault | None = None, journal: bool = False) -> Ended:
        """Run a command; with *fault*, its call number *at* fails. What it calls is in ``calls``, or the *journal*."""
        state, log, said = self.state, self.folder / "calls", self.folder / "said"
        state.clear()
        state.children = "--compile" in words
        log.unlink(missing_ok=True)
        if fault is None:
            state.log, state.journal = bytes(log), journal
        else:
            state.at, state.how, state.error, state.kinds = at, fault.how, fault.error, fault.kinds
        order = {"words": [str(word) for word in words], "said": str(said), "state": str(self.folder / "state")}
        requests, answers = self._stream(self._server.stdin), self._stream(self._server.stdout)
        requests.write(json.dumps(order) + "\n")
        requests.flush()
        code = int(answers.readline())
        state.armed = 0
        return Ended(code, said.read_text(errors="replace"), state.count, state.call.decode() if state.hit else "")

    @property
    def log(self) -> Path:
        """Where the calls of the last command are, or its journal."""
        return self.folder / "calls"

    @staticmethod
    def _stream(stream: IO[str] | None) -> IO[str]:
        assert stream is not None
        return stream


def calls(log: Path) -> Iterator[Call]:
    """Yield the calls that were written down."""
    for line in log.read_text().splitlines():
        name, kind, path, other = line.split("\t")
        yield Call(name, int(kind), path, other)

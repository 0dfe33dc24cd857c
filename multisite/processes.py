"""Programs that a command runs, uv and git: when the command ends early, so do they, with all that they started.

Who interrupts a command by its process number alone (a supervisor, ``docker stop``) tells its children nothing, and a
build that went on would write into folders that nobody holds any more. The children stay in the command's process group
and on its terminal, where Ctrl-C reaches all of them and git may ask for a passphrase; so those that are to end are
found by who started whom.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.ending import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["end", "ended_by", "run_program"]

_PATIENCE = 2.0  # seconds to put things away in: git its locks, build backends their folders
_PAUSE = 0.02


def run_program(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path | None = None,
    given: bytes | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run *command*, *given* being its input, and return how it ended and what it said. Raises OSError.

    *meanwhile* is called as soon as it runs, and begins what is to be done beside it. When the caller is interrupted,
    the program and all that it started are ended first.
    """
    process = None
    try:
        with Deferred():  # between the program's start and our knowing it
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        if meanwhile is not None:
            meanwhile()
        out, err = process.communicate(given)
    except BaseException:  # an interruption as well: no program outlives its command, and it is raised again
        if process is not None:
            with process:  # which closes its pipes
                end(process)
        raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def ended_by(done: subprocess.CompletedProcess[bytes]) -> str | None:
    """Return what to say of a program that a signal ended, None where it ended by itself."""
    if done.returncode >= 0:
        return None
    try:
        name = signal.Signals(-done.returncode).name
    except ValueError:  # one without a name, as real-time signals are
        name = f"signal {-done.returncode}"
    return f"{Path(done.args[0]).name} was ended by {name}"


@dataclass(frozen=True, slots=True)
class _Process:
    """A process, told by its start from a later one of that number."""

    number: int
    parent: int
    started: str


def end(process: subprocess.Popen[bytes]) -> None:
    """End *process* and what it started: asked first, then made to."""
    if sys.platform == "win32" or process.poll() is not None:
        process.kill()
        return
    family: list[_Process] = []
    try:
        family = _frozen(process.pid)
        for member in family:
            _signal(member, signal.SIGTERM)
            _signal(member, signal.SIGCONT)
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and (process.poll() is None or _living(family)):
            time.sleep(_PAUSE)
    finally:  # also where a second signal does not wait for that
        try:
            # What was started meanwhile, while its parent lives, and what did not listen.
            for member in {*_living(family), *_frozen(process.pid)}:
                _signal(member, signal.SIGKILL)
        finally:
            process.kill()


def _frozen(number: int) -> list[_Process]:
    """Stop the process and its descendants, until there are no new ones; return those."""
    found: dict[_Process, None] = {}
    while new := [member for member in _family(number) if member not in found]:
        for member in new:
            _signal(member, signal.SIGSTOP)
            found[member] = None
    return list(found)


def _family(number: int) -> list[_Process]:
    """Return the process and its descendants, parents first."""
    everybody = {process.number: process for process in _processes()}
    family = [everybody[number]] if number in everybody else []
    for member in family:  # which grows
        family += [process for process in everybody.values() if process.parent == member.number]
    return family


def _living(family: Sequence[_Process]) -> list[_Process]:
    now = {(process.number, process.started) for process in _processes()}
    return [member for member in family if (member.number, member.started) in now]


def _processes() -> Iterator[_Process]:
    """Yield all processes but those that have ended and are not waited for yet."""
    if not Path("/proc/self/stat").exists():
        yield from _listed()
        return
    for name in os.listdir("/proc"):  # noqa: PTH208 -- numbers, not paths
        if not name.isdecimal():
            continue
        with contextlib.suppress(OSError):  # it has ended
            # The program's name stands in brackets, and may hold some.
            facts = Path("/proc", name, "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if facts[0] != "Z":
                yield _Process(int(name), int(facts[1]), facts[19])


def _listed() -> Iterator[_Process]:
    done = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat=,lstart="],  # noqa: S607 -- where it lies differs
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    for line in done.stdout.splitlines():
        number, parent, state, started = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield _Process(int(number), int(parent), started)


def _signal(process: _Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended, or is another user's by now
        os.kill(process.number, number)

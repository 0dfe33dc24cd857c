"""Kill ``lock`` and ``sync`` at some moment, and say what is wrong afterwards.

By hand, on real wheels (``--first`` and ``--second`` are requirements files whose wheels are in the folder)::

    python -m tests.killing WHEELS --first a.txt --second b.txt --kills SIGKILL=100 SIGINT=100 SIGTERM=30 --seed 1

An environment that a command was killed in must start without a word, import exactly what it held before or what the
command leads to, and be led there by one repeated command, after which nothing is left over and the doctor finds
nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import multisite
from tests.independent_store_check import faults
from tests.machine import Done, Machine, hear_interrupts

__all__ = ["Ground", "Lock", "Situation", "leftovers"]

_PRODUCT = Path(multisite.__file__).parent
DYING = Path(__file__).parent / "probes" / "dying.py"
_OF_PYTHON = ("Traceback", "Could not import runpy module\nTraceback", "Fatal Python error: init_")
_ENDS = 120  # seconds, for what hangs
_PROBE = """\
import importlib, importlib.metadata, importlib.util, json, sys
def found(name):
    try:
        return importlib.import_module(name).__file__ if name in imported else importlib.util.find_spec(name).origin
    except BaseException as error:
        return repr(error)
names, imported = json.loads(sys.argv[1])
versions = sorted("%s %s" % (one.metadata["Name"], one.version) for one in importlib.metadata.distributions())
print(json.dumps({"modules": {name: found(name) for name in names}, "versions": versions}))
"""
_NOTHING = "nothing"


@dataclass(frozen=True)
class Lock:
    """Something that an environment can be: how it is locked, and what it is then."""

    name: str
    requirements: tuple[str, ...]
    lockfile: Path
    holds: Any = None  # what the probe answers
    scripts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Situation:
    """An environment, ``before`` (None: there is none), and the command that leads to ``after``."""

    name: str
    command: tuple[str, ...]
    before: Lock | None
    after: Lock


@dataclass
class Ground:
    """Where commands are killed: a machine with an index, and pictures of it to start from."""

    machine: Machine
    python: str = sys.executable
    names: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()  # of these, those that are not only found
    tried: Counter[str] = field(default_factory=Counter)
    _changes: dict[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = tuple(sorted(_modules(self.machine.index.folder)))
        self.imported = self.imported or self.names

    # What there is to begin with.

    def locked(self, name: str, requirements: Sequence[str]) -> Lock:
        """Lock *requirements*, keep the lockfile and a picture under *name*, and see what that comes to."""
        lockfile = self.machine.folder / f"pylock.{name}.toml"
        self.machine.run("lock", *self._python(), *requirements).succeeded()
        shutil.copy(self.machine.lockfile, lockfile)
        self._probe()  # once, so that every later answer comes from bytecode as well
        self.take_picture(name)
        return Lock(name, tuple(requirements), lockfile, self._probe(), self.scripts())

    def take_picture(self, name: str) -> None:
        """Remember the store and the environment as they are."""
        for part in (self.machine.store, self.machine.venv):
            _copy(part, self.machine.folder / "pictures" / name / part.name)

    def restore(self, name: str) -> None:
        """Make store and environment what they were."""
        for part in (self.machine.store, self.machine.venv):
            shutil.rmtree(part, ignore_errors=True)
            picture = self.machine.folder / "pictures" / name / part.name
            if picture.exists():
                _copy(picture, part)

    def situations(self, first: Lock, second: Lock) -> list[Situation]:
        """Return every situation: nothing there, the wheels to be fetched, everything in the store."""
        self.restore(first.name)
        self.machine.run("sync", second.lockfile).succeeded()
        self._probe()
        self.machine.run("sync", first.lockfile).succeeded()
        self.take_picture(_both(first, second))
        lock_first, sync_first = ("lock", *self._python(), *first.requirements), ("sync", str(first.lockfile))
        lock_second, sync_second = ("lock", *second.requirements), ("sync", str(second.lockfile))
        return [
            Situation(_NOTHING, lock_first, None, first),
            Situation(_NOTHING, (*sync_first, *self._python()), None, first),
            Situation(first.name, lock_second, first, second),
            Situation(first.name, sync_second, first, second),
            Situation(_both(first, second), lock_second, first, second),
            Situation(_both(first, second), sync_second, first, second),
        ]

    def _python(self) -> tuple[str, str]:
        return "--python", self.python

    # Killing.

    def duration(self, situation: Situation) -> float:
        """Return how long the command takes when nobody kills it, in seconds."""
        self.restore(situation.name)
        start = time.monotonic()
        process = self._start(self.machine.command(*situation.command))
        self._end(process)
        assert process.returncode == 0, self._log.read_text()
        return time.monotonic() - start

    def changes(self, situation: Situation) -> int:
        """Return how often the command changes the disk."""
        if (situation.name, situation.command) in self._changes:
            return self._changes[situation.name, situation.command]
        self.restore(situation.name)
        process = self._start(self._dying(0, "SIGKILL", situation))
        self._end(process)
        assert process.returncode == 0, self._log.read_text()
        self._changes[situation.name, situation.command] = int(self._log.read_text().splitlines()[-1])
        return self._changes[situation.name, situation.command]

    def kill_after(self, situation: Situation, seconds: float, name: str) -> list[str]:
        """Kill the command after *seconds* and return what is wrong then. SIGINT goes to all of it, as Ctrl-C does."""
        self.restore(situation.name)
        process = self._start(self.machine.command(*situation.command))
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            (os.killpg if name == "SIGINT" else os.kill)(process.pid, getattr(signal, name))
        return self._judged(process, situation, name)

    def kill_at(self, situation: Situation, change: int, name: str) -> list[str]:
        """Let the command die at its *change*-th change to the disk, and return what is wrong then."""
        self.restore(situation.name)
        return self._judged(self._start(self._dying(change, name, situation)), situation, name)

    def _dying(self, change: int, name: str, situation: Situation) -> list[str]:
        return [sys.executable, str(DYING), str(change), name, *situation.command]

    @property
    def _log(self) -> Path:
        return self.machine.folder / "command.log"

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=self.machine.work,
                env=self.machine.environ(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for the end of *process* and end what it started; return whether it ended by itself."""
        try:
            process.wait(_ENDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False
        return True

    # Judging.

    def _judged(self, process: subprocess.Popen[bytes], situation: Situation, name: str) -> list[str]:
        problems = [] if self._end(process) else ["the command did not end"]
        problems += self._farewell(process.returncode, name)
        problems += self._in_between(situation)
        repeated = self.machine.run(*situation.command)
        if repeated.code:
            problems.append(f"the repeated command: {repeated.code} {repeated.err}")
        problems += self._at_the_end(situation)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what the one that was killed had started
        self.tried["finished" if process.returncode == 0 else name] += 1
        return [f"{' '.join(situation.command)} from {situation.name}: {problem}" for problem in problems]

    def _farewell(self, code: int, name: str) -> Iterator[str]:
        if name == "SIGKILL":
            return
        text = self._log.read_text()
        if _of_the_interpreter(text):
            return
        if "Traceback" in text:
            yield f"{name}: {text}"
        # Before the command line has begun the signal ends the process as any other.
        number = getattr(signal, name)
        if code not in {0, 128 + number, -number}:
            yield f"{name}: exit code {code}\n{text}"

    def _in_between(self, situation: Situation) -> Iterator[str]:
        before, after = situation.before, situation.after
        if not self.machine.venv.exists() and before is None:
            return
        holds = self._probe()
        wanted = [after.holds, self._of_nothing() if before is None else before.holds]
        if holds not in wanted:
            yield f"neither the new set nor the old one: {[_difference(holds, one) for one in wanted]}"
            return
        is_new = holds == after.holds
        expected = after.scripts if is_new else frozenset() if before is None else before.scripts
        yield from self._scripts_answer(expected)

    def _at_the_end(self, situation: Situation) -> Iterator[str]:
        holds = self._probe()
        if holds != situation.after.holds:
            yield f"at the end: {_difference(holds, situation.after.holds)}"
        if self.scripts() != situation.after.scripts:
            yield f"at the end, programs: {sorted(self.scripts() ^ situation.after.scripts)}"
        yield from self._scripts_answer(situation.after.scripts)
        doctor = self.machine.run("doctor")
        if doctor.code or "error" in doctor.out or "warning" in doctor.out:
            yield f"the doctor: {doctor.out}"
        yield from (f"left over: {path}" for path in leftovers(self.machine))

    def _scripts_answer(self, names: frozenset[str]) -> Iterator[str]:
        for name in sorted(names):
            done = self._script(name)
            if done.code or done.err:
                yield f"{name}: {done}"

    def _script(self, name: str) -> Done:
        return self.machine.program(name, "--version")

    def scripts(self) -> frozenset[str]:
        """Return the programs of distributions in the environment."""
        own = ("python", "activate", "Activate")
        folder = self.machine.venv / "bin"
        return frozenset(path.name for path in folder.iterdir() if not path.name.startswith(own))

    def _probe(self) -> Any:
        done = self.machine.python(_PROBE.replace("sys.argv[1]", repr(json.dumps([self.names, self.imported]))))
        if done.code or done.err:
            return {"modules": {}, "versions": [], "said": done.err or done.code}
        return json.loads(done.out)

    def _of_nothing(self) -> Any:
        answers = dict.fromkeys(self.names, "AttributeError(\"'NoneType' object has no attribute 'origin'\")")
        answers.update({name: f"ModuleNotFoundError(\"No module named '{name}'\")" for name in self.imported})
        return {"modules": answers, "versions": []}


def _of_the_interpreter(text: str) -> bool:
    """Say whether Python itself was interrupted, before the first line of the command was run."""
    return text.startswith(_OF_PYTHON) and text.endswith("KeyboardInterrupt\n") and str(_PRODUCT) not in text


def leftovers(machine: Machine) -> list[Path]:
    """Return what a command that was killed has left; single files of some bytes in the store may wait for longer."""
    store, venv = machine.store, machine.venv
    found = [*venv.parent.glob(".*.tmp"), *venv.rglob(".*.tmp")]
    found += [*venv.glob(".multisite/next.json"), *store.glob("pins/[!.]*"), *store.glob("runtime/*/.incoming-*")]
    return [*found, *store.glob("multi-site-packages/.incoming/*"), *store.glob("shared/.incoming/*")]


def _both(first: Lock, second: Lock) -> str:
    return f"{first.name}+{second.name}"


def _copy(source: Path, target: Path) -> None:
    # Hard links: whoever writes replaces files, and a picture of many thousand files costs nothing.
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-al", source, target], check=True)


def _modules(wheels: Path) -> set[str]:
    found = set()
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for path in archive.namelist():
                top, _, rest = path.partition("/")
                if (not rest and top.endswith(".py")) or rest == "__init__.py":
                    found.add(top.partition(".")[0])
    return found


def _difference(found: Any, wanted: Any) -> Any:
    if "said" in found:
        return found["said"]
    modules = {
        name: (place, wanted["modules"].get(name))
        for name, place in found["modules"].items()
        if place != wanted["modules"].get(name)
    }
    return dict(list(modules.items())[:3]), sorted(set(found["versions"]) ^ set(wanted["versions"]))[:6]


# Some of the distributions that both locks hold in different versions, with native modules and without.
_IMPORTED = ("attr", "flask", "markupsafe", "psutil", "pydantic_core", "requests", "sqlalchemy", "urllib3", "yaml")


class _RealGround(Ground):
    """With real distributions: not all of their programs know ``--version``, or end."""

    def _scripts_answer(self, names: frozenset[str]) -> Iterator[str]:
        return super()._scripts_answer(names & {"flask", "pytest"})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--first", type=Path, required=True)
    parser.add_argument("--second", type=Path, required=True)
    parser.add_argument("--kills", nargs="+", default=["SIGKILL=100", "SIGINT=100", "SIGTERM=30"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    hear_interrupts()
    with tempfile.TemporaryDirectory() as folder, Machine.opened(Path(folder) / "machine") as machine:
        for wheel in options.wheels.resolve().glob("*.whl"):
            (machine.index.folder / wheel.name).symlink_to(wheel)
        ground = _RealGround(machine, imported=_IMPORTED)
        first = ground.locked("first", ["-r", str(options.first.resolve())])
        second = ground.locked("second", ["-r", str(options.second.resolve())])
        print(f"{len(first.holds['versions'])} and {len(second.holds['versions'])} distributions", flush=True)
        ground.restore("first")
        problems = _loop(ground, ground.situations(first, second), options.kills, random.Random(options.seed))
        problems += [f"the store: {fault}" for fault in faults(machine.store, machine.index.folder)]
        print(f"{len(problems)} problems; {dict(ground.tried)}")
    return bool(problems)


# The situations that take longest are also the least delicate.
_WEIGHTS = (1, 1, 2, 2, 4, 4)
_COMPARED = 10  # one in so many: it takes longer than all the rest


def _loop(ground: Ground, situations: list[Situation], kills: list[str], chance: random.Random) -> list[str]:
    durations = [ground.duration(situation) for situation in situations]
    for situation, seconds in zip(situations, durations, strict=True):
        print(f"{seconds:5.2f} s  {situation.name}: {' '.join(situation.command)}", flush=True)
    problems = []
    for name, number in (kill.split("=") for kill in kills):
        for at in range(int(number)):
            (which,) = chance.choices(range(len(situations)), weights=_WEIGHTS)
            seconds = chance.uniform(0, durations[which])
            found = ground.kill_after(situations[which], seconds, name)
            if at % _COMPARED == 0:
                found += [f"the store: {fault}" for fault in faults(ground.machine.store, ground.machine.index.folder)]
            print(f"{name} {at} after {seconds:.3f} s: {found or 'fine'}", flush=True)
            problems += found
    return problems


if __name__ == "__main__":
    sys.exit(main())

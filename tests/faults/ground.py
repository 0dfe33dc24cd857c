"""Have one call of a command fail, and say what is wrong afterwards.

By hand: ``python -m tests.faults.ground [--situations …] [--faults …] [--share N] [--seed N]`` tries every call with
every fault, or the N-th part of these.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.below import FAULTS, Call, Commands, Ended, calls
from tests.independent_store_check import faults
from tests.killing import Ground, Situation, leftovers
from tests.machine import Done

__all__ = ["FaultGround", "Trial", "trials"]

_KILLED = -9


@dataclass(frozen=True)
class Trial:
    """The fault with that *name* at the call number *at*, which is *call* where nothing fails."""

    at: int
    name: str
    call: Call


class FaultGround(Ground):
    """Where calls of commands fail."""

    commands: Commands

    def open(self) -> None:
        """Begin to run commands above the library."""
        machine = self.machine
        watched: list[Path | str] = [machine.store, machine.work, machine.folder / "home", f"={machine.folder}"]
        self.commands = Commands(machine.folder / "below", machine.environ(), watched=watched, cwd=machine.work)

    def close(self) -> None:
        self.commands.close()

    def take_picture(self, name: str) -> None:
        for part in self._parts():
            _copy(part, self.machine.folder / "pictures" / name / part.name)

    def restore(self, name: str) -> None:
        # No hard links: what is written in place would be written in the picture.
        for part in self._parts():
            _copy(self.machine.folder / "pictures" / name / part.name, part)

    def _parts(self) -> tuple[Path, ...]:
        return self.machine.store, self.machine.venv, self.machine.folder / "home"

    def calls(self, situation: Situation) -> list[Call]:
        """Return the calls of the command when nothing fails."""
        self.restore(situation.name)
        ended = self.commands.run(*situation.command)
        assert ended.code == 0, ended.text
        return list(calls(self.commands.log))

    def fail_at(self, situation: Situation, trial: Trial) -> list[str]:
        """Let a call of the command fail; return what is wrong then."""
        self.restore(situation.name)
        ended = self.commands.run(*situation.command, at=trial.at, fault=FAULTS[trial.name])
        self.tried["not reached" if not ended.call else trial.name] += 1
        problems = [*_farewell(ended), *self._in_between(situation), *self._examined()]
        repeated = self.commands.run(*situation.command)
        if repeated.code:
            problems.append(f"the repeated command: {repeated.code} {repeated.text}")
        problems += self._at_the_end(situation)
        where = f"{' '.join(situation.command)} from {situation.name}, {trial.name} at {trial.at}, {ended.call}"
        return [f"{where}: {problem}\n{ended.text}" for problem in problems]

    def _examined(self) -> Iterator[str]:
        """Yield what the doctor has to say and has no advice for."""
        ended = self.commands.run("doctor", "--json")
        if "Traceback" in ended.text:
            yield f"the doctor: {ended.text}"
        elif ended.text.startswith("{"):
            document = json.JSONDecoder().raw_decode(ended.text)[0]
            yield from (f"the doctor, without advice: {found}" for found in document["findings"] if _is_helpless(found))
        elif ended.code and not _has_advice(ended.text):
            yield f"the doctor, without advice: {ended.text}"

    def _at_the_end(self, situation: Situation) -> Iterator[str]:
        holds = self._probe()
        if holds != situation.after.holds:
            yield f"at the end: {holds}, and not {situation.after.holds}"
        if self.scripts() != situation.after.scripts:
            yield f"at the end, programs: {sorted(self.scripts() ^ situation.after.scripts)}"
        doctor = self.commands.run("doctor")
        if doctor.code or "error" in doctor.text or "warning" in doctor.text:
            yield f"the doctor: {doctor.text}"
        yield from (f"left over: {path}" for path in leftovers(self.machine))
        found = faults(self.machine.store, self.machine.index.folder)
        yield from (f"the store: {fault}" for fault in found if not re.match(r"left over: .*\.tmp$", fault))

    def _script(self, name: str) -> Done:
        # What they do is asked where commands are killed; here it counts whether they are what they were.
        found = (self.machine.venv / "bin" / name).read_bytes().startswith(b"#!")
        return Done(0 if found else 1, "", "")


def _farewell(ended: Ended) -> Iterator[str]:
    if "Traceback" in ended.text or "Exception ignored" in ended.text:
        yield f"a traceback: {ended.text}"
    if ended.code not in {0, 1, 3, _KILLED}:
        yield f"exit code {ended.code}"
    if ended.code > 0 and not _has_advice(ended.text):
        yield f"{ended.code}, and no path, or no next command"


def _has_advice(text: str) -> bool:
    """Tell whether an error names a path and what to type."""
    return re.search(r"(?m)^error: .*/(.|\n)*^next: ", text) is not None


def _is_helpless(finding: Any) -> bool:
    return finding["severity"] != "note" and not finding["fix"]


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", source, target], check=True)


def trials(found: Sequence[Call], names: Sequence[str]) -> list[Trial]:
    """Return everything that can be tried with a command that makes these calls."""
    every = [Trial(at, name, call) for at, call in enumerate(found, start=1) for name in names]
    return [trial for trial in every if FAULTS[trial.name].fits(trial.call)]


def main() -> int:
    from tests.faults.situations import prepared

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--situations", nargs="+", help="all without it")
    parser.add_argument("--faults", nargs="+", default=list(FAULTS), choices=list(FAULTS))
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, problems, tried = random.Random(options.seed), [], Counter[str]()
    with tempfile.TemporaryDirectory() as folder, prepared(Path(folder)) as (ground, situations):
        for name in options.situations or situations:
            found = ground.calls(situations[name])
            every = trials(found, options.faults)
            chosen = sorted(chance.sample(every, -(-len(every) // options.share)), key=lambda trial: trial.at)
            print(f"{name}: {len(found)} calls, {len(chosen)} of {len(every)} trials", flush=True)
            for trial in chosen:
                wrong = ground.fail_at(situations[name], trial)
                problems += wrong
                print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
            tried += ground.tried
            print(f"{name}: {dict(ground.tried)}, {len(problems)} problems so far", flush=True)
            ground.tried.clear()
    print(f"{len(problems)} problems; {tried.total()} trials: {dict(tried)}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

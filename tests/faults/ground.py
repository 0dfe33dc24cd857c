"""Have one call of a command fail, and say what is wrong afterwards.

By hand: ``python -m tests.faults.ground [--situations …] [--faults …] [--share N] [--seed N]`` tries every call with
every fault, or the N-th part of these.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.below import FAULTS, Call, Commands, Ended, calls
from tests.faults.seen import seen
from tests.independent_store_check import faults
from tests.killing import Ground, Situation, leftovers
from tests.machine import Done

__all__ = ["FaultGround", "Trial", "trials"]

_KILLED = -9
_TOLD = 50  # trials
# Small files that wait until they are old enough, and empty folders in which there was an entry.
_HARMLESS = re.compile(r"left over: (.*\.tmp|multi-site-packages/[a-z-]+(/[0-9.]+)?)")


@dataclass(frozen=True)
class Trial:
    """The fault with that *name* at the call number *at*, which is *call* where nothing fails."""

    at: int
    name: str
    call: Call


@dataclass(frozen=True)
class _Usual:
    """A command when nothing fails: its ``calls``, what the doctor ``checks`` find then, the ``entries``."""

    calls: list[Call]
    checks: list[str]
    entries: frozenset[str]


@dataclass
class FaultGround(Ground):
    """Where calls of commands fail."""

    commands: Commands = field(init=False)
    _asks_programs: bool = True
    _usual: dict[tuple[str, tuple[str, ...]], _Usual] = field(default_factory=dict)
    # By what is on the disk: after the fault, and after the repeated command.
    _known: dict[tuple[str, tuple[str, ...], str], list[str]] = field(default_factory=dict)
    _known_ends: dict[tuple[str, tuple[str, ...], str], list[str]] = field(default_factory=dict)

    def open(self) -> None:
        """Begin to run commands above the library."""
        machine = self.machine
        watched: list[Path | str] = [machine.store, machine.work, machine.folder / "home", f"={machine.folder}"]
        self.commands = Commands(machine.folder / "below", machine.environ(), watched=watched, cwd=machine.work)

    def close(self) -> None:
        self.commands.close()

    def take_picture(self, name: str) -> None:
        picture = self.machine.folder / "pictures" / name
        _copy([(part, picture / part.name) for part in self._parts()])

    def restore(self, name: str) -> None:
        # No hard links: what is written in place would be written in the picture.
        picture = self.machine.folder / "pictures" / name
        _copy([(picture / part.name, part) for part in self._parts()])
        for unfinished in self.machine.work.glob(".*.tmp"):
            shutil.rmtree(unfinished)

    def _parts(self) -> tuple[Path, ...]:
        return self.machine.store, self.machine.venv, self.machine.folder / "home"

    def calls(self, situation: Situation) -> list[Call]:
        """Return the calls of the command when nothing fails."""
        return self._as_usual(situation).calls

    def _as_usual(self, situation: Situation) -> _Usual:
        """Return the calls of the command when nothing fails, and what there is then."""
        key = situation.name, situation.command
        if key not in self._usual:
            self.restore(situation.name)
            ended = self.commands.run(*situation.command)
            assert ended.code == 0, ended.text
            found = list(calls(self.commands.log))
            self._usual[key] = _Usual(found, self._checks(), self._entries())
        return self._usual[key]

    def fail_at(self, situation: Situation, trial: Trial) -> list[str]:
        """Let a call of the command fail; return what is wrong then."""
        since = time.time_ns()
        self.restore(situation.name)
        ended = self.commands.run(*situation.command, at=trial.at, fault=FAULTS[trial.name])
        self.tried["not reached" if not ended.call else trial.name] += 1
        is_import = Path(situation.command[0]).is_absolute()
        problems = [*(_of_import(ended) if is_import else _farewell(ended)), *self.judged(situation, since)]
        where = f"{' '.join(situation.command)} from {situation.name}, {trial.name} at {trial.at}, {ended.call}"
        return [f"{where}: {problem}\n{ended.text}" for problem in problems]

    def judged(self, situation: Situation, since: int, *, torn_programs: bool = False) -> list[str]:
        """Say what is wrong with what is on the disk, and what a repeated command makes of it; of equal disks once.

        With *torn_programs* these need not be whole before the command is repeated.
        """
        key = situation.name, situation.command, f"{torn_programs} {seen(self._parts(), since)}"
        if key not in self._known:
            self._asks_programs = not torn_programs
            problems = [*self._in_between(situation), *self._examined()]
            self._asks_programs = True
            self._known[key] = [*problems, *self._repeated(situation, since)]
        return self._known[key]

    @property
    def states(self) -> int:
        """How many different disks there were."""
        return len(self._known)

    def _repeated(self, situation: Situation, since: int) -> Iterator[str]:
        """Run the command again, and yield what is wrong at the end."""
        repeated = self.commands.run(*situation.command)
        if repeated.code and "--undo" in situation.command and self._probe() == situation.after.holds:
            repeated = self.commands.run("sync")  # there is nothing any more that could be undone
        if repeated.code:
            yield f"the repeated command: {repeated.code} {repeated.text}"
        key = situation.name, situation.command, seen(self._parts(), since)
        if key not in self._known_ends:
            self._known_ends[key] = [*self._at_the_end(situation)]
        yield from self._known_ends[key]

    def _examined(self) -> Iterator[str]:
        """Yield what the doctor, or verify, has to say and has no advice for."""
        yield from self._verified(must_be_sound=False)
        ended, findings = self._findings()
        if "Traceback" in ended.text:
            yield f"the doctor: {ended.text}"
        elif ended.code and not findings and not _has_advice(ended.text):
            yield f"the doctor, without advice: {ended.text}"
        yield from (f"the doctor, without advice: {found}" for found in findings if _is_helpless(found))

    def _verified(self, *, must_be_sound: bool) -> Iterator[str]:
        """Yield what verify says, but for what it has advice for unless the store *must be sound*."""
        if not (self.machine.store / "store.json").exists():
            return  # nothing is there yet
        ended = self.commands.run("verify")
        if "Traceback" in ended.text or (ended.code and (must_be_sound or not _has_advice(ended.text))):
            yield f"verify: {ended.code} {ended.text}"

    def _findings(self) -> tuple[Ended, list[Any]]:
        ended = self.commands.run("doctor", "--json")
        if not ended.text.startswith("{"):
            return ended, []
        return ended, json.JSONDecoder().raw_decode(ended.text)[0]["findings"]

    def _entries(self) -> frozenset[str]:
        """Return the entries and shared folders of the store."""
        store = self.machine.store
        found = [*store.glob("multi-site-packages/[!.]*/*/*"), *store.glob("shared/[!.]*")]
        return frozenset(path.relative_to(store).as_posix() for path in found)

    def _checks(self) -> list[str]:
        return sorted(f"{found['check']} {found['subject']}" for found in self._findings()[1])

    def _at_the_end(self, situation: Situation) -> Iterator[str]:
        holds = self._probe()
        if holds != situation.after.holds:
            yield f"at the end: {holds}, and not {situation.after.holds}"
        if self.scripts() != situation.after.scripts:
            yield f"at the end, programs: {sorted(self.scripts() ^ situation.after.scripts)}"
        usual, findings, entries = self._as_usual(situation), self._checks(), self._entries()
        yield from self._scripts_answer(situation.after.scripts)
        if findings != usual.checks:
            yield f"the doctor: {findings}, and not {usual.checks}"
        if entries != usual.entries:
            yield f"in the store: {sorted(entries ^ usual.entries)} are there, or are not, as usual"
        if leftovers(self.machine):
            for command in ("gc", "sync"):  # which take away what the command had no reason to look for
                self.commands.run(command)
        yield from (f"left over: {path}" for path in leftovers(self.machine))
        yield from self._verified(must_be_sound=True)
        found = faults(self.machine.store, self.machine.index.folder)
        yield from (f"the store: {fault}" for fault in found if not _HARMLESS.fullmatch(fault))

    def _script(self, name: str) -> Done:
        # What they do is asked where commands are killed; here it counts whether they are what they were.
        path = self.machine.venv / "bin" / name
        found = not self._asks_programs or (path.exists() and path.read_bytes().startswith(b"#!"))
        return Done(0 if found else 1, "", "")


def _farewell(ended: Ended) -> Iterator[str]:
    if "Traceback" in ended.text or "Exception ignored" in ended.text:
        yield f"a traceback: {ended.text}"
    if ended.code not in {0, 1, 3, _KILLED}:
        yield f"exit code {ended.code}"
    if ended.code > 0 and not _has_advice(ended.text):
        yield f"{ended.code}, and no path, or no next command"


def _of_import(ended: Ended) -> Iterator[str]:
    """What only saves work is done without: programs notice nothing."""
    if ended.code not in {0, _KILLED} or ended.text:
        yield f"{ended.code}, and it says: {ended.text}"


def _has_advice(text: str) -> bool:
    """Tell whether an error, or a finding, names a path and what to type."""
    return re.search(r"(?m)^error(: | \[).*/(.|\n)*^(next: |    multisite )", text) is not None


def _is_helpless(finding: Any) -> bool:
    return finding["severity"] != "note" and not finding["fix"]


def _copy(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Make copies in place of what is there, by one process; nothing where there is nothing to copy."""
    words = ["rm", "-rf", *(shlex.quote(str(target)) for _, target in pairs)]
    commands = [" ".join(words)]
    for source, target in pairs:
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            commands.append(f"cp -a {shlex.quote(str(source))} {shlex.quote(str(target))}")
    subprocess.run(["sh", "-c", " && ".join(commands)], check=True)


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
    with tempfile.TemporaryDirectory() as folder, prepared(Path(folder)) as found:
        ground, situations = found.ground, found.situations
        for name in options.situations or situations:
            number = len(ground.calls(situations[name]))
            every = trials(ground.calls(situations[name]), options.faults)
            chosen = sorted(chance.sample(every, -(-len(every) // options.share)), key=lambda trial: trial.at)
            print(f"{name}: {number} calls, {len(chosen)} of {len(every)} trials", flush=True)
            for done, trial in enumerate(chosen):
                if done and done % _TOLD == 0:
                    print(f"{name}: {done} trials, {ground.states} different disks so far", flush=True)
                wrong = ground.fail_at(situations[name], trial)
                problems += wrong
                print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
            tried += ground.tried
            state = f"{dict(ground.tried)}, {ground.states} different disks so far, {len(problems)} problems so far"
            print(f"{name}: {state}", flush=True)
            ground.tried.clear()
    print(f"{len(problems)} problems; {tried.total()} trials: {dict(tried)}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

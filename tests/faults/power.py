"""Let the power fail in a command, at any of its changes, and say what is wrong with what is left on the disk.

By hand: ``python -m tests.faults.power [--situations …] [--kinds …] [--share N] [--seed N]`` tries every moment with
every kind of disk, or the N-th part of these.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.disk import KINDS, Disk, Journal
from tests.faults.situations import prepared
from tests.independent_store_check import damaged_entries

if TYPE_CHECKING:
    from tests.faults.ground import FaultGround
    from tests.killing import Situation

__all__ = ["Power"]

_TOLD = 50  # states
BEFORE_BOOT = 10**9  # a time, in seconds


class Power:
    """The journal of a command, and what becomes of it."""

    def __init__(self, ground: FaultGround, situation: Situation) -> None:
        self.ground = ground
        self.situation = situation
        machine = ground.machine
        ground.calls(situation)
        ground.restore(situation.name)
        self._before = set(self._damage())
        disk = Disk(machine.folder, [machine.store.name, machine.work.name, "home"])
        ended = ground.commands.run(*situation.command, journal=True)
        assert ended.code == 0, ended.text
        self.journal = Journal(disk, ground.commands.log.read_bytes())

    @property
    def moments(self) -> int:
        """After how many changes the power can fail; 0 is before the first."""
        return len(self.journal.changes) + 1

    def fail(self, cut: int, kind: str, chance: random.Random) -> list[str]:
        """Let the power fail after *cut* changes, on a disk of that *kind*; return what is wrong then."""
        since = time.time_ns()
        ground, situation = self.ground, self.situation
        problems = self.damage(cut, kind, chance)
        # A blueprint's programs and data files are not flushed: the next sync writes again what is torn of them.
        problems += ground.judged(situation, since, torn_programs=situation.name == "blueprint")
        return [f"{self._where(cut, kind)}: {problem}" for problem in problems]

    def damage(self, cut: int, kind: str, chance: random.Random) -> list[str]:
        """Let the power fail so, and return what can be seen in the store then and is not whole."""
        self.journal.state(cut, kind, chance).write()
        self._boot()
        self.ground.tried[kind] += 1
        return [f"in the store: {fault}" for fault in self._damage() if fault not in self._before]

    def _boot(self) -> None:
        """Have what installing wrote into environments be older than the boot that follows a power failure."""
        for environment in self.ground.machine.work.rglob("pyvenv.cfg"):
            folders = [path for path in environment.parent.iterdir() if path.is_dir() and not path.is_symlink()]
            for folder in folders:
                if folder.name not in {".multisite", "lib"}:
                    for path in folder.rglob("*"):
                        if path.is_file() and not path.is_symlink():
                            os.utime(path, (BEFORE_BOOT, BEFORE_BOOT))

    def _where(self, cut: int, kind: str) -> str:
        return f"{' '.join(self.situation.command)} from {self.situation.name}, {kind}, after {cut} changes"

    def _damage(self) -> Iterator[str]:
        """Yield the entries that can be seen and are not whole."""
        machine = self.ground.machine
        if machine.store.exists():
            yield from damaged_entries(machine.store, machine.index.folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--situations", nargs="+", help="all without it")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-entries", action="store_true", help="look at nothing but whether entries are whole")
    options = parser.parse_args()
    chance, problems, tried = random.Random(options.seed), [], Counter[str]()
    with tempfile.TemporaryDirectory() as folder, prepared(Path(folder)) as found:
        ground, situations = found.ground, found.situations
        for name in options.situations or situations:
            power = Power(ground, situations[name])
            every = [(cut, kind) for cut in range(power.moments) for kind in options.kinds]
            chosen = sorted(chance.sample(every, -(-len(every) // options.share)))
            print(f"{name}: {power.moments} moments, {len(chosen)} of {len(every)} states", flush=True)
            for done, (cut, kind) in enumerate(chosen):
                if done and done % _TOLD == 0:
                    print(f"{name}: {done} states, {ground.states} different disks so far", flush=True)
                look = power.damage if options.only_entries else power.fail
                wrong = look(cut, kind, random.Random(f"{options.seed} {cut} {kind}"))
                problems += wrong
                print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
            tried += ground.tried
            ground.tried.clear()
            print(f"{name}: {len(problems)} problems so far", flush=True)
    print(f"{len(problems)} problems; {tried.total()} states: {dict(tried)}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

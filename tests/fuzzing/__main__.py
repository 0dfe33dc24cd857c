"""Run targets for a while: ``python -m tests.fuzzing TARGET... --minutes N``; without a target, all of them.

Processes of their own read the changed samples, with a limit on memory and time, so that a crash, a hang or a hunger
is a finding like any other. Each finding is kept as a file, to be given to ``--replay``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

from tests.fuzzing.attempt import Bench
from tests.fuzzing.changes import some
from tests.fuzzing.targets import TARGETS

BATCH = 2000
MEMORY = 3 << 30  # bytes of address space
PATIENCE = 30  # seconds for one attempt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=1.0, help="for each target")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--findings", type=Path, default=Path("fuzzing-findings"), help="the folder they are kept in")
    parser.add_argument("--replay", type=Path, nargs="+", help="have the one target read these files")
    options = parser.parse_args()
    unknown = set(options.targets) - TARGETS.keys()
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if options.replay:
        (name,) = options.targets
        with Bench.opened(TARGETS[name]) as bench:
            for path in options.replay:
                print(path, bench.attempt(path.read_bytes()))
        return 0
    return int(sum(run(name, options) for name in options.targets or TARGETS) > 0)


def run(name: str, options: argparse.Namespace) -> int:
    """Fuzz one target; return how many different findings there were."""
    begun, count, seed, found = time.monotonic(), 0, options.seed, set[str]()
    with Bench.opened(TARGETS[name]) as bench:
        last = bench.root.with_name(f"{bench.root.name}.last")
        while time.monotonic() - begun < options.minutes * 60:
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reading)
                os._exit(_batch(bench, seed, last, writing, begun + options.minutes * 60))
            os.close(writing)
            with os.fdopen(reading, encoding="utf-8") as pipe:
                told = pipe.read().splitlines()
            _, status = os.waitpid(child, 0)
            count += int(told[0]) if told else 0
            if status:
                label = " ".join(told[1:]) or f"the process ended with {os.waitstatus_to_exitcode(status)}"
                if label not in found:
                    found.add(label)
                    print(f"{name}: {label}: {_kept(last, name, options.findings)}", flush=True)
            seed += 1
        last.unlink(missing_ok=True)
    seconds = time.monotonic() - begun
    print(f"{name}: {count} attempts in {seconds:.0f} s, {len(found)} findings", flush=True)
    return len(found)


def _batch(bench: Bench, seed: int, last: Path, pipe: int, end: float) -> int:
    """Make attempts until one is a finding; tell how many there were, and of a finding what and where it is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    chance, number = random.Random(seed), 0
    while number < BATCH and time.monotonic() < end:
        data = bench.changed(chance.randrange(1000), some(chance))
        last.write_bytes(data)
        number += 1
        signal.alarm(PATIENCE)
        try:
            bench.attempt(data)
        except BaseException as error:  # noqa: BLE001 -- that is what is looked for
            signal.alarm(0)
            place = traceback.extract_tb(error.__traceback__)[-1]
            ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/multisite/" in frame.filename]
            where = ours[-1] if ours else place
            os.write(pipe, f"{number}\n{type(error).__name__} at {where.filename}:{where.lineno}\n".encode())
            return 1
        signal.alarm(0)
    os.write(pipe, f"{number}\n".encode())
    return 0


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"an attempt took more than {PATIENCE} seconds")


def _kept(last: Path, name: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    data = last.read_bytes()
    kept = folder / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    kept.write_bytes(data)
    return kept


if __name__ == "__main__":
    sys.exit(main())

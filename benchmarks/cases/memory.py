"""Memory of ten processes, each from an environment of its own, that import numpy and pandas."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.case import Case
from benchmarks.environments import Environments, Link, imported
from benchmarks.figures import Outcome, Sample
from benchmarks.workbench import CommandFailed

__all__ = ["CASES"]

TEN = 10
WAITING = "import sys, numpy, pandas; print('there', flush=True); sys.stdin.readline()"


def beside(environments: Environments, *, link: Link) -> Outcome:
    """Compare the sums of the proportional shares (PSS); one measurement of each in turn, for they hardly differ."""
    lockfile = environments.inputs.lock(("pandas",))
    ours: list[str] = []
    peer: list[str] = []
    for number in range(TEN):
        for name in (f"ours-{number}", f"uv-{number}"):
            if name.startswith("ours"):
                environments.ours(lockfile, name)
            else:
                environments.uv(lockfile, name, link)
            python = environments.python(environments.path(name))
            environments.bench.done(imported([python], ["numpy", "pandas"]))
            (ours if name.startswith("ours") else peer).append(python)
    pairs = [(_shares(environments, ours), _shares(environments, peer)) for _ in range(environments.bench.pairs(3))]
    environments.bench.set_aside(*(Path(python).parents[1] for python in (*ours, *peer)))
    return Outcome(ours=[one for one, _ in pairs], peer=[other for _, other in pairs], unit="MB")


def _shares(environments: Environments, pythons: list[str]) -> Sample:
    """Return the megabytes of processes that are there at the same time."""
    with ExitStack() as stack:
        processes = []
        for python in pythons:
            command = [python, "-c", WAITING]
            process = subprocess.Popen(
                command,
                env=environments.bench.environ,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            processes.append(stack.enter_context(process))
        for process in processes:
            if process.stdout is None or process.stdout.readline() != "there\n":
                raise CommandFailed(["python", "-c", WAITING], process.wait(), "it did not import numpy and pandas")
        shares = [_share(process.pid) for process in processes]
    return Sample(value=sum(shares) / 1000)


def _share(process: int) -> float:
    text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    return next(float(line.split()[1]) * 1.024 for line in text.splitlines() if line.startswith("Pss:"))


CASES = (
    Case(
        id="memory-copied",
        goal="memory",
        title="PSS of ten processes",
        peer="ten copied environments",
        measure=partial(beside, link="copy"),
        limit=1.0,
    ),
    Case(
        id="memory-hard-linked",
        goal="memory",
        title="PSS of ten processes",
        peer="ten hard-linked environments",
        measure=partial(beside, link="hardlink"),
    ),
)

"""Small commands: the version, a sync and a lock that find nothing to do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from benchmarks.calls import strace
from benchmarks.case import Case
from benchmarks.figures import Outcome, Sample, alternated
from benchmarks.inputs import LARGE
from benchmarks.workbench import pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.environments import Environments

__all__ = ["CASES"]


def version(environments: Environments) -> Outcome:
    """Compare ``multisite --version`` with an interpreter of the environment that multisite is installed in."""
    return _multiple(environments, [environments.bench.tool("multisite"), "--version"])


def idle_sync(environments: Environments) -> Outcome:
    """Compare a sync that finds nothing to do with that interpreter."""
    lockfile = environments.inputs.large()
    environments.ours(lockfile, "idle")
    return _multiple(environments, environments.sync(lockfile, environments.path("idle")))


def _multiple(environments: Environments, command: list[str]) -> Outcome:
    bench = environments.bench
    bare = [bench.tool("python"), "-c", "pass"]
    with pinned():
        ours, peer = alternated(lambda: bench.timed(command), lambda: bench.timed(bare), bench.pairs(60), warm_up=3)
    return Outcome(ours=ours, peer=peer)


def lock_resolved(environments: Environments) -> Outcome:
    """Compare locks of a file of requirements in which only a comment changes: uv is asked and says the same."""
    numbers = itertools.count()
    return _lock(environments, lambda: [*LARGE, f"# {next(numbers)}"])


def lock_unchanged(environments: Environments) -> Outcome:
    """Compare locks of a file of requirements that is byte for byte what it was."""
    return _lock(environments, lambda: LARGE)


def lock_programs(environments: Environments) -> Outcome:
    """Count the programs that such a lock starts."""
    bench = environments.bench
    environments.inputs.requirements(LARGE, "requirements.in")
    command, log = _command(environments), bench.folder / "trace"
    bench.done(command)
    bench.done([strace(), "-f", "-e", "trace=execve", "-o", str(log), *command])
    started = sum("execve" in line and line.endswith("= 0") for line in log.read_text(errors="replace").splitlines())
    # The first is the command itself.
    return Outcome(ours=[Sample(value=started - 1)], peer=[Sample(value=1)], unit="programs")


def _command(environments: Environments) -> list[str]:
    requirements = str(environments.bench.folder / "requirements.in")
    venv = str(environments.path("locked"))
    store = str(environments.bench.folder / "store")
    where = ["--venv", venv, "--store", store, "--python", str(environments.bench.python)]
    return [environments.bench.tool("multisite"), "lock", "--quiet", "-r", requirements, *where]


def _lock(environments: Environments, requirements: Callable[[], Sequence[str]]) -> Outcome:
    bench = environments.bench
    path = environments.inputs.requirements(LARGE, "requirements.in")
    # Not in the current folder, where a lock looks for what a project asks for.
    compiled = bench.folder / "compiled" / "requirements.txt"
    compiled.parent.mkdir(exist_ok=True)
    compiling = [
        bench.tool("uv"),
        "pip",
        "compile",
        "-q",
        "--python",
        str(bench.python),
        str(path),
        "-o",
        str(compiled),
    ]

    def ours() -> Sample:
        environments.inputs.requirements(requirements(), path.name)
        return bench.timed(_command(environments))

    ours_samples, peer = alternated(ours, lambda: bench.timed(compiling), bench.pairs(24), warm_up=2)
    return Outcome(ours=ours_samples, peer=peer)


CASES = (
    Case(
        id="version",
        goal="small-commands",
        title="`multisite --version`",
        peer="`python -c pass` there",
        measure=version,
        limit=2.0,
    ),
    Case(
        id="idle-sync",
        goal="small-commands",
        title="`multisite sync` with nothing to do",
        peer="`python -c pass` there",
        measure=idle_sync,
        limit=3.0,
    ),
    Case(
        id="idle-lock",
        goal="idle-lock",
        title="`multisite lock` that resolves to the same",
        peer="`uv pip compile`, warm",
        measure=lock_resolved,
        limit=1.3,
    ),
    Case(
        id="idle-lock-unchanged",
        goal="idle-lock",
        title="`multisite lock` of what is locked already",
        peer="`uv pip compile`, warm",
        measure=lock_unchanged,
        limit=1.3,
    ),
    Case(
        id="idle-lock-programs",
        goal="idle-lock",
        title="programs that such a lock starts",
        peer="`uv pip compile` alone",
        measure=lock_programs,
        limit=0,
        judged="ours",
    ),
)

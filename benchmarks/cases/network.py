"""Import, start-up and sync where each call on the folders of store and environment takes half a millisecond longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case
from benchmarks.delaying import Delay
from benchmarks.environments import Environments, imported
from benchmarks.figures import Outcome, Sample, alternated

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES"]


def _delayed(environments: Environments) -> Delay:
    folder = environments.bench.folder
    return Delay(environments.bench, [folder / "environments", folder / "store", folder / "uv-cache"])


def _compared(
    delay: Delay, ours: Callable[[], Sample], peer: Callable[[], Sample], pairs: int, warm_up: int
) -> Outcome:
    counts: dict[str, float | str] = {}

    def counting(name: str, measure: Callable[[], Sample]) -> Sample:
        delay.forget()
        sample = measure()
        counts[name] = delay.calls
        return sample

    samples = alternated(
        lambda: counting("delayed calls", ours),
        lambda: counting("delayed calls of the peer", peer),
        pairs,
        warm_up=warm_up,
    )
    return Outcome(ours=samples[0], peer=samples[1], facts=counts)


def importing(environments: Environments) -> Outcome:
    """Compare the warm import of twelve."""
    bench, delay = environments.bench, _delayed(environments)
    ours, peer = imported([environments.multisite]), imported([environments.plain])
    return _compared(
        delay,
        lambda: bench.timed(ours, environ=delay.environ),
        lambda: bench.timed(peer, environ=delay.environ),
        bench.pairs(2),
        0,
    )


def starting(environments: Environments) -> Outcome:
    """Compare ``python -c pass``."""
    bench, delay = environments.bench, _delayed(environments)
    ours, peer = [environments.multisite, "-c", "pass"], [environments.plain, "-c", "pass"]
    return _compared(
        delay,
        lambda: bench.timed(ours, environ=delay.environ),
        lambda: bench.timed(peer, environ=delay.environ),
        bench.pairs(60),
        2,
    )


def syncing(environments: Environments) -> Outcome:
    """Compare new environments, everything already in cache or store."""
    bench, delay = environments.bench, _delayed(environments)
    lockfile = environments.inputs.large()
    environments.ours(lockfile, "slow")
    environments.uv(lockfile, "slow-uv", "hardlink")

    def ours() -> Sample:
        venv = environments.path("slow")
        bench.set_aside(venv)
        command = [*environments.sync(lockfile, venv), "--python", str(bench.python)]
        return bench.timed(command, environ=delay.environ)

    def peer() -> Sample:
        venv = environments.path("slow-uv")
        bench.set_aside(venv)
        made = bench.timed(environments.uv_venv(venv), environ=delay.environ)
        return made + bench.timed(environments.uv_install(lockfile, venv, "hardlink"), environ=delay.environ)

    outcome = _compared(delay, ours, peer, bench.pairs(1), 0)
    bench.set_aside(environments.path("slow"), environments.path("slow-uv"))
    return outcome


CASES = (
    Case(
        id="network-import",
        goal="network",
        title="import of twelve, warm, with the delay",
        peer="plain environment",
        measure=importing,
        limit=1.0,
    ),
    Case(
        id="network-start-up",
        goal="network",
        title="`python -c pass` with the delay",
        peer="plain environment",
        measure=starting,
        limit=1.0,
    ),
    Case(
        id="network-sync",
        goal="network",
        title="new environment with the delay",
        peer="uv, hard links",
        measure=syncing,
        limit=1.0,
    ),
)

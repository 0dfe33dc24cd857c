"""Start-up of an interpreter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.case import Case
from benchmarks.figures import Outcome, alternated
from benchmarks.workbench import pinned

if TYPE_CHECKING:
    from benchmarks.environments import Environments

__all__ = ["CASES"]

PAIRS = 300


def beside(environments: Environments, *, plain: bool) -> Outcome:
    """Compare ``python -c pass``."""
    bench = environments.bench
    other = environments.plain if plain else environments.empty
    ours_command, peer_command = [environments.multisite, "-c", "pass"], [other, "-c", "pass"]
    with pinned():
        ours, peer = alternated(
            lambda: bench.timed(ours_command), lambda: bench.timed(peer_command), bench.pairs(PAIRS), warm_up=10
        )
    return Outcome(ours=ours, peer=peer)


CASES = (
    Case(
        id="start-up-plain",
        goal="start-up",
        title="`python -c pass`",
        peer="plain environment of the same distributions",
        measure=partial(beside, plain=True),
        limit=1.0,
    ),
    Case(
        id="start-up-empty",
        goal="start-up",
        title="`python -c pass`",
        peer="empty environment",
        measure=partial(beside, plain=False),
        limit=1.05,
    ),
)

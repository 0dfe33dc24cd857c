"""What an interpreter is asked inside: metadata of distributions, and modules that are not there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.case import Case
from benchmarks.figures import Outcome, alternated
from benchmarks.workbench import pinned

if TYPE_CHECKING:
    from benchmarks.environments import Environments

__all__ = ["CASES"]

ASKED = """
import importlib.metadata, time
begun = time.perf_counter()
importlib.metadata.{call}
print(time.perf_counter() - begun)
"""
FAILED = """
import time
begun = time.perf_counter()
for number in range(50):
    try:
        __import__(f"no_such_module_{number}")
    except ImportError:
        pass
print(time.perf_counter() - begun)
"""


def inside(environments: Environments, *, code: str, empty: bool, pairs: int) -> Outcome:
    """Compare what code takes that measures itself, each time in a fresh process."""
    bench = environments.bench
    other = environments.empty if empty else environments.plain
    ours_command, peer_command = [environments.multisite, "-c", code], [other, "-c", code]
    with pinned():
        ours, peer = alternated(
            lambda: bench.told(ours_command), lambda: bench.told(peer_command), bench.pairs(pairs), warm_up=2
        )
    return Outcome(ours=ours, peer=peer)


def asked(name: str, call: str, limit: float, pairs: int) -> Case:
    """Return the case of one call."""
    return Case(
        id=f"metadata-{name}",
        goal="metadata",
        title=f"`{call}`",
        peer="plain environment",
        measure=partial(inside, code=ASKED.format(call=call), empty=False, pairs=pairs),
        limit=limit,
    )


CASES = (
    asked("entry-points", "entry_points()", 1 / 10, 60),
    asked("version", 'version("django")', 1 / 20, 60),
    asked("packages-distributions", "packages_distributions()", 1 / 3, 20),
    Case(
        id="failed-imports",
        goal="failed-imports",
        title="fifty failed imports",
        peer="empty environment",
        measure=partial(inside, code=FAILED, empty=True, pairs=100),
        limit=1.0,
    ),
    Case(
        id="failed-imports-plain",
        goal="failed-imports",
        title="fifty failed imports",
        peer="plain environment",
        measure=partial(inside, code=FAILED, empty=False, pairs=60),
    ),
)

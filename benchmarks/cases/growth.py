"""How the time of a new environment, of start-up and of one import grows with distributions and with their files."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from benchmarks.case import Case
from benchmarks.figures import Curve, Outcome, Sample, Spread
from benchmarks.workbench import pinned

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.environments import Environments

__all__ = ["CASES"]

Axis = Literal["distributions", "files"]
What = Literal["environment", "start-up", "import"]
SIZES = (10, 100, 1000)
FEW = 20  # distributions where their files are varied
PAIRS: dict[What, int] = {"environment": 5, "start-up": 80, "import": 80}
TITLES: dict[What, str] = {
    "environment": "new environment",
    "start-up": "start-up",
    "import": "start-up and one import",
}
PEERS: dict[What, str] = {
    "environment": "uv, hard links",
    "start-up": "plain environment of the same",
    "import": "plain environment of the same",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """The samples of both sides for each size, taken in rounds."""

    ours: dict[int, list[Sample]]
    peer: dict[int, list[Sample]]


def against_fewer(environments: Environments, *, files: int, fewer: int) -> Outcome:
    """Compare our new environments of distributions with few files and with ten times as many."""
    grown = measured(environments, "environment", "files")
    return Outcome(ours=grown.ours[files], peer=grown.ours[fewer])


def against_peer(environments: Environments, *, what: What, axis: Axis) -> Outcome:
    """Compare both sides where there is most; the curve has all sizes."""
    grown = measured(environments, what, axis)
    return Outcome(ours=grown.ours[SIZES[-1]], peer=grown.peer[SIZES[-1]], curve=_curve(grown, what, axis))


def measured(environments: Environments, what: What, axis: Axis) -> Grown:
    """Measure all sizes of both sides in turn, round by round, unless that was done for another case."""
    return environments.once(f"grown {what} {axis}", partial(_measured, environments, what, axis))


def _measured(environments: Environments, what: What, axis: Axis) -> Grown:
    # What is started here has been made, and imported once, by the case of new environments.
    made = None if what == "environment" else measured(environments, "environment", axis)
    sides = {(size, ours): _side(environments, what, axis, size, ours=ours) for size in SIZES for ours in (True, False)}
    taken: dict[tuple[int, bool], list[Sample]] = {key: [] for key in sides}
    for measure in sides.values():
        measure()
    with nullcontext() if made is None else pinned():
        for _ in range(environments.bench.pairs(PAIRS[what])):
            for key, measure in sides.items():
                taken[key].append(measure())
    return Grown(ours={size: taken[size, True] for size in SIZES}, peer={size: taken[size, False] for size in SIZES})


def _side(environments: Environments, what: What, axis: Axis, size: int, *, ours: bool) -> Callable[[], Sample]:
    count, files = (size, SIZES[0]) if axis == "distributions" else (FEW, size)
    name = f"grown-{axis}-{size}-{'ours' if ours else 'uv'}"
    if what == "environment":
        lockfile = environments.inputs.made(count, files)
        return (
            partial(environments.ours, lockfile, name) if ours else partial(environments.uv, lockfile, name, "hardlink")
        )
    code = "pass" if what == "start-up" else f"import made_{files}_0000"
    return partial(environments.bench.timed, [environments.python(environments.path(name)), "-c", code])


def _curve(grown: Grown, what: What, axis: Axis) -> Curve:
    def medians(samples: dict[int, list[Sample]]) -> list[float]:
        return [Spread.of([sample.value for sample in samples[size]]).median for size in SIZES]

    name = "distributions of ten files" if axis == "distributions" else f"files in each of {FEW} distributions"
    series = {"multisite": medians(grown.ours), PEERS[what]: medians(grown.peer)}
    return Curve(title=TITLES[what], axis=name, unit="s", x=SIZES, series=series)


def fewer(files: int, than: int) -> Case:
    """Return a case of growth with files, which is what the goal of new environments names."""
    return Case(
        id=f"growth-{files}-files",
        goal="new-environment",
        title=f"new environment, {files} files in each of {FEW} distributions",
        peer=f"ours, {than} files in each",
        measure=partial(against_fewer, files=files, fewer=than),
        limit=1.1,
    )


def most(what: What, axis: Axis, goal: str, limit: float | None) -> Case:
    """Return the case of a curve, judged where there is most."""
    amount = "1,000 distributions" if axis == "distributions" else f"1,000 files in each of {FEW} distributions"
    return Case(
        id=f"growth-{what}-{axis}",
        goal=goal,
        title=f"{TITLES[what]}, {amount}",
        peer=PEERS[what],
        measure=partial(against_peer, what=what, axis=axis),
        limit=limit,
    )


CASES = (
    fewer(100, 10),
    fewer(1000, 100),
    most("environment", "distributions", "new-environment", None),
    most("environment", "files", "new-environment", None),
    most("start-up", "distributions", "start-up", 1.0),
    most("start-up", "files", "start-up", 1.0),
    most("import", "distributions", "warm-import", 1.0),
    most("import", "files", "warm-import", 1.0),
)

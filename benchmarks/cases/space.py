"""What the hundredth environment takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.case import Case
from benchmarks.environments import Environments, imported
from benchmarks.figures import Outcome, Sample
from multisite.state import EnvironmentState

__all__ = ["CASES"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Inodes, and kilobytes of the disk."""

    inodes: int
    kilobytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """What the last of many environments takes: before use, after use, with what is not counted; and one of uv's."""

    unused: Taken
    own: Taken
    whole: Taken
    other: Taken


def hundredth(environments: Environments, *, inodes: bool) -> Outcome:
    """Return what the hundredth environment has for itself after use, beside one that uv made."""
    many = environments.once("many", partial(_made, environments))
    facts: dict[str, float | str] = {
        "inodes before use": many.unused.inodes,
        "KB before use": round(many.unused.kilobytes),
        "inodes with scripts and prefix data": many.whole.inodes,
        "KB with scripts and prefix data": round(many.whole.kilobytes),
    }
    values = [float(side.inodes) if inodes else side.kilobytes for side in (many.own, many.other)]
    ours, other = ([Sample(value=value)] for value in values)
    return Outcome(ours=ours, peer=other, unit="inodes" if inodes else "KB", facts=facts)


def _made(environments: Environments) -> Many:
    bench = environments.bench
    lockfile = environments.inputs.large()
    names = [f"one-of-many-{number}" for number in range(12 if bench.quick else 100)]
    for name in names:
        bench.done([*environments.sync(lockfile, environments.path(name)), "--python", str(bench.python)])
    venv, of_uv = environments.path(names[-1]), environments.path("one-of-uv")
    unused = taken(venv, _not_counted(venv))
    bench.done(imported([environments.python(venv)]))
    own, whole = taken(venv, _not_counted(venv)), taken(venv, set())
    environments.uv(lockfile, of_uv.name, "hardlink")
    bench.done(imported([environments.python(of_uv)]))
    other = taken(of_uv, set())
    bench.set_aside(*map(environments.path, names), of_uv)
    return Many(unused=unused, own=own, whole=whole, other=other)


def _not_counted(venv: Path) -> set[str]:
    """Return the paths of console scripts, prefix data and history."""
    path = venv / ".multisite" / "environment.json"
    files = EnvironmentState.from_document(path.read_bytes(), path).files
    history = {path.relative_to(venv).as_posix() for path in (venv / ".multisite" / "history").rglob("*")}
    return {*files, *history, "pylock.toml"}


def taken(venv: Path, without: set[str]) -> Taken:
    """Return what an environment has for itself: without some files, folders that only those are in, and hard links."""
    inodes, blocks = 0, 0
    needed: dict[str, bool] = {}
    for place, names, files in os.walk(venv, topdown=False):
        here = Path(place)
        counted = [name for name in files if (here / name).relative_to(venv).as_posix() not in without]
        below = [needed.get(str(here / name), True) for name in names]
        needed[place] = bool(counted) or any(below) or not (files or names)
        own = [facts for facts in ((here / name).lstat() for name in counted) if facts.st_nlink == 1]
        if needed[place]:
            own.append(here.lstat())
        inodes += len(own)
        blocks += sum(facts.st_blocks for facts in own)
    return Taken(inodes=inodes, kilobytes=blocks * 512 / 1000)


CASES = (
    Case(
        id="hundredth-kilobytes",
        goal="hundredth",
        title="KB of the hundredth environment, after use",
        peer="uv, hard links",
        measure=partial(hundredth, inodes=False),
        limit=100,
        judged="ours",
    ),
    Case(
        id="hundredth-inodes",
        goal="hundredth",
        title="inodes of the hundredth environment, after use",
        peer="uv, hard links",
        measure=partial(hundredth, inodes=True),
        limit=40,
        judged="ours",
    ),
)

"""What is to be reached: the rows of the table in docs/performance.md."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GOALS", "Goal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One kind of work, what it took with the usual tools when the goal was set, and the goal."""

    id: str
    work: str
    before: str
    goal: str


GOALS = (
    Goal(
        id="new-environment",
        work="a new environment from a lockfile, everything already in cache or store",
        before="hard links 2.7 to 4.3 s, symbolic links 8 to 18 s, copies 10 to 25 s",
        goal="at most 1/40 of uv's fastest way, 1/60 without jupyterlab; ten times the files, at most 1.1 times",
    ),
    Goal(
        id="first-import",
        work="first import of twelve large ones in that new environment",
        before="14.1 s; 4.8 s after",
        goal="at most the plain environment's warm time",
    ),
    Goal(
        id="cold",
        work="nothing cached, to the end of that first import",
        before="8 s and 14 s",
        goal="not slower than uv's sum",
    ),
    Goal(
        id="start-up",
        work="`python -c pass`",
        before="14.5 ms for 173 distributions, 13.5 ms in an empty environment",
        goal="not slower than a plain environment of the same distributions; at most 1.05 times an empty one",
    ),
    Goal(id="warm-import", work="importing those twelve, warm", before="5.4 s", goal="not slower"),
    Goal(
        id="file-calls",
        work="calls that name a path below site-packages or the store during that import",
        before="4.9 for each module",
        goal="at most 1.3 for each module",
    ),
    Goal(
        id="metadata",
        work="`importlib.metadata`: `entry_points()`, `version(name)`, `packages_distributions()`, each the first call",
        before="11 to 16 ms, 2 to 3.5 ms, 213 to 329 ms",
        goal="1/10, 1/20, 1/3",
    ),
    Goal(
        id="failed-imports",
        work="fifty failed imports",
        before="23 ms with 300 distributions",
        goal="not slower than in an empty environment",
    ),
    Goal(
        id="hundredth",
        work="disk and inodes of the hundredth environment",
        before="30,000 inodes; bytecode of its own, about 230 MB, after use",
        goal="under 100 KB and 40 inodes; lockfile, console scripts, prefix data and history not counted",
    ),
    Goal(
        id="small-commands",
        work="`multisite --version`; a `sync` with nothing to do",
        before="no figure",
        goal="2 times and 3 times `python -c pass`",
    ),
    Goal(
        id="idle-lock",
        work="a `lock` with nothing to do",
        before="`uv pip compile`, warm: 124 to 195 ms",
        goal="1.3 times that; uv is not asked when the inputs are byte for byte those of the last lock",
    ),
    Goal(
        id="filling",
        work="filling the store with wheels at hand, without bytecode",
        before="uv: 0.6 to 1.1 s for Django, numpy or sympy alone",
        goal="within 1.5 times of unzipping them with the standard library",
    ),
    Goal(
        id="network",
        work="half a millisecond for each call on the folders of store and environment",
        before="no figure",
        goal="not slower than the plain environment, or uv, under the same delay",
    ),
    Goal(
        id="memory",
        work="memory of ten processes from ten environments that import numpy and pandas",
        before="no figure",
        goal="not more than with ten copied environments",
    ),
)

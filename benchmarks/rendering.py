"""The page about speed: what a run measured, put between the marks in the text that is written by hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from benchmarks.goals import GOALS, Goal
from benchmarks.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.results import Results

__all__ = ["rendered"]

MARKS = re.compile(
    r"(?P<begin><!-- (?P<name>[a-z]+): made by python -m benchmarks --render -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)


def rendered(text: str, results: Results) -> str:
    """Return the page with its made parts made anew."""
    makers: dict[str, Callable[[Results], str]] = {
        "run": _run,
        "goals": _goals,
        "unmet": _unmet,
        "rows": _rows,
        "facts": _facts,
    }
    found = [match["name"] for match in MARKS.finditer(text)]
    if sorted(found) != sorted(makers):
        raise ValueError(f"the page has marks for {', '.join(found)}; there are {', '.join(makers)}")
    return MARKS.sub(lambda match: match["begin"] + makers[match["name"]](results) + match["end"], text)


def _run(results: Results) -> str:
    machine = results.machine
    hardware = f"{machine['processors']} processors ({machine['processor']}), {machine['memory']} of memory"
    system = f"{machine['system']}, {machine['filesystem']}, {machine['libc']}; {machine['python'].splitlines()[0]}"
    versions = ", ".join(f"{name} {machine[name]}" for name in ("multisite", "commit", "uv", "pip", "virtualenv"))
    took = f"Measured on {results.begun[:10]} in {results.seconds / 60:.0f} minutes"
    lines = [f"{took}: {hardware}, {system}; {versions}. Load when it began: {results.load:.2f}."]
    if results.busy:
        lines.append("**The machine was busy with other work: times are not to be trusted.**")
    if results.quick:
        lines.append("**A quick run with few pairs: a first idea only.**")
    return "\n\n".join(lines) + "\n"


def _goals(results: Results) -> str:
    lines = ["| work | before, with a plain environment | goal | now |", "|---|---|---|---|"]
    lines += [f"| {goal.work} | {goal.before} | {goal.goal} | {_now(goal, results)} |" for goal in GOALS]
    return "\n".join(lines) + "\n"


def _now(goal: Goal, results: Results) -> str:
    limited = [row for row in results.rows if row["goal"] == goal.id and row["limit"] is not None]
    return "; ".join(f"{row['title']}: {_figure(row)}" for row in limited) or "not measured"


def _figure(row: Mapping[str, Any]) -> str:
    if row["error"] is not None:
        return "**failed**"
    figure = _ratio(row["ratio"]["median"]) if row["judged"] == "ratio" else _value(row["ours"]["median"], row["unit"])
    return f"{figure} ({'met' if row['met'] else '**not met**'})"


def _unmet(results: Results) -> str:
    rows = [row for row in results.rows if row["error"] is None and row["met"] is False]
    lines = [
        f"- {row['title']}, {_figure(row)}: {REASONS.get(row['id'], 'the reason has not been found.')}" for row in rows
    ]
    return "\n".join(lines or ["Every goal that was measured is met."]) + "\n"


def _rows(results: Results) -> str:
    head = ("what", "beside", "multisite", "the other", "ratio", "quartiles", "pairs", "goal", "")
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in results.rows:
        if row["error"] is not None:
            cells = [row["title"], row["peer"], "**failed**", "", "", "", "", _limit(row), f"`{row['error'][:120]}`"]
        else:
            spread = f"{_ratio(row['ratio']['low'])} to {_ratio(row['ratio']['high'])}" if row["pairs"] > 1 else ""
            values = [_value(row[side]["median"], row["unit"]) for side in ("ours", "other")]
            verdict = {True: "met", False: "**not met**", None: ""}[row["met"]]
            ratio = _ratio(row["ratio"]["median"])
            cells = [row["title"], row["peer"], *values, ratio, spread, str(row["pairs"]), _limit(row), verdict]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _facts(results: Results) -> str:
    lines = []
    for row in results.rows:
        told = dict(row.get("facts") or {})
        if row.get("ours_cpu") and row.get("other_cpu"):
            told["processor's time"] = (
                f"{_value(row['ours_cpu']['median'], 's')}, {_value(row['other_cpu']['median'], 's')}"
            )
        if told:
            lines.append(
                f"- {row['title']} (`{row['id']}`): " + "; ".join(f"{name} {_told(told[name])}" for name in told)
            )
    return "\n".join(lines) + "\n"


def _limit(row: Mapping[str, Any]) -> str:
    if row["limit"] is None:
        return "none"
    return _ratio(row["limit"]) if row["judged"] == "ratio" else _value(row["limit"], row["unit"])


def _ratio(value: float) -> str:
    return f"1/{1 / value:.3g}" if 0 < value < 0.2 else f"{value:.2f}"


def _value(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:,.0f} {unit}" if value >= 100 or unit in {"inodes", "programs"} else f"{value:.2f} {unit}"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.3f}".rstrip("0").rstrip(".")

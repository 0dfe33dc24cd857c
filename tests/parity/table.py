"""docs/parity.md: the rows of the table with their cases, made from the headers of these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.parity.header import Case, cases
from tests.parity.rows import ELSEWHERE, ROWS
from tests.pythons import SUPPORTED

__all__ = ["DOCUMENT", "page"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "parity.md"
_BEGIN = "<!-- made by: python -m tests.parity --table -->"
_STATES = ("equal", "mended", "limit")


def page(text: str) -> str:
    """Return the document *text* with what is made from the cases in it made anew."""
    good, _ = cases()
    return text[: text.index(_BEGIN) + len(_BEGIN)] + "\n\n" + _sections(good)


def _sections(found: Sequence[Case]) -> str:
    parts = ["## The rows\n", *_rows(found), "", "## Limits\n", *_reasons(found, "limit"), ""]
    parts += ["## What was mended\n", *_reasons(found, "mended"), "", "## The cases\n", *_cases(found)]
    return "\n".join(parts) + "\n"


def _rows(found: Sequence[Case]) -> list[str]:
    lines = ["| row | what is looked at | cases | Pythons | state |", "|---|---|---|---|---|"]
    for row, title in ROWS.items():
        mine = [case for case in found if row in case.rows]
        states = [f"{count} {state}" for state in _STATES if (count := sum(case.state == state for case in mine))]
        names = [f"[{case.name}](#{_anchor(case)})" for case in mine] + [f"`{path}`" for path in ELSEWHERE.get(row, ())]
        versions = {version for case in mine for version in SUPPORTED if case.runs_on(version)}
        lines.append(f"| {row} | {title} | {', '.join(names)} | {_span(versions)} | {', '.join(states) or 'equal'} |")
    return lines


def _reasons(found: Sequence[Case], state: str) -> list[str]:
    lines = ["| case | rows | what | why |", "|---|---|---|---|"]
    mine = [case for case in found if case.state == state]
    return lines + [
        f"| [{case.name}](#{_anchor(case)}) | {_numbers(case)} | {_cell(case.says)} | {_cell(case.reason)} |"
        for case in mine
    ]


def _cases(found: Sequence[Case]) -> list[str]:
    lines = ["| case | rows | what is the same | Pythons | with | state |", "|---|---|---|---|---|---|"]
    for case in found:
        versions = {version for version in SUPPORTED if case.runs_on(version)}
        wheels = ", ".join(f"`{name}`" for name in case.requirements) if case.cost != "offline" else "made wheels"
        name = f'<a id="{_anchor(case)}"></a>{case.name}'
        lines.append(
            f"| {name} | {_numbers(case)} | {_cell(case.says)} | {_span(versions)} | {wheels} | {case.state} |"
        )
    return lines


def _anchor(case: Case) -> str:
    return case.name.replace("/", "-")


def _numbers(case: Case) -> str:
    return ", ".join(map(str, case.rows))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("__", "\\_\\_").replace("*", "\\*")


def _span(versions: set[str]) -> str:
    """Return ``3.8 to 3.14`` where no supported version in between is missing, else all of them."""
    ordered = [version for version in SUPPORTED if version in versions]
    if not ordered:
        return "all"
    first, last = SUPPORTED.index(ordered[0]), SUPPORTED.index(ordered[-1])
    if len(ordered) > 1 and last - first + 1 == len(ordered):
        return f"{ordered[0]} to {ordered[-1]}"
    return ", ".join(ordered)

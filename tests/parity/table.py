"""docs/parity.md: the rows of the table with their cases, made from the headers of these."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.parity.header import Case, cases
from tests.parity.rows import ELSEWHERE, ROWS

__all__ = ["DOCUMENT", "page"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "parity.md"
_MARK = re.compile(r"<!-- python -m tests\.parity --table; run on: ([\d., ]+); real distributions on: ([\d., ]+) -->")
_STATES = ("equal", "mended", "limit")


def page(text: str, versions: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the document *text* with what is made from the cases in it made anew.

    *versions* are the Pythons that cases were run on, by ``offline`` or ``index``; without them, those that the
    document names.
    """
    found = _MARK.search(text)
    assert found is not None
    ran = {"offline": found[1].split(", "), "index": found[2].split(", "), **(versions or {})}
    named = f"run on: {', '.join(ran['offline'])}; real distributions on: {', '.join(ran['index'])}"
    good, _ = cases()
    return f"{text[: found.start()]}<!-- python -m tests.parity --table; {named} -->\n\n{_sections(good, ran)}"


def _sections(found: Sequence[Case], versions: Mapping[str, Sequence[str]]) -> str:
    parts = ["## The rows\n", *_rows(found, versions), "", "## Limits\n", *_reasons(found, "limit"), ""]
    parts += ["## What was mended\n", *_reasons(found, "mended"), "", "## The cases\n", *_cases(found, versions)]
    return "\n".join(parts) + "\n"


def _ran(case: Case, versions: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the Pythons that *case* was run on."""
    named = versions["offline" if case.cost == "offline" else "index"]
    return [version for version in named if case.runs_on(version)]


def _rows(found: Sequence[Case], versions: Mapping[str, Sequence[str]]) -> list[str]:
    lines = ["| row | what is looked at | cases | Pythons | state |", "|---|---|---|---|---|"]
    for row, title in ROWS.items():
        mine = [case for case in found if row in case.rows]
        states = [f"{count} {state}" for state in _STATES if (count := sum(case.state == state for case in mine))]
        names = [f"[{case.name}](#{_anchor(case)})" for case in mine] + [f"`{path}`" for path in ELSEWHERE.get(row, ())]
        seen = {version for case in mine for version in _ran(case, versions)}
        pythons = _span([version for version in versions["offline"] if version in seen], versions["offline"])
        lines.append(f"| {row} | {title} | {', '.join(names)} | {pythons} | {', '.join(states) or 'equal'} |")
    return lines


def _reasons(found: Sequence[Case], state: str) -> list[str]:
    lines = ["| case | rows | what | why |", "|---|---|---|---|"]
    mine = [case for case in found if case.state == state]
    return lines + [
        f"| [{case.name}](#{_anchor(case)}) | {_numbers(case)} | {_cell(case.says)} | {_cell(case.reason)} |"
        for case in mine
    ]


def _cases(found: Sequence[Case], versions: Mapping[str, Sequence[str]]) -> list[str]:
    lines = ["| case | rows | what is the same | Pythons | with | state |", "|---|---|---|---|---|---|"]
    for case in found:
        pythons = _span(_ran(case, versions), versions["offline"])
        wheels = ", ".join(f"`{name}`" for name in case.requirements) if case.cost != "offline" else "made wheels"
        name = f'<a id="{_anchor(case)}"></a>{case.name}'
        lines.append(f"| {name} | {_numbers(case)} | {_cell(case.says)} | {pythons} | {wheels} | {case.state} |")
    return lines


def _anchor(case: Case) -> str:
    return case.name.replace("/", "-")


def _numbers(case: Case) -> str:
    return ", ".join(map(str, case.rows))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("__", "\\_\\_").replace("*", "\\*")


def _span(ran: Sequence[str], versions: Sequence[str]) -> str:
    """Return ``3.8 to 3.13`` where no version in between is missing, else all of them."""
    if not ran:
        return ""
    first, last = versions.index(ran[0]), versions.index(ran[-1])
    if len(ran) > 1 and last - first + 1 == len(ran):
        return f"{ran[0]} to {ran[-1]}"
    return ", ".join(ran)

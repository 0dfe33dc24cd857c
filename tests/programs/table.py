"""The results as a table for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.programs.comparing import Result
    from tests.programs.program import Program

__all__ = ["written"]

HEAD = """\
| program | what it does | versions | Python | exit codes | result |
|---|---|---|---|---|---|
"""


def written(results: Iterable[Result], known: Mapping[str, Program]) -> str:
    """Return the table."""
    return HEAD + "".join(_row(result, known[result.name]) for result in results)


def _row(result: Result, program: Program) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(result.versions.items()))
    versions += f" ({result.distributions} distributions)"
    codes = " ".join(map(str, result.plain.codes))
    if result.plain.codes != result.locked.codes:
        codes += f" / {' '.join(map(str, result.locked.codes))}"
    but = "; ".join(known.reason for known in program.known)
    word = "different" if result.difference() else f"equal, but: {but}" if but else "equal"
    return f"| {result.name} | {program.does} | {versions} | {result.python} | {codes} | {word} |\n"

"""Tables of results in the documentation: rows of what was run now are put in, those of the rest stay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["put_rows", "row", "rows"]


def row(*cells: str) -> str:
    """Return a row. Its first two cells, the name and the Python, say which it replaces."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def put_rows(page: Path, section: str, new: Iterable[str]) -> None:
    """Write *new* rows into the table between the marks of *section* in *page*."""
    text = page.read_text(encoding="utf-8")
    before, head, old, after = _parts(text, section)
    merged = {_key(line): line for line in [*old, *new]}
    lines = [merged[key] for key in sorted(merged)]
    page.write_text(before + "".join(f"{line}\n" for line in [*head, *lines]) + after, encoding="utf-8")


def rows(page: Path, section: str) -> set[tuple[str, str]]:
    """Return the names and Pythons of the rows of *section* in *page*."""
    _, _, old, _ = _parts(page.read_text(encoding="utf-8"), section)
    return {(name, ".".join(map(str, version))) for name, version in map(_key, old)}


def _parts(text: str, section: str) -> tuple[str, list[str], list[str], str]:
    start, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->"
    before, _, rest = text.partition(start)
    table, _, after = rest.partition(end)
    lines = table.splitlines()
    return before + start, lines[:2], lines[2:], end + after


def _key(line: str) -> tuple[str, tuple[int, ...]]:
    name, version = (cell.strip() for cell in line.split("|")[1:3])
    return name, tuple(int(number) for number in re.findall(r"\d+", version))

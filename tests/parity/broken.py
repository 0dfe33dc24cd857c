"""Finders as one would write them first, in an environment of multisite's: every case must notice at least one.

``path`` puts the folders of the store at the end of ``sys.path``, ``before`` and ``after`` put a finder that maps
top-level names to folders at the beginning or end of ``sys.meta_path``, and ``off`` finds nothing.
"""

from __future__ import annotations

from pathlib import Path

from multisite.bootstrap import PTH_NAME
from multisite.dispatch import DispatchTable

__all__ = ["break_finder"]

_NAIVE = Path(__file__).parents[1] / "finder" / "naive.py"


def break_finder(kind: str, venv: Path, site: Path) -> None:
    """Put the broken finder *kind* in the place of the right one."""
    program = venv / ".multisite" / "broken.py"
    program.write_text(f"{_NAIVE.read_text(encoding='utf-8')}\n\nstart({kind!r}, {_rows(venv)!r})\n", encoding="utf-8")
    line = f"import sys; exec(compile(open({str(program)!r}).read(), 'broken', 'exec'), {{'__name__': 'broken'}})\n"
    (site / PTH_NAME).write_text(line, encoding="utf-8")


def _rows(venv: Path) -> list[tuple[str, list[str], str]]:
    """Return folder, top-level names and dist-info folder of each locked distribution."""
    path = venv / ".multisite" / "table"
    binding, table = DispatchTable.decode(path.read_bytes(), path)
    names: dict[int, list[str]] = {}
    for name, owners in table.plain["names"].items():
        for index in (owners,) if isinstance(owners, int) else owners:
            names.setdefault(index, []).append(name)
    store = binding["stores"][0]
    return [
        (f"{store}/{root}", sorted(names.get(index, [])), info)
        for index, (_, _, root, info, *_) in enumerate(table.plain["distributions"])
    ]

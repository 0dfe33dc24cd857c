"""Checks of what an environment starts with: its interpreter, the dispatch table, the start-up code."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.bootstrap import runtime_digest
from multisite.dispatch import DispatchTable, TableEntry
from multisite.doctor.check import Fault
from multisite.doctor.examination import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from multisite.doctor.examination import Examination

__all__ = [
    "bootstrap_changed",
    "bootstrap_missing",
    "finder_inactive",
    "interpreter_changed",
    "interpreter_replaced",
    "interpreter_unusable",
    "not_silent",
    "table_damaged",
    "table_differs",
]


def table_damaged(examination: Examination) -> Iterator[Fault]:
    """Find a table that is missing, torn or of another format."""
    problem = examination.unreadable.get("table")
    if problem is not None and examination.state is not None:
        yield Fault(message=problem, fix=None if "table" in examination.forbidden else examination.sync)


def table_differs(examination: Examination) -> Iterator[Fault]:
    """Find a table that does not lead where the chosen builds are, or belongs to something else."""
    state, table = examination.state, examination.table
    if state is None or table is None:
        return
    bound = {"id": state.id, "lockfile": state.lockfile, "sha256": state.lock_sha256, "stores": state.stores}
    foreign = sorted(key for key, value in bound.items() if examination.binding[key] != value)
    if foreign:
        message = f"the table is bound to another {listed(foreign)} than environment.json says"
        yield Fault(message=message, fix=examination.sync)
    rows = {row[0]: row for row in examination.rows}
    wanted = {str(name): build.row for name, build in examination.builds.items()}
    known = {name: row for name, row in wanted.items() if row is not None}
    wrong = sorted(rows.keys() ^ wanted.keys()) if examination.builds else []
    wrong += [name for name, row in known.items() if name in rows and rows[name] != row]
    if wrong:
        message = f"the table does not lead to the chosen build of {listed(sorted(wrong))}"
        yield Fault(message=message, fix=examination.sync)
    elif len(known) == len(rows) and (parts := _different_parts(examination, table)):
        yield Fault(message=f"the table's {listed(parts)} are not those of the chosen builds", fix=examination.sync)


def _different_parts(examination: Examination, table: DispatchTable) -> list[str]:
    entries = []
    for build in examination.builds.values():
        row = build.row
        if row is not None and build.stored is not None:
            manifest = build.stored.manifest
            entries.append(
                TableEntry(
                    name=row[0],
                    version=row[1],
                    root=row[2],
                    dist_info=row[3],
                    build=row[4],
                    shown=manifest.shown,
                    top_level=tuple(manifest.top_level),
                    pth=manifest.pth,
                    start=manifest.start,
                    entry_points=manifest.entry_points,
                )
            )
    wanted = DispatchTable.compile(entries).plain
    return sorted(part.replace("_", " ") for part in wanted if wanted[part] != table.plain.get(part))


def bootstrap_missing(examination: Examination) -> Iterator[Fault]:
    """Find files of the bootstrap that are not there."""
    yield from _bootstrap(examination, "missing", "is missing", "are missing")


def bootstrap_changed(examination: Examination) -> Iterator[Fault]:
    """Find files of the bootstrap that are another multisite's, or nobody's."""
    yield from _bootstrap(examination, "changed", "is not this multisite's", "are not this multisite's")
    answer = examination.answer
    if answer is not None and answer.stale_bytecode and not examination.bootstrap:
        message = (
            f"the bytecode of the start-up code's {listed(answer.stale_bytecode)} is of another source, or damaged"
        )
        yield Fault(message=message, fix=_compiled_again(examination, answer.stale_bytecode))


def _compiled_again(examination: Examination, names: Sequence[str]) -> str:
    """Return the command that has bytecode of the start-up code made again: where it was copied from, if that is so."""
    store = Path(examination.stores[0])
    folder = examination.environment.state_folder / "runtime" / runtime_digest() / "__pycache__"
    for path in (path for name in names for path in folder.glob(f"{Path(name).stem}.*.pyc")):
        kept = store / "runtime" / runtime_digest() / path.name.split(".")[1] / path.name
        if kept.is_file() and kept.read_bytes() == path.read_bytes():
            return f"multisite verify --repair --store {shlex.quote(str(store))} && {examination.sync}"
    return examination.sync


def _bootstrap(examination: Examination, kind: str, one: str, several: str) -> Iterator[Fault]:
    if examination.state is None:
        return
    folder = examination.environment.path
    paths = sorted(os.path.relpath(path, folder) for path, found in examination.bootstrap.items() if found == kind)
    if paths:
        yield Fault(message=f"{listed(paths)} {one if len(paths) == 1 else several}", fix=examination.sync)


def finder_inactive(examination: Examination) -> Iterator[Fault]:
    """Find a finder that should be there and is not."""
    answer = examination.answer
    if answer is not None and not answer.is_active and not examination.explained:
        message = "the interpreter starts without the finder, so nothing locked can be imported"
        yield Fault(message=message + (f"; it says:\n{answer.said}" if answer.said else ""))


def not_silent(examination: Examination) -> Iterator[Fault]:
    """Find what the interpreter writes to stderr before any program runs."""
    answer = examination.answer
    if answer is None or (not answer.is_active and not examination.explained):
        return
    lines = answer.said.splitlines()
    # Our own lines have a reason that another check tells.
    said = [line for line in lines if not (line.startswith("multisite: ") and examination.explained)]
    if said:
        yield Fault(message="it writes to stderr at every start:\n" + "\n".join(said))


def interpreter_unusable(examination: Examination) -> Iterator[Fault]:
    """Find an interpreter that does not start, or not with what its user starts it with."""
    problem = examination.unreadable.get("interpreter") or examination.unreadable.get("answer")
    if problem is not None:
        yield Fault(message=problem, fix=examination.remedies.get("interpreter"))


def interpreter_changed(examination: Examination) -> Iterator[Fault]:
    """Find an interpreter that is not the one that the environment was made for."""
    state, interpreter = examination.state, examination.interpreter
    if state is not None and interpreter is not None and interpreter.key != state.python.key:
        message = f"the interpreter is {interpreter.key}, and the environment was made for {state.python.key}"
        yield Fault(message=message, fix=examination.sync)


def interpreter_replaced(examination: Examination) -> Iterator[Fault]:
    """Find an interpreter's file that is another, of the same version."""
    state, interpreter = examination.state, examination.interpreter
    if state is None or interpreter is None or interpreter.key != state.python.key:
        return
    recorded = state.python
    if examination.python != (recorded.size, recorded.mtime_ns):
        what = "is gone" if examination.python is None else "was replaced"
        message = f"{recorded.executable} {what} since the environment was made, by one of the same version"
        yield Fault(subject=recorded.executable, message=message, fix=examination.sync)

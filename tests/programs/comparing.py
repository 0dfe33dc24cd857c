"""Runs a program in a plain environment and in a multisite one, and compares what was seen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.programs.offers import offer
from tests.programs.pair import Pair
from tests.programs.side import Side
from tests.programs.table import row

if TYPE_CHECKING:
    from tests.programs.program import Known, Program

__all__ = ["Result", "compare"]

Facts = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was seen of one program with one Python. ``versions`` are those of what was asked for."""

    name: str
    python: str
    versions: dict[str, str]
    distributions: int
    plain: Side
    locked: Side
    known: tuple[Known, ...]
    writes: tuple[str, ...] = ()
    store_changes: tuple[str, ...]

    def difference(self) -> list[str]:
        """Return what differs and should not, as lines of a diff; a known difference that is not there is one."""
        lines = list(difflib.unified_diff(self.plain.seen, self.locked.seen, "plain", "locked", lineterm="", n=0))
        changed = [line for line in lines[2:] if not line.startswith("@@")]
        if all(self._is_known(line) for line in changed):
            lines = []
        gone = [f"known, but not seen: {known.pattern}" for known in self.known if not _any(known, changed)]
        codes = [] if self.plain.codes == self.locked.codes else [f"exit codes: {self.plain.codes} {self.locked.codes}"]
        return [*lines, *gone, *codes, *self.store_changes]

    def row(self, does: str) -> str:
        """Return the result as a row for the documentation."""
        versions = ", ".join(f"{name} {version}" for name, version in sorted(self.versions.items()))
        codes = " ".join(map(str, self.plain.codes))
        written = [f"it writes {name} into the store, where all environments see it" for name in self.writes]
        but = "; ".join([*(known.reason for known in self.known), *written])
        word = "different" if self.difference() else f"equal, but: {but}" if but else "equal"
        seen = f"{len(self.plain.seen)} lines"
        return row(self.name, self.python, does, f"{versions} ({self.distributions} in all)", codes, seen, word)

    def _is_known(self, line: str) -> bool:
        return any(re.fullmatch(known.pattern, line[1:]) for known in self.known)


def _any(known: Known, lines: list[str]) -> bool:
    return any(re.fullmatch(known.pattern, line[1:]) for line in lines)


def compare(name: str, program: Program, version: str, *, folder: Path, shared: Path) -> Result:
    """Run *program* on both sides in *folder*; the store and downloaded wheels are in *shared*."""
    pair = Pair.make(program.requirements, version, folder=folder, shared=shared)
    plain, locked = pair.plain, pair.locked
    wheels = offer(program.offers, interpreter=locked.interpreter, folder=shared)
    locked.prepare(program.prepared)
    used = list(_entries(locked.store, pair.packages))
    before = _files(used, locked.store)
    sides = [Side(environment=each, wheels=wheels, varying=program.varying) for each in (plain, locked)]
    for side in sides:
        side.work.mkdir()
        program.drive(side)
    asked = {canonicalize_name(Requirement(requirement).name) for requirement in program.requirements}
    return Result(
        name=name,
        python=version,
        versions={each: release for each, release in pair.versions.items() if each in asked},
        distributions=len(pair.packages),
        plain=sides[0],
        locked=sides[1],
        known=program.known,
        writes=program.writes,
        store_changes=tuple(_changes(before, _files(used, locked.store), program.writes)),
    )


def _entries(store: Path, packages: Sequence[dict[str, Any]]) -> Iterator[Path]:
    """Yield the folders of the store that *packages* can be in, of whatever build."""
    for package in packages:
        yield from store.glob(f"multi-site-packages/{package['name']}/{package['version']}/*/site-packages")
    yield from store.glob("shared/*/site-packages")


def _files(folders: list[Path], store: Path) -> dict[str, Facts]:
    """Return size, time and mode of every file in *folders* of *store* outside of ``__pycache__``."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            facts = path.lstat()
            if "__pycache__" not in path.parts and not path.is_dir():
                found[str(path.relative_to(store))] = (facts.st_size, facts.st_mtime_ns, facts.st_mode)
    return found


def _changes(before: dict[str, Facts], after: dict[str, Facts], writes: tuple[str, ...]) -> Iterator[str]:
    for name in writes:
        if not any(path.endswith(f"/site-packages/{name}") for path in after):
            yield f"store: not written: {name}"
    expected = tuple(f"/site-packages/{name}" for name in writes)
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path) and not path.endswith(expected):
            kind = "new" if path not in before else "gone" if path not in after else "changed"
            yield f"store: {kind}: {path}"

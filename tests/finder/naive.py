"""A finder as one would write it first: a hook on ``sys.meta_path`` that maps top-level names to folders.

It is wrong in many ways, and the property test has to notice that. Python 3.8, no other imports than the standard
library's: it runs inside the interpreters under test.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import pathlib
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType


class NaiveFinder:
    def __init__(self, rows: Sequence[tuple[str, Sequence[str], str]]) -> None:
        self.folders: dict[str, list[str]] = {}
        for folder, names, _ in rows:
            for name in names:
                self.folders.setdefault(name, []).append(folder)
        self.infos = [pathlib.Path(folder, info) for folder, _, info in rows if info]

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        folders = self.folders.get(fullname) if path is None else None
        return importlib.machinery.PathFinder.find_spec(fullname, folders, target) if folders else None

    def find_distributions(
        self, context: importlib.metadata.DistributionFinder.Context
    ) -> Iterator[importlib.metadata.Distribution]:
        for info in self.infos:
            found = importlib.metadata.PathDistribution(info)
            if context.name in (None, found.metadata["Name"]):
                yield found


def install(rows: Sequence[tuple[str, Sequence[str], str]]) -> None:
    """Find what is locked; *rows* are folder, top-level names and dist-info folder of each distribution."""
    sys.meta_path.insert(0, NaiveFinder(rows))


def start(kind: str, rows: Sequence[tuple[str, Sequence[str], str]]) -> None:
    """Find what is locked in one of several wrong ways. May be called any number of times."""
    if any(type(finder).__name__ == "NaiveFinder" for finder in sys.meta_path):
        return
    if kind == "path":
        folders = [folder for folder, _, _ in rows]
        sys.path.extend(folder for folder in dict.fromkeys(folders) if folder not in sys.path)
    elif kind == "before":
        install(rows)
    elif kind == "after":
        sys.meta_path.append(NaiveFinder(rows))

"""Calls to the operating system that name a path below some folders, counted by strace."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.workbench import Workbench

__all__ = ["Counted", "counted", "named", "strace"]

# Modules that came from a site-packages folder, of an environment or of the store.
MODULES = """
import sys
paths = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
open({path!r}, "w").write(str(sum("site-packages" in path for path in paths)))
"""
# 123 openat(AT_FDCWD</here>, "relative/or/absolute", …
CALL = re.compile(r"(?:\d+ +)?(\w+)\((?:(?:AT_FDCWD|\d+)<([^>]*)>, )?\"((?:[^\"\\]|\\.)*)\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many calls of each kind there were, and how many modules were imported."""

    calls: Counter[str]
    modules: int

    @property
    def per_module(self) -> float:
        """How many calls that makes for each module."""
        return sum(self.calls.values()) / self.modules


def strace() -> str:
    """Return the path of strace."""
    if found := shutil.which("strace"):
        return found
    raise FileNotFoundError("strace is not installed")


def counted(bench: Workbench, command: Sequence[str]) -> Counted:
    """Run ``python -c CODE`` once to warm it, once counted, and once more to count the modules."""
    *python, code = command
    bench.done(command)
    log, modules = bench.folder / "trace", bench.folder / "modules"
    bench.done([strace(), "-f", "-y", "-s", "4096", "-e", "trace=%file", "-o", str(log), *command])
    bench.done([*python, code + "\n" + MODULES.format(path=str(modules))])
    folders = [str(bench.folder / "store"), str(Path(command[0]).parents[1] / "lib")]
    return Counted(calls=named(log.read_text(errors="replace"), folders), modules=int(modules.read_text()))


def named(log: str, folders: Sequence[str]) -> Counter[str]:
    """Return how many calls of each kind name a path below one of the folders."""
    calls: Counter[str] = Counter()
    for line in log.splitlines():
        if found := CALL.match(line):
            name, folder, path = found.groups()
            if not path:  # fstat(2), as newer C libraries call it: a file that is open, and no name
                continue
            whole = path if path.startswith("/") else f"{folder or ''}/{path}"
            if any(whole.startswith(f"{place}/") or whole == place for place in folders):
                calls[name] += 1
    return calls

"""A program: what it needs, and how it is driven."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lacking import lacking
from tests.programs import drivers

if TYPE_CHECKING:
    from tests.parity.header import Rule
    from tests.programs.side import Side

__all__ = ["Known", "Program", "programs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A line that one side alone may have, because nothing can be done about it: a pattern, and the reason."""

    pattern: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program.

    ``offers`` are wheels that the program can install but the environments do not have; ``pythons`` are the versions
    that it is run with, and ``quick`` one of them if it is part of every test run; ``varying`` is what differs between
    any two runs; ``writes`` are files that it writes beside its own modules, so into the store; ``prepared`` are
    commands of multisite that are run in its environment before, and need no equal in a plain one; ``needs`` are
    programs on PATH and shared libraries that the machine must have.
    """

    does: str
    requirements: tuple[str, ...]
    drive: Callable[[Side], None]
    offers: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ("3.12",)
    quick: str = ""
    varying: tuple[Rule, ...] = ()
    known: tuple[Known, ...] = ()
    writes: tuple[str, ...] = ()
    prepared: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Return what is not on this machine: programs on PATH, libraries that can be loaded."""
        return lacking(self.needs)


def programs() -> dict[str, Program]:
    """Return every program, by the name of its file."""
    names = sorted(module.name for module in pkgutil.iter_modules(drivers.__path__))
    return {name: importlib.import_module(f"{drivers.__name__}.{name}").PROGRAM for name in names}

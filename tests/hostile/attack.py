"""One row of the tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet

__all__ = ["LOCKED", "Attack"]

# What both environments hold.
LOCKED = {"alpha": "1.0", "beta": "1.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """Commands of one tool, and what comes of them.

    ``commands`` are lines for the shell, run with the environment active; ``$VENV``, ``$SITE``, ``$STORE``, ``$RUN``
    (the working folder), ``$BASE`` (the interpreter that the environment was made from) and ``$WHEELS`` are set. What
    the two environments say must be equal, but for exactly the lines ``differs`` (those of a unified diff), which have
    a ``reason``. ``really`` are the distributions that are really installed afterwards; ``doctor`` the checks that find
    something, beyond notes, ``after_sync`` those that still do when ``sync`` has run. That something really installed
    wins over something locked is found in any case, before and after.

    One that only ``looks`` changes nothing in the environment either. ``cleared`` says that the environment, and so the
    lockfile in it, is gone. ``gains`` are files that lie in the store afterwards and did not before: it takes a program
    that writes beside itself. ``prepared`` are commands of multisite that are run before. ``programs`` must be on the
    machine, ``tools`` come from the package index. What is ``thorough`` runs with --exhaustive only.
    """

    id: str
    commands: tuple[str, ...]
    differs: tuple[str, ...] = ()
    reason: str = ""
    really: tuple[str, ...] = ()
    doctor: tuple[str, ...] = ()
    after_sync: tuple[str, ...] = ()
    looks: bool = False
    cleared: bool = False
    gains: tuple[str, ...] = ()
    prepared: tuple[tuple[str, ...], ...] = ()
    programs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    python: SpecifierSet = field(default_factory=lambda: SpecifierSet(">=3.8"))
    thorough: bool = False

    @property
    def found(self) -> tuple[str, ...]:
        """The checks of doctor's that find something."""
        return tuple(sorted({*self.doctor, *self._shadowed}))

    @property
    def found_after_sync(self) -> tuple[str, ...]:
        return tuple(sorted({*self.after_sync, *self._shadowed}))

    @property
    def _shadowed(self) -> tuple[str, ...]:
        return ("shadowed-by-real",) if LOCKED.keys() & {*self.really} else ()

    def __post_init__(self) -> None:
        assert bool(self.differs or self.gains) == bool(self.reason), f"{self.id}: what differs has a reason"

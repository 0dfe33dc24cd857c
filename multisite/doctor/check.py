"""One check of the doctor's, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from multisite.doctor.examination import Examination

__all__ = ["Check", "Fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a check found: ``subject`` is what it is about, ``fix`` the command that mends it, None where none does."""

    message: str
    subject: str | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question that the doctor asks of every environment.

    ``id`` never changes; ``meaning`` is the sentence for it, ``mended_by`` what mends it, both for people. ``find`` is
    a pure function; where something that it needs could not be read, it has nothing to say, for another check has said
    that. A finding of one with ``blinds`` means that the environment could not be checked.
    """

    id: str
    subject: str
    severity: Severity
    meaning: str
    mended_by: str
    find: Callable[[Examination], Iterable[Fault]]
    blinds: bool = False

    def findings(self, examination: Examination) -> tuple[Finding, ...]:
        """Return what the check finds."""
        return tuple(
            Finding(check=self.id, severity=self.severity, message=fault.message, subject=fault.subject, fix=fault.fix)
            for fault in self.find(examination)
        )

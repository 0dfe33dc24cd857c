"""What a command found out, as data: it is drawn, or written as JSON, at the edge."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Finding", "Severity", "worst"]


class Severity(enum.Enum):
    """How much a finding matters: an error breaks the environment, a warning may, a note explains."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a command noticed.

    ``check`` is the stable id of what noticed it, ``subject`` the distribution, module or file that it is about, and
    ``fix`` the command that mends it, None where nothing does.
    """

    check: str
    severity: Severity
    message: str
    subject: str | None = None
    fix: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return the finding as ``--json`` prints it."""
        return {
            "check": self.check,
            "severity": self.severity.value,
            "subject": self.subject,
            "message": self.message,
            "fix": self.fix,
        }


def worst(findings: tuple[Finding, ...]) -> Severity | None:
    """Return the greatest severity among *findings*, None where there is none."""
    found = {finding.severity for finding in findings}
    return next((severity for severity in Severity if severity in found), None)

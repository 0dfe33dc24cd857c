"""What making or changing an environment came to, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from multisite.report import Finding

__all__ = ["Change", "SyncResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A distribution that came (``before`` is None), went (``after`` is None), or is another build.

    Both are versions; that of a project whose folder is imported from says so.
    """

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.name} {self.after}"
        if self.after is None:
            return f"- {self.name} {self.before}"
        return f"~ {self.name} {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What a sync did. ``total`` counts distributions; ``written`` tells whether anything in the environment changed.

    ``created`` tells whether the environment itself was made just now, ``compiled`` counts modules.
    """

    environment: Path
    lockfile: Path
    changes: tuple[Change, ...]
    total: int
    fetched: int
    built: int
    written: bool
    created: bool = False
    compiled: int = 0
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        made = "changed" if self.changes else "mended" if self.written else "unchanged"
        number = "1 distribution" if self.total == 1 else f"{self.total} distributions"
        parts = [
            number,
            *(f"{count} {word}" for count, word in _counted(self) if count),
        ]
        return f"{self.environment}: {'made' if self.created else made}; {', '.join(parts)}"

    def to_json(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        return {
            "environment": str(self.environment),
            "lockfile": str(self.lockfile),
            "created": self.created,
            "written": self.written,
            "changes": [{"name": item.name, "before": item.before, "after": item.after} for item in self.changes],
            "distributions": self.total,
            "fetched": self.fetched,
            "built": self.built,
            "compiled": self.compiled,
            "findings": [finding.to_json() for finding in self.findings],
        }


def _counted(result: SyncResult) -> tuple[tuple[int, str], ...]:
    return (result.fetched, "fetched"), (result.built, "built"), (result.compiled, "modules compiled")

"""A case: two sides that are measured in turn, and how far the one may be from the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.environments import Environments
    from benchmarks.figures import Judged, Outcome

__all__ = ["Case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row: *goal* is the id of what it belongs to, *limit* what is not to be passed (None: for comparison only)."""

    id: str
    goal: str
    title: str
    peer: str
    measure: Callable[[Environments], Outcome]
    limit: float | None = None
    judged: Judged = "ratio"

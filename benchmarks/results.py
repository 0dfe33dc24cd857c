"""Results: one JSON document of what was measured in one run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Outcome, Spread, ratios

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.case import Case

__all__ = ["FORMAT", "Results", "judged", "row"]

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """*rows* are as `row` makes them; *quick* means few pairs; *load* is that of the beginning."""

    begun: str
    seconds: float
    quick: bool
    load: float
    busy: bool
    machine: dict[str, Any]
    rows: Sequence[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what an earlier run measured."""
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT:
            raise ValueError(f"{path}: another format than {FORMAT}; measure again")
        return cls(**document)

    def write(self, path: Path) -> None:
        """Write it all, whole or not at all."""
        temporary = path.with_name(f".{path.name}")
        temporary.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)


def row(case: Case, outcome: Outcome | None, *, error: str | None = None, seconds: float = 0.0) -> dict[str, Any]:
    """Return what a case came to, or why it failed."""
    document: dict[str, Any] = {"id": case.id, "goal": case.goal, "title": case.title, "peer": case.peer}
    document |= {"limit": case.limit, "judged": case.judged, "seconds": round(seconds, 1), "error": error}
    if outcome is not None:
        document |= {"unit": outcome.unit, "pairs": len(outcome.ours), "facts": dict(outcome.facts)}
        for name, samples in (("ours", outcome.ours), ("other", outcome.peer)):
            document[name] = _rounded(Spread.of([sample.value for sample in samples]))
            cpu = [sample.cpu for sample in samples if sample.cpu is not None]
            document[f"{name}_cpu"] = _rounded(Spread.of(cpu)) if cpu else None
        document["ratio"] = _rounded(Spread.of(ratios(outcome.ours, outcome.peer)))
        document["met"] = judged(case.limit, document)
        if outcome.curve is not None:
            document["curve"] = outcome.curve.to_dict()
    return document


def judged(limit: float | None, document: dict[str, Any]) -> bool | None:
    """Return whether the limit is kept; None where there is none."""
    if limit is None:
        return None
    figure: float = document["ratio" if document["judged"] == "ratio" else "ours"]["median"]
    return figure <= limit


def _rounded(spread: Spread) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in spread.to_dict().items()}

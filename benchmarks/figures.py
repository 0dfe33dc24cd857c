"""Figures: what was measured, in pairs, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Curve", "Judged", "Outcome", "Sample", "Spread", "alternated", "ratios"]

# What is compared with the limit: the ratio of the pairs, or our own figure.
Judged = Literal["ratio", "ours"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measured value; *cpu* are the seconds of the processor, where it is a time."""

    value: float
    cpu: float | None = None

    def __add__(self, other: Sample) -> Sample:
        cpu = None if self.cpu is None or other.cpu is None else self.cpu + other.cpu
        return Sample(value=self.value + other.value, cpu=cpu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median, and the quartiles about it (the least and the greatest where there are fewer than four)."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of values, at least one."""
        ordered = sorted(values)
        quarter = len(ordered) // 4
        return cls(median=median(ordered), low=ordered[quarter], high=ordered[-1 - quarter])

    def to_dict(self) -> dict[str, float]:
        """Return it as the results have it."""
        return {"median": self.median, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How something grows: for each of *series*, one value for each *x*."""

    title: str
    axis: str
    unit: str
    x: tuple[int, ...]
    series: Mapping[str, Sequence[float]]

    def to_dict(self) -> dict[str, Any]:
        """Return it as the results have it."""
        series = {name: list(values) for name, values in self.series.items()}
        return {"title": self.title, "axis": self.axis, "unit": self.unit, "x": list(self.x), "series": series}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one case came to: the samples of both sides in the order in which they were taken, and facts beside them."""

    ours: Sequence[Sample]
    peer: Sequence[Sample]
    unit: str = "s"
    facts: Mapping[str, float | str] = field(default_factory=dict)
    curve: Curve | None = None


def alternated(
    ours: Callable[[], Sample], peer: Callable[[], Sample], pairs: int, *, warm_up: int = 1
) -> tuple[list[Sample], list[Sample]]:
    """Take samples of both in turn, A B B A A B B A, after a warm-up of both that does not count.

    The order changes from pair to pair, so that neither side is always the one that comes after the other.
    """
    for _ in range(warm_up):
        ours()
        peer()
    ours_samples, peer_samples = [], []
    for number in range(pairs):
        if number % 2 == 0:
            ours_samples.append(ours())
            peer_samples.append(peer())
        else:
            peer_samples.append(peer())
            ours_samples.append(ours())
    return ours_samples, peer_samples


def ratios(ours: Sequence[Sample], peer: Sequence[Sample]) -> list[float]:
    """Return ours divided by the peer's, pair by pair."""
    return [one.value / other.value for one, other in zip(ours, peer, strict=True) if other.value]

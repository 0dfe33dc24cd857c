"""The cases, by what they measure."""

from __future__ import annotations

from benchmarks.cases import commands, creation, filling, growth, importing, memory, metadata, network, space, starting

__all__ = ["CASES"]

CASES = (
    *creation.CASES,
    *growth.CASES,
    *importing.CASES,
    *starting.CASES,
    *metadata.CASES,
    *space.CASES,
    *commands.CASES,
    *filling.CASES,
    *network.CASES,
    *memory.CASES,
    *creation.AFTER_REMOVAL,
)

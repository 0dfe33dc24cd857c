"""Why a goal is not met, by the id of the row: found with a profiler. Said on the page while the row is not met."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REASONS"]

REASONS: Mapping[str, str] = {}

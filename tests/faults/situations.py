"""The commands that are tried, and what there is when they begin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.ground import FaultGround
from tests.machine import Machine
from tests.test_killing import SITUATIONS, fill

if TYPE_CHECKING:
    from tests.killing import Situation

__all__ = ["NAMES", "prepared"]

NAMES = SITUATIONS


@contextlib.contextmanager
def prepared(folder: Path) -> Iterator[tuple[FaultGround, Mapping[str, Situation]]]:
    """Make a machine in *folder*, and every situation."""
    with Machine.opened(folder / "machine") as machine:
        fill(machine)
        ground = FaultGround(machine)
        ground.open()
        try:
            first = ground.locked("first", ["alpha==1.0", "joint-a==1.0", "gone"])
            second = ground.locked("second", ["alpha==2.0", "joint-a==2.0", "new"])
            yield ground, dict(zip(SITUATIONS, ground.situations(first, second), strict=True))
        finally:
            ground.close()

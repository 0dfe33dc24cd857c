"""Several processes on one store, each doing this and that: nobody loses anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machine import Machine
from tests.stress import Stress, run


@pytest.mark.slow
def test_a_store_that_everybody_uses(tmp_path: Path) -> None:
    with Machine.opened(tmp_path / "machine") as machine:
        stress = Stress(machine, environments=3)
        run(stress, processes=4, seed=1, actions=5)
    assert stress.problems == []
    assert stress.done.total() == 20

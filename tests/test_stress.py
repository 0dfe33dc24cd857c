"""Several processes on one store, each doing this and that: nobody loses anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.container import NOBODY, can_be_made, open_folder
from tests.machine import Machine
from tests.stress import Stress, run


@pytest.mark.slow
def test_a_store_that_everybody_uses(tmp_path: Path) -> None:
    with Machine.opened(tmp_path / "machine") as machine:
        stress = Stress(machine, environments=3)
        run(stress, processes=4, seed=1, actions=5)
    assert stress.problems == []
    assert stress.done.total() == 20


@pytest.mark.slow
@pytest.mark.skipif(not can_be_made(), reason="containers need root")
def test_two_accounts_with_one_open_store() -> None:
    with open_folder() as folder, Machine.opened(folder / "machine") as machine:
        stress = Stress(machine, environments=2, accounts=2)
        run(stress, processes=2, seed=1, actions=3)
        noted = {path.stat().st_uid for path in (machine.store / "environments").glob("*.json")}
    assert stress.problems == []
    assert noted == {os.geteuid(), NOBODY}

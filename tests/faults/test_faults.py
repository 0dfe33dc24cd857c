"""Any call of a command that changes a file may fail: all is old or new then, and the command can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from tests.faults.below import FAULTS, missing
from tests.faults.ground import FaultGround, trials
from tests.faults.situations import NAMES, prepared

if TYPE_CHECKING:
    from tests.killing import Situation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]
EACH = [pytest.param(name, marks=pytest.mark.xdist_group(f"faults-{name}")) for name in NAMES]


@pytest.fixture(scope="module")
def prepared_ground(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[FaultGround, Mapping[str, Situation]]]:
    patch = pytest.MonkeyPatch()
    patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    with prepared(tmp_path_factory.mktemp("faults")) as found:
        yield found
    patch.undo()


@pytest.mark.parametrize("name", EACH)
def test_a_call_fails(prepared_ground: tuple[FaultGround, Mapping[str, Situation]], name: str) -> None:
    ground, situations = prepared_ground
    every = trials(ground.calls(situations[name]), list(FAULTS))
    for fault in FAULTS:
        trial = random.Random(f"{name} {fault}").choice([trial for trial in every if trial.name == fault])
        assert ground.fail_at(situations[name], trial) == []
    assert set(ground.tried) == set(FAULTS)  # none was missed


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", EACH)
def test_each_call_fails(prepared_ground: tuple[FaultGround, Mapping[str, Situation]], name: str) -> None:
    ground, situations = prepared_ground
    for trial in trials(ground.calls(situations[name]), list(FAULTS)):
        assert ground.fail_at(situations[name], trial) == []

"""Any call of a command that changes a file may fail: all is old or new then, and the command can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.below import FAULTS, missing
from tests.faults.disk import KINDS
from tests.faults.ground import trials
from tests.faults.power import Power
from tests.faults.situations import NAMES, Prepared, prepared

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]
EACH = [pytest.param(name, marks=pytest.mark.xdist_group(f"faults-{name}")) for name in NAMES]
# What an import writes is not flushed: torn bytecode is what `verify` is for (docs/store.md).
COMMANDS = [parameter for parameter in EACH if parameter.values != ("import",)]
SOME = 5  # of all faults, for each command in an ordinary run; other commands have others


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    patch = pytest.MonkeyPatch()
    patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    with prepared(tmp_path_factory.mktemp("faults")) as found:
        yield found
    patch.undo()


@pytest.mark.parametrize("name", EACH)
def test_a_call_fails(found: Prepared, name: str) -> None:
    situation = found.situations[name]
    every = trials(found.ground.calls(situation), list(FAULTS))
    first = NAMES.index(name) * SOME
    for fault in [list(FAULTS)[at % len(FAULTS)] for at in range(first, first + SOME)]:
        fitting = [trial for trial in every if trial.name == fault]  # none: a command that writes nothing
        for trial in random.Random(f"{name} {fault}").sample(fitting, min(1, len(fitting))):
            assert found.ground.fail_at(situation, trial) == []
    assert found.ground.tried.total() >= SOME - 1


@pytest.mark.parametrize("name", COMMANDS)
def test_the_power_fails(found: Prepared, name: str) -> None:
    power = Power(found.ground, found.situations[name])
    chance = random.Random(name)
    for kind in chance.sample(KINDS, 3):
        cut = chance.randrange(power.moments)
        assert power.fail(cut, kind, chance) == []


@pytest.mark.parametrize("name", EACH)
def test_what_can_be_seen_after_a_power_failure_is_whole(found: Prepared, name: str) -> None:
    power = Power(found.ground, found.situations[name])
    chance = random.Random(name)
    for cut in range(0, power.moments, -(-power.moments // 12)):
        for kind in chance.sample(KINDS, 2):
            assert power.damage(cut, kind, chance) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", EACH)
def test_each_call_fails(found: Prepared, name: str) -> None:
    for trial in trials(found.ground.calls(found.situations[name]), list(FAULTS)):
        assert found.ground.fail_at(found.situations[name], trial) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", COMMANDS)
def test_the_power_fails_at_each_moment(found: Prepared, name: str) -> None:
    power = Power(found.ground, found.situations[name])
    for cut in range(power.moments):
        for kind in KINDS:
            assert power.fail(cut, kind, random.Random(f"{cut} {kind}")) == []

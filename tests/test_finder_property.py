"""On random trees, with random changes along the way, every answer is the one that a plain environment gives.

Another number of examples, and other ones each time: ``FINDER_EXAMPLES=5000 FINDER_RANDOM=1 pytest …``.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from tests.finder.generate import import_steps, metadata_steps, scenarios
from tests.finder.known import EXAMPLES as KNOWN
from tests.finder.known import has_known_difference
from tests.finder.servers import Pair, naive_pair, pair
from tests.pythons import SUPPORTED, found_pythons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    from tests.finder.scenario import Scenario, Step

EXAMPLES = int(os.environ.get("FINDER_EXAMPLES", "250"))
PROFILE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    derandomize="FINDER_RANDOM" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)

PYTHONS = [
    pytest.param(
        version,
        marks=() if version in found_pythons() else pytest.mark.skip(f"no CPython {version} on this machine"),
    )
    for version in SUPPORTED
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: many small trees are built in it, one after the other."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, prefix="finder-") as name:
        yield Path(os.path.realpath(name))


@pytest.fixture(scope="module", params=PYTHONS)
def ours(request: pytest.FixtureRequest, folder: Path) -> Iterator[Pair]:
    python = found_pythons()[request.param]
    with closing(pair(python, folder / request.param)) as found:
        yield found


@pytest.fixture(scope="module", params=PYTHONS)
def naive(request: pytest.FixtureRequest, folder: Path) -> Iterator[Pair]:
    python = found_pythons()[request.param]
    with closing(naive_pair(python, folder / request.param)) as found:
        yield found


def test_every_answer_is_the_plain_one(ours: Pair) -> None:
    @PROFILE
    @given(scenario=scenarios().filter(lambda scenario: not has_known_difference(scenario)))
    def equal(scenario: Scenario) -> None:
        found = ours.differences(scenario)
        assert not found, "".join(f"\n{step}\n  plain: {plain}\n  ours:  {mine}" for step, plain, mine in found)

    equal()


@pytest.mark.parametrize("questions", [import_steps(), metadata_steps()], ids=["imports", "metadata"])
def test_a_naive_finder_fails(naive: Pair, questions: SearchStrategy[Step]) -> None:
    quick = settings(PROFILE, max_examples=200, phases=[Phase.generate])
    scenario = find(
        scenarios(questions=questions),
        lambda scenario: bool(naive.differences(scenario)),
        settings=quick,
    )
    assert naive.differences(scenario)


@pytest.mark.parametrize("name", KNOWN)
def test_known_difference(name: str, ours: Pair) -> None:
    scenario, expected = KNOWN[name]
    assert [step[0] for step, _, _ in ours.differences(scenario)] == expected

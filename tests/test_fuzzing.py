"""Whatever parses foreign bytes, given samples with a few changes: errors of our own, and nothing written outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.attempt import Bench
from tests.fuzzing.changes import KINDS, Change
from tests.fuzzing.targets import TARGETS

CHANGES = st.lists(
    st.builds(
        Change,
        kind=st.sampled_from(KINDS),
        at=st.integers(0, 999_999),
        number=st.integers(0, 65_535),
        other=st.integers(0, (1 << 64) - 1),
    ),
    max_size=4,
)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with Bench.opened(TARGETS[request.param], tmp_path) as bench:
        yield bench


@pytest.mark.parametrize("bench", TARGETS, indirect=True)
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(number=st.integers(0, 99), changes=CHANGES)
def test_changed_samples_are_read_or_refused(bench: Bench, number: int, changes: list[Change]) -> None:
    bench.attempt(bench.changed(number, changes))


@pytest.mark.parametrize("bench", TARGETS, indirect=True)
def test_some_sample_is_sound(bench: Bench) -> None:
    assert sum(bench.attempt(sample) for sample in bench.samples)

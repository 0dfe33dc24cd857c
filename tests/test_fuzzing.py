"""Whatever parses foreign bytes, given samples with a few changes: errors of our own, and nothing written outside."""

# ruff: noqa: E501 -- samples stand here as they are read

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


# What longer runs found, and what was found by reading; none of it may come back.
_PACKAGE = b'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\narchive = {url = "%s", hashes = {sha256 = "%s"}}\n'
FOUND = {
    "an archive whose address names no file": ("lockfile", _PACKAGE % (b"https://h.test", b"0" * 64)),
    "an archive whose address is none": ("lockfile", _PACKAGE % (b"http://[::1", b"0" * 64)),
    "an include that is no path": ("requirements", b"-r x\0y\n/a\0b\n"),
    "a list of what is dynamic that is none": ("pyproject", b'[project]\nname = "x"\ndynamic = 1\n'),
    "a hash of any length on RECORD's own line": ("wheel-record", b"foo-1.0.dist-info/RECORD,shake_128=AAAA,\n"),
    "a process beyond all numbers": ("pin", b'{"format": 1, "host": "x", "pid": 99999999999999999999, "started": null, "time": 1}\n'),
    "a time beyond all numbers": ("pin", b'{"format": 1, "host": "x", "pid": 1, "started": null, "time": %s}\n' % (b"9" * 400)),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), FOUND.values(), ids=FOUND)
def test_what_was_found_is_read_or_refused(name: str, data: bytes, tmp_path: Path) -> None:
    with Bench.opened(TARGETS[name], tmp_path) as bench:
        bench.attempt(data)

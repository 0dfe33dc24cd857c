"""Test suites of others pass and fail in a multisite environment as they do in a plain one, test for test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pythons import found_pythons
from tests.suites.running import Outcome, run
from tests.suites.suite import SUITES, Suite

CASES = [pytest.param(suite, version, id=f"{suite.name}-{version}") for suite in SUITES for version in suite.pythons]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suites")


@pytest.mark.index
@pytest.mark.exhaustive
@pytest.mark.xdist_group("suites")
@pytest.mark.parametrize(("suite", "version"), CASES)
def test_the_same_test_for_test(suite: Suite, version: str, shared: Path, tmp_path: Path) -> None:
    if version not in found_pythons():
        pytest.skip(f"no CPython {version} on this machine")
    outcome = run(suite, version, tmp_path, shared)
    different = outcome.differences()
    assert not different, "\n".join(different)
    assert len(outcome.plain) > 50


@pytest.mark.parametrize(
    ("locked", "expected"),
    [
        ({"a": "passed", "b": "failed"}, []),
        ({"a": "passed", "b": "passed"}, ["b: failed / passed"]),
        ({"a": "passed"}, ["b: failed / not run"]),
        ({"a": "passed", "b": "failed", "c": "passed"}, ["c: not run / passed"]),
    ],
)
def test_tests_that_do_not_end_alike_are_named(locked: dict[str, str], expected: list[str]) -> None:
    plain = {"a": "passed", "b": "failed"}
    assert Outcome(suite=SUITES[0], python="3.12", version="1", plain=plain, locked=locked).differences() == expected

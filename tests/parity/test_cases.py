"""Every case is equal in a plain environment and in multisite's, on each Python; and each notices a broken finder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.parity.header import Case, cases
from tests.parity.running import compare, noticed
from tests.pythons import SUPPORTED, found_pythons

if TYPE_CHECKING:
    from tests.parity.environments import Bench

_CASES, _ = cases()


def _every(case: Case) -> list[str]:
    return [version for version in SUPPORTED if case.python.contains(version)]


def _newest(case: Case) -> list[str]:
    return [version for version in found_pythons() if case.runs_on(version)][-1:]


def _marks(case: Case, *, quick: bool) -> list[pytest.MarkDecorator]:
    """Return the marks of one run of *case*: real distributions are tried once, and the rest with --exhaustive."""
    if case.cost == "offline":
        return []
    often = quick and case.cost == "index"
    return [pytest.mark.index, pytest.mark.slow, *([] if often else [pytest.mark.exhaustive])]


_RUNS = [
    pytest.param(case, version, id=f"{case.name}-{version}", marks=_marks(case, quick=[version] == _newest(case)))
    for case in _CASES
    for version in _every(case)
]
_PROOFS = [
    pytest.param(case, version, id=f"{case.name}-{version}", marks=_marks(case, quick=False))
    for case in _CASES
    for version in _newest(case)
]


@pytest.mark.parametrize(("case", "version"), _RUNS)
def test_case(case: Case, version: str, bench: Bench) -> None:
    if version not in found_pythons():
        pytest.skip(f"no CPython {version} on this machine")
    if version in case.without:
        pytest.skip(case.without[version])
    _skip_without(case)
    problems = compare(bench, case, version).problems
    assert not problems, "\n\n".join([case.says, *problems])


# One Python for each: what a broken finder does wrong does not depend on it, and the environments take their time.
@pytest.mark.parametrize(("case", "version"), _PROOFS)
def test_a_broken_finder_is_noticed(case: Case, version: str, bench: Bench) -> None:
    _skip_without(case)
    found = noticed(bench, case, version)
    if case.catches:
        assert set(case.catches) <= set(found)
    else:
        assert next(found, None), "none of the broken finders makes a difference"


def _skip_without(case: Case) -> None:
    if missing := case.missing():
        pytest.skip(f"no {', '.join(missing)} on this machine")

"""Every case is equal in a plain environment and in multisite's, on each Python; and each notices a broken finder."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.parity.environments import Bench
from tests.parity.header import Case, cases
from tests.parity.running import compare, noticed
from tests.pythons import SUPPORTED, found_pythons

_CASES, _ = cases()
_MARKS = {
    "offline": [],
    "index": [pytest.mark.index, pytest.mark.slow],
    "long": [pytest.mark.index, pytest.mark.slow, pytest.mark.exhaustive],
}


def _parameters(choose: Callable[[Case], list[str]]) -> list[object]:
    return [
        pytest.param(case, version, id=f"{case.name}-{version}", marks=_MARKS[case.cost])
        for case in _CASES
        for version in choose(case)
    ]


def _every(case: Case) -> list[str]:
    return [version for version in SUPPORTED if case.python.contains(version)]


def _newest(case: Case) -> list[str]:
    return [version for version in found_pythons() if case.runs_on(version)][-1:]


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Bench:
    """Return the folder of environments, which all processes of a run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "parity"
    folder.mkdir(exist_ok=True)
    return Bench(folder=folder.resolve())


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))


@pytest.mark.parametrize(("case", "version"), _parameters(_every))
def test_case(case: Case, version: str, bench: Bench) -> None:
    if version not in found_pythons():
        pytest.skip(f"no CPython {version} on this machine")
    if version in case.without:
        pytest.skip(case.without[version])
    problems = compare(bench, case, version).problems
    assert not problems, "\n\n".join([case.says, *problems])


# One Python for each: what a broken finder does wrong does not depend on it, and the environments take their time.
@pytest.mark.parametrize(("case", "version"), _parameters(_newest))
def test_a_broken_finder_is_noticed(case: Case, version: str, bench: Bench) -> None:
    sound = compare(bench, case, version)
    found = noticed(bench, case, version, sound)
    if case.catches:
        assert set(case.catches) <= set(found)
    else:
        assert next(found, None), "none of the broken finders makes a difference"

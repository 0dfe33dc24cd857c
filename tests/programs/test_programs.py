"""Real programs do in a multisite environment what they do in a plain one, made of the same wheels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.programs.comparing import compare
from tests.programs.program import programs
from tests.pythons import found_pythons

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

PROGRAMS = programs()


def _cases() -> list[ParameterSet]:
    cases: list[ParameterSet] = []
    for name, program in PROGRAMS.items():
        for version in program.pythons:
            marks = [] if version == program.quick else [pytest.mark.exhaustive]
            cases.append(pytest.param(name, version, marks=marks, id=f"{name}-{version}"))
    return cases


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.xdist_group("programs")
@pytest.mark.parametrize(("name", "version"), _cases())
def test_the_same_exit_codes_and_output(name: str, version: str, shared: Path, tmp_path: Path) -> None:
    if version not in found_pythons():
        pytest.skip(f"no CPython {version} on this machine")
    missing = PROGRAMS[name].missing()
    if missing:
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    result = compare(name, PROGRAMS[name], version, folder=tmp_path, shared=shared)
    assert result.difference() == []
    assert len(result.plain.seen) > 10


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_may_differ_has_a_reason(name: str) -> None:
    program = PROGRAMS[name]
    assert all(rule.reason for rule in program.varying)
    assert all(known.reason for known in program.known)
    assert not program.quick or program.quick in program.pythons

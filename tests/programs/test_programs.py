"""Real programs do in a multisite environment what they do in a plain one, made of the same wheels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.parity.environments import Environment
from tests.programs.comparing import Result, compare
from tests.programs.program import Known, programs
from tests.programs.side import Side
from tests.programs.table import put_rows, row, rows
from tests.pythons import found_pythons
from tests.suites.suite import SUITES

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
    different = result.difference()
    assert not different, "\n".join(different)
    assert len(result.plain.seen) > 10


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_may_differ_has_a_reason(name: str) -> None:
    program = PROGRAMS[name]
    assert all(rule.reason for rule in program.varying)
    assert all(known.reason for known in program.known)
    assert not program.quick or program.quick in program.pythons


def result(plain: list[str], locked: list[str], **options: Any) -> Result:
    environment = Environment(
        kind="plain", version="3.12", venv=Path("/r/v"), store=Path("s"), wheels=Path("w"), index=False, installer="pip"
    )
    sides = [Side(environment=environment, wheels=Path("w"), seen=seen, codes=[0]) for seen in (plain, locked)]
    options = {"known": (), "store_changes": (), **options}
    return Result(name="p", python="3.12", versions={}, distributions=0, plain=sides[0], locked=sides[1], **options)


KNOWN = (Known(pattern="x.*", reason="because"),)


@pytest.mark.parametrize(
    ("plain", "locked", "options", "expected"),
    [
        (["a"], ["a"], {}, []),
        (["a"], ["b"], {}, ["--- plain", "+++ locked", "@@ -1 +1 @@", "-a", "+b"]),
        (["a"], ["a", "x1"], {"known": KNOWN}, []),
        (["a"], ["b", "x1"], {"known": KNOWN}, ["--- plain", "+++ locked", "@@ -1 +1,2 @@", "-a", "+b", "+x1"]),
        (["a"], ["a"], {"known": KNOWN}, ["known, but not seen: x.*"]),
        (["a"], ["a"], {"store_changes": ("store: new: f",)}, ["store: new: f"]),
    ],
)
def test_what_differs_is_said(
    plain: list[str], locked: list[str], options: dict[str, Any], expected: list[str]
) -> None:
    assert result(plain, locked, **options).difference() == expected


def test_exit_codes_are_compared() -> None:
    different = result(["a"], ["a"])
    different.locked.codes.append(1)
    assert different.difference() == ["exit codes: [0] [0, 1]"]


def test_rows_are_put_in_and_others_stay(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    head = "a\n<!-- t -->\n| h | h |\n|-|-|\n"
    end = "| b | 3.12 | x |\n<!-- end of t -->\nz\n"
    page.write_text(f"{head}| b | 3.8 | old |\n{end}")
    put_rows(page, "t", [row("b", "3.8", "new"), row("a", "3.12", "y|z")])
    assert page.read_text() == f"{head}| a | 3.12 | y\\|z |\n| b | 3.8 | new |\n{end}"


def test_names_are_put_for_places_and_colours_are_left_out() -> None:
    side = result([], []).plain
    lines = f"\x1b[31m{side.environment.site}/a {side.environment.venv}/b {side.folder}/c"
    assert side.normal(lines) == "<site>/a <venv>/b <run>/c"


def test_every_run_stands_in_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "programs.md"
    assert rows(page, "programs") == {(name, version) for name in PROGRAMS for version in PROGRAMS[name].pythons}
    assert rows(page, "suites") == {(suite.name, version) for suite in SUITES for version in suite.pythons}


def test_names_are_unlike() -> None:
    # Each has a folder of its name, and both kinds are made in one place.
    assert {suite.name for suite in SUITES}.isdisjoint(PROGRAMS)

"""The table of checks: its ids, what the command exits with, and its twin in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from multisite.doctor import CHECKS, changed_programs, damaged_builds, exit_code
from multisite.names import BuildId
from multisite.report import Finding

DOCUMENTATION = Path(__file__).parent.parent / "docs" / "doctor.md"
BY_ID = {check.id: check for check in CHECKS}


def finding(check: str, subject: str | None = None) -> Finding:
    return Finding(check=check, severity=BY_ID[check].severity, message="something", subject=subject)


def test_ids_are_unique_and_plain() -> None:
    assert len(BY_ID) == len(CHECKS)
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", check.id) for check in CHECKS)


def test_the_documentation_has_the_same_table() -> None:
    rows = [f"| `{check.id}` | {check.severity.value} | {check.meaning} | {check.mended_by} |" for check in CHECKS]
    documented = [line for line in DOCUMENTATION.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert documented == rows


def test_the_documentation_names_what_keeps_it_from_checking() -> None:
    named = ", ".join(f"`{check.id}`" for check in CHECKS if check.blinds)
    assert f"({named})" in DOCUMENTATION.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([], 0),
        (["data-changed", "shadowed-by-stdlib"], 0),
        (["shadowed-by-real"], 1),
        (["entry-missing", "data-changed"], 1),
        (["store-unusable"], 3),
        (["entry-missing", "state-damaged"], 3),
    ],
)
def test_exit_code(checks: list[str], expected: int) -> None:
    assert exit_code([finding(check) for check in checks]) == expected


def test_what_is_to_be_made_again() -> None:
    findings = [
        finding("entry-damaged", "a/1/py3-none-any-0123456789abcdef"),
        finding("entry-missing", "b/1/py3-none-any-0123456789abcdef"),
        finding("shared-damaged", "c/1/py3-none-any-0123456789abcdef"),
        finding("script-changed", "bin/c"),
        finding("script-missing", "bin/d"),
    ]
    assert damaged_builds(findings) == {
        BuildId.parse("a/1/py3-none-any-0123456789abcdef"),
        BuildId.parse("c/1/py3-none-any-0123456789abcdef"),
    }
    assert changed_programs(findings) == ("bin/c",)

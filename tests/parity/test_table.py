"""docs/parity.md is what the cases say, and no row is without a test."""

from __future__ import annotations

from pathlib import Path

from tests.parity.header import cases
from tests.parity.rows import ELSEWHERE, ROWS
from tests.parity.table import DOCUMENT, page

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == page(text), "write it anew: python -m tests.parity --table"


def test_no_row_is_without_a_test() -> None:
    good, _ = cases()
    looked_at = {row for case in good for row in case.rows} | ELSEWHERE.keys()
    assert sorted(ROWS.keys() - looked_at) == []


def test_the_other_tests_are_there() -> None:
    paths = {path for named in ELSEWHERE.values() for path in named}
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []

"""docs/commands.md is what the parser says, and nothing in the parser is without help."""

from __future__ import annotations

import re

import pytest

from multisite import cli
from multisite.arguments import EXIT_CODES, VARIABLES
from multisite.commands import COMMANDS
from tests.command_page import DOCUMENT, commands, page


def test_the_page_is_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == page(text), "write it anew: python -m tests.command_page"


def test_every_command_can_be_typed() -> None:
    assert commands().keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", commands())
def test_every_option_has_help(name: str) -> None:
    assert [action.dest for action in commands()[name]._actions if not action.help] == []


def test_every_exit_code_is_there() -> None:
    said = re.findall(r"\b\d+\b", cli.run.__doc__ or "")
    assert sorted(map(int, said)) == sorted(EXIT_CODES)


def test_every_variable_of_ours_is_there() -> None:
    package = DOCUMENT.parents[1] / "multisite"
    used = {
        name for path in package.rglob("*.py") for name in re.findall(r"\bMULTISITE_[A-Z_]+\b", path.read_text("utf-8"))
    }
    assert used == {name for name in VARIABLES if name.startswith("MULTISITE_")}

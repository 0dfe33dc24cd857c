"""docs/commands.md: commands, options, exit codes and variables: ``python -m tests.command_page`` writes it anew."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from multisite.arguments import EXIT_CODES, VARIABLES, parser

__all__ = ["DOCUMENT", "commands", "page"]

DOCUMENT = Path(__file__).parents[1] / "docs" / "commands.md"
COMMON = "common options"
_MARK = "<!-- python -m tests.command_page -->"


def page(text: str) -> str:
    """Return the document *text* with what is made from the parser in it made anew."""
    by_hand, mark, _ = text.partition(_MARK)
    assert mark
    return "\n".join([f"{by_hand}{mark}", "", *_sections()])


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return each command's parser, in the order of the help."""
    (choices,) = [action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(choices)


def _sections() -> Iterator[str]:
    every = commands()
    for name, command in every.items():
        yield from (f"## `multisite {name}`", "", *_description(command), "")
        yield from ("```", _usage(name, command), "```", "")
        for group in command._action_groups:
            if group.title != COMMON:
                yield from _table(group)
    yield from ("## Options of every command", "")
    yield from _table(next(group for group in every["lock"]._action_groups if group.title == COMMON))
    yield from ("## Exit codes", "", "| code | meaning |", "|---|---|")
    yield from (f"| {code} | {_cell(meaning)} |" for code, meaning in EXIT_CODES.items())
    yield from ("", "## Variables", "", "| variable | meaning |", "|---|---|")
    yield from (f"| `{name}` | {_cell(meaning)} |" for name, meaning in VARIABLES.items())
    yield ""


def _description(command: argparse.ArgumentParser) -> list[str]:
    return _coded(command.description or "").splitlines()


def _usage(name: str, command: argparse.ArgumentParser) -> str:
    words = [action for action in command._actions if not action.option_strings]
    return " ".join([f"multisite {name} [OPTION…]", *map(_word, words)])


def _word(action: argparse.Action) -> str:
    return {"*": f"[{action.metavar}…]", "?": f"[{action.metavar}]", "+": f"{action.metavar}…"}[str(action.nargs)]


def _table(group: argparse._ArgumentGroup) -> list[str]:
    shown = [action for action in group._group_actions if action.dest != "help"]
    if not shown:
        return []
    title = group.title if group.title not in {"options", "positional arguments", COMMON} else "option"
    head = "argument" if group.title == "positional arguments" else title
    return [f"| {head} | |", "|---|---|", *map(_row, shown), ""]


def _row(action: argparse.Action) -> str:
    value = _value(action)
    names = [f"`{name}{value}`" for name in action.option_strings] or [f"`{action.metavar}`"]
    help_ = action.help or ""
    if isinstance(action, argparse._AppendAction) and "given again" not in help_:
        help_ += "; may be given again"
    return f"| {', '.join(names)} | {_cell(help_)} |"


def _value(action: argparse.Action) -> str:
    if action.nargs == 0 or not action.option_strings:
        return ""
    return " " + (str(action.metavar or "") or "\\|".join(map(str, action.choices or ())))


def _cell(text: str) -> str:
    return _coded(" ".join(text.split())).replace("|", "\\|")


def _coded(text: str) -> str:
    """Return *text* with options and variables of ours as code."""
    return re.sub(r"(?<![\w`-])(--[a-z-]+[a-z]|MULTISITE_[A-Z_]+)", r"`\1`", text)


def main(words: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser("python -m tests.command_page", description=__doc__).parse_args(words)
    DOCUMENT.write_text(page(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

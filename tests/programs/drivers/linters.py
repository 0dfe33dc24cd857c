"""black and ruff: console scripts, one of them with compiled modules, the other a binary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

SOURCE = """\
import json, attrs
from yaml import safe_load

def   answer( x:int )->str :
    unused = 1
    return x + attrs.asdict(json.loads( "1" ))
"""


def drive(side: Side) -> None:
    side.write({"app.py": SOURCE, "pkg/__init__.py": "", "pkg/a.py": "from . import b\n", "pkg/b.py": "x: int = ''\n"})
    for program in ("black", "ruff"):
        side.run(program, "--version")
    side.run("black", "--diff", "--check", "app.py")
    side.run("black", "pkg")
    side.run("ruff", "check", "--select", "ALL", "--no-cache", ".")
    side.run("ruff", "format", "--diff", ".")
    side.run("python", "-m", "ruff", "--version")
    side.note("left", side.tree(".", content=False))


PROGRAM = Program(
    does="format and lint a small project by console script and by `python -m`",
    requirements=("black", "ruff", "attrs", "pyyaml"),
    drive=drive,
    pythons=("3.12",),
    quick="3.12",
    varying=(
        Rule(
            pattern=r"20\d\d-\d\d-\d\d \d\d:\d\d:[\d.+:]+", replacement="TIME", reason="black's diff has times of files"
        ),
        Rule(pattern=r"(\.ruff_cache/[\d.]+)/\d+", replacement=r"\1/KEY", reason="ruff names its cache by the folder"),
    ),
)

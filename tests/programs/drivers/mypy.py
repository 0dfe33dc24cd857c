"""mypy: a console script that reads the files of what is installed instead of importing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

SOURCE = """\
import json, attrs
from yaml import safe_load

def answer(x: int) -> str:
    return x + attrs.asdict(json.loads("1"))
"""


def drive(side: Side) -> None:
    side.write({"app.py": SOURCE, "pkg/__init__.py": "", "pkg/a.py": "from . import b\n", "pkg/b.py": "x: int = ''\n"})
    side.run("mypy", "--version")
    side.run("mypy", "--strict", "app.py", "pkg")
    side.run("python", "-m", "mypy", "--strict", "-c", "import attrs; reveal_type(attrs.asdict)")


PROGRAM = Program(
    does="check a small project that imports annotated distributions and stubs, after `multisite view --mypy`",
    requirements=("mypy", "attrs", "pyyaml", "types-pyyaml"),
    drive=drive,
    prepared=("view --mypy",),
)

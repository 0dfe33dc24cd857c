"""Run programs by hand: see the package's own words."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.programs import __doc__ as words
from tests.programs import comparing
from tests.programs.program import Program, programs
from tests.programs.series import Comparison, Verdict, run


def _comparison(name: str, program: Program) -> Comparison:
    def compare(version: str, folder: Path, shared: Path) -> Verdict:
        result = comparing.compare(name, program, version, folder=folder, shared=shared)
        codes = f"exit codes {' '.join(map(str, result.plain.codes))}"
        return Verdict(words=codes, differences=result.difference(), row=result.row(program.does))

    return Comparison(name=name, pythons=program.pythons, compare=compare, missing=program.missing)


if __name__ == "__main__":
    sys.exit(run("programs", words, [_comparison(*each) for each in programs().items()], sys.argv[1:]))

"""Run suites by hand: see the package's own words."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.programs import series
from tests.programs.series import Comparison, Verdict
from tests.suites import __doc__ as words
from tests.suites.running import run
from tests.suites.suite import SUITES, Suite


def _comparison(suite: Suite) -> Comparison:
    def compare(version: str, folder: Path, shared: Path) -> Verdict:
        outcome = run(suite, version, folder, shared)
        return Verdict(words=outcome.counts, differences=outcome.differences(), row=outcome.row())

    return Comparison(name=suite.name, pythons=suite.pythons, compare=compare)


if __name__ == "__main__":
    sys.exit(series.run("suites", words, [_comparison(suite) for suite in SUITES], sys.argv[1:]))

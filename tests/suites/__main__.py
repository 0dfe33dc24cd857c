"""Run suites by hand: see the package's own words."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tests.programs.table import put_rows, row
from tests.pythons import found_pythons
from tests.suites import __doc__ as words
from tests.suites.running import run
from tests.suites.suite import SUITES

if TYPE_CHECKING:
    from tests.suites.running import Outcome

SHARED = Path.home() / ".cache" / "multisite-programs"


def main() -> int:
    options = _options()
    rows = []
    failed = []
    for suite in SUITES:
        for version in options.python or suite.pythons:
            if (options.names and suite.name not in options.names) or version not in found_pythons():
                continue
            folder = options.folder / f"suite-{suite.name}-{version}"
            shutil.rmtree(folder, ignore_errors=True)
            start = time.monotonic()
            try:
                outcome = run(suite, version, folder, options.folder)
            except Exception:  # noqa: BLE001 a suite that does not run must not keep the others from running
                traceback.print_exc()
                failed.append(f"{suite.name} {version}")
                continue
            differences = outcome.differences()
            print(f"{suite.name} {version}: {outcome.counts}; {len(differences)} different", end=" ")
            print(f"({time.monotonic() - start:.0f} s)", *differences, sep="\n  ", flush=True)
            failed += [f"{suite.name} {version}"] if differences else []
            rows.append(_row(outcome, differences))
            if not options.keep:
                shutil.rmtree(folder)
    if options.write:
        put_rows(options.write, "suites", rows)
    print(f"different: {', '.join(failed)}" if failed else "test for test the same")
    return bool(failed)


def _row(outcome: Outcome, differences: list[str]) -> str:
    same = "; ".join(differences) or "the same, test for test"
    suite = outcome.suite
    return row(suite.name, outcome.python, f"`{suite.runs}`", outcome.version, outcome.counts, same)


def _options() -> argparse.Namespace:
    names = ", ".join(suite.name for suite in SUITES)
    parser = argparse.ArgumentParser(
        "python -m tests.suites", description=words, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {names}")
    parser.add_argument("--python", action="append", metavar="VERSION", help="instead of the suite's own choice")
    parser.add_argument("--folder", type=Path, default=SHARED, help=f"store and environments (default: {SHARED})")
    parser.add_argument("--keep", action="store_true", help="leave the environments there, with the output")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the rows of the results into its table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

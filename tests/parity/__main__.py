"""Run cases by hand: ``python -m tests.parity [CASE…]``; CASE is a case's name, a part of it, a file, or a row."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.parity.environments import Bench, EnvironmentNotMade
from tests.parity.header import BROKEN, Case, HeaderError, cases
from tests.parity.running import compare
from tests.parity.table import DOCUMENT, page
from tests.pythons import found_pythons


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a name or part of one, a file, or a row's number")
    parser.add_argument(
        "--python", action="append", metavar="VERSION", help="such as 3.12 (default: all that are here)"
    )
    parser.add_argument(
        "--cost", action="append", choices=["offline", "index", "long"], help="only cases that cost this"
    )
    parser.add_argument("--broken", choices=BROKEN, help="compare with this broken finder instead of multisite's")
    parser.add_argument("--keep", action="store_true", help="keep environments and probes, and say where they are")
    parser.add_argument("--folder", type=Path, help="where environments are made; those there are used again")
    parser.add_argument("--output", action="store_true", help="show what the plain environment says as well")
    parser.add_argument(
        "--table",
        action="store_true",
        help="write docs/parity.md anew from the headers, and run none; --python (and --cost): what was run",
    )
    parser.add_argument("--list", action="store_true", help="list the cases and run none")
    return parser.parse_args()


def _chosen(words: list[str], costs: list[str] | None) -> list[Case]:
    files = [Case.from_path(Path(word).resolve()) for word in words if Path(word).is_file()]
    good, bad = cases()
    for error in bad:
        print(error, file=sys.stderr)
    words = [word for word in words if not Path(word).is_file()]

    def fits(case: Case, word: str) -> bool:
        return int(word) in case.rows if word.isdigit() else word in case.name

    named = [case for case in good if any(fits(case, word) for word in words)] if words or files else good
    return [case for case in [*files, *named] if not costs or case.cost in costs]


def _run(chosen: list[Case], options: argparse.Namespace, bench: Bench) -> int:
    failures = 0
    for case in chosen:
        for version in options.python or found_pythons():
            if not case.runs_on(version):
                continue
            if missing := case.missing():
                print(f"{case.name} {version}: skipped, no {', '.join(missing)} on this machine")
                continue
            try:
                done = compare(bench, case, version, kind=options.broken or "multisite", keep=options.keep)
            except EnvironmentNotMade as error:
                print(f"{case.name} {version}: no environment: {error}")
                failures += 1
                continue
            problems = done.problems
            failures += bool(problems)
            print(f"{case.name} {version}: {'differs' if problems else case.state}", flush=True)
            for text in [*problems, *(["\n".join(done.plain.lines)] if options.output else [])]:
                print(*(f"    {line}" for line in text.splitlines()), sep="\n")
    return failures


def _versions(options: argparse.Namespace) -> dict[str, list[str]]:
    """Return the Pythons that cases of some cost, or all, were run on."""
    costs = options.cost or ["offline", "index"]
    return dict.fromkeys(costs, options.python) if options.python else {}


def main() -> int:
    options = _arguments()
    if options.table:
        DOCUMENT.write_text(page(DOCUMENT.read_text(encoding="utf-8"), _versions(options)), encoding="utf-8")
        return 0
    try:
        chosen = _chosen(options.cases, options.cost)
    except HeaderError as error:
        print(error, file=sys.stderr)
        return 2
    if options.list:
        for case in chosen:
            rows = ", ".join(map(str, case.rows))
            print(f"{case.name:45} {case.state:7} {case.cost:8} rows {rows:8} {case.says}")
        return 0
    folder = options.folder or Path(tempfile.mkdtemp(prefix="parity-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return 1 if _run(chosen, options, Bench(folder=folder.resolve())) else 0
    finally:
        if not options.keep and not options.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())

"""Run programs by hand: see the package's own words."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
import traceback
from pathlib import Path

from tests.programs import __doc__ as words
from tests.programs.comparing import Result, compare
from tests.programs.program import Program, programs
from tests.programs.table import put_rows
from tests.pythons import found_pythons

SHARED = Path.home() / ".cache" / "multisite-programs"


def main() -> int:
    known = programs()
    options = _options(sorted(known))
    results: list[Result] = []
    failed = []
    for name in options.names or known:
        for version in options.python or known[name].pythons:
            if version not in found_pythons():
                print(f"{name} {version}: no such Python here")
                continue
            if missing := known[name].missing():
                print(f"{name} {version}: not on this machine: {', '.join(missing)}")
                continue
            try:
                result = _one(name, known[name], version, options)
            except Exception:  # noqa: BLE001 a program that does not run must not keep the others from running
                traceback.print_exc()
                failed.append(f"{name} {version}")
                continue
            results.append(result)
            if result.difference():
                failed.append(f"{name} {version}")
    if options.write:
        put_rows(options.write, "programs", [result.row(known[result.name].does) for result in results])
    print(f"{len(results)} compared" + (f"; different: {', '.join(failed)}" if failed else ", all equal or known"))
    return bool(failed)


def _one(name: str, program: Program, version: str, options: argparse.Namespace) -> Result:
    folder = options.folder / f"{name}-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.monotonic()
    result = compare(name, program, version, folder=folder, shared=options.folder)
    difference = result.difference()
    word = "DIFFERENT" if difference else "equal"
    print(f"{name} {version}: {word}, {time.monotonic() - start:.0f} s, exit codes {result.plain.codes}", flush=True)
    print("\n".join(line[:300] for line in difference[:60]), end="\n" if difference else "")
    if not options.keep:
        shutil.rmtree(folder)
    return result


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.programs", description=words, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(names)}")
    parser.add_argument("--python", action="append", metavar="VERSION", help="instead of the program's own choice")
    parser.add_argument("--folder", type=Path, default=SHARED, help=f"wheels, store, environments (default: {SHARED})")
    parser.add_argument("--keep", action="store_true", help="leave the environments there, with what was seen")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the rows of the results into its table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Comparisons that are run by hand, one after the other: what each came to is told, and written into a page."""

from __future__ import annotations

import argparse
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.programs.table import put_rows
from tests.pythons import found_pythons

__all__ = ["Comparison", "Verdict", "run"]

SHARED = Path.home() / ".cache" / "multisite-programs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one comparison came to: in a few words, what differs and should not, and a row for the documentation."""

    words: str
    differences: Sequence[str]
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared: ``compare`` takes a Python's version, a new folder, and a folder that all comparisons share."""

    name: str
    pythons: tuple[str, ...]
    compare: Callable[[str, Path, Path], Verdict]
    missing: Callable[[], Sequence[str]] = tuple


def run(section: str, words: str | None, comparisons: Sequence[Comparison], arguments: Sequence[str]) -> int:
    """Run those of *comparisons* that *arguments* name; return 1 if one differs, and 3 if nothing could be compared."""
    options = _options(section, words, [each.name for each in comparisons], arguments)
    compared, failed = 0, []
    start = time.monotonic()
    for comparison, version in _chosen(comparisons, options):
        label = f"{comparison.name} {version}"
        try:
            verdict = _one(comparison, version, options)
        except Exception:  # noqa: BLE001 one that does not run must not keep the others from running
            traceback.print_exc()
            failed.append(label)
            continue
        compared += 1
        failed += [label] if verdict.differences else []
        if options.write:
            put_rows(options.write, section, [verdict.row])
    different = f"different: {', '.join(failed)}" if failed else "all equal or known"
    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    print(f"{compared} compared in {time.monotonic() - start:.0f} s; {different} (load at the end: {load})")
    return 1 if failed else 0 if compared else 3


def _chosen(comparisons: Sequence[Comparison], options: argparse.Namespace) -> Iterator[tuple[Comparison, str]]:
    for comparison in comparisons:
        if options.names and comparison.name not in options.names:
            continue
        missing = comparison.missing()
        for version in options.python or comparison.pythons:
            if version not in found_pythons():
                print(f"{comparison.name} {version}: no such Python here")
            elif missing:
                print(f"{comparison.name} {version}: not on this machine: {', '.join(missing)}")
            else:
                yield comparison, version


def _one(comparison: Comparison, version: str, options: argparse.Namespace) -> Verdict:
    folder = options.folder / f"{comparison.name}-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.monotonic()
    verdict = comparison.compare(version, folder, options.folder)
    word = "DIFFERENT" if verdict.differences else "equal"
    print(f"{comparison.name} {version}: {word}, {verdict.words}, {time.monotonic() - start:.0f} s", flush=True)
    for line in verdict.differences[:60]:
        print(f"  {line[:300]}", flush=True)
    if not options.keep:
        shutil.rmtree(folder)
    return verdict


def _options(section: str, words: str | None, names: Sequence[str], arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        f"python -m tests.{section}", description=words, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(names)}")
    parser.add_argument("--python", action="append", metavar="VERSION", help="instead of the comparison's own choice")
    parser.add_argument("--folder", type=Path, default=SHARED, help=f"wheels, store, environments (default: {SHARED})")
    parser.add_argument("--keep", action="store_true", help="leave the environments there, with what was seen")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the rows of the results into its table")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in names]:
        parser.error(f"no such NAME: {', '.join(unknown)}")
    return options

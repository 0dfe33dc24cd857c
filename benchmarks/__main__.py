"""``python -m benchmarks``: measure multisite beside uv, pip, virtualenv and a plain environment."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import signal
import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cases import CASES
from benchmarks.environments import Environments
from benchmarks.inputs import Inputs
from benchmarks.machine import facts, load
from benchmarks.rendering import rendered
from benchmarks.results import Results, row
from benchmarks.serving import serving
from benchmarks.workbench import Workbench, removed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.case import Case

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
RESULTS = ROOT / "benchmarks" / "results.json"
BUSY = 0.3  # load for each processor from which times are not to be trusted
PATIENCE = 300  # seconds to wait for a quiet machine


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write the results down, and the page if that is wanted."""
    options = _parser().parse_args(arguments)
    if options.list:
        for case in CASES:
            print(f"{case.id:34} {case.title}; beside: {case.peer}")
        return
    chosen = [case for case in CASES if any(fnmatch(case.id, pattern) for pattern in options.rows)]
    if not chosen:
        sys.exit("no row has such a name; python -m benchmarks --list names them")
    if options.json is None:
        # The page is of one whole run; others leave it alone.
        whole = options.only_render or (len(chosen) == len(CASES) and not options.quick)
        options.json = RESULTS if whole else options.inputs / "results.json"
    if not options.only_render:
        measured(chosen, options)
    if options.render or options.only_render:
        rewritten(options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", nargs="+", metavar="ID", default=["*"], help="only these; * and ? stand for any")
    parser.add_argument("--list", action="store_true", help="name the rows, and measure nothing")
    parser.add_argument("--quick", action="store_true", help="few pairs, for a first idea")
    parser.add_argument("--json", type=_absolute, metavar="FILE", help="where results are written")
    parser.add_argument("--render", action="store_true", help="afterwards write docs/performance.md and its plots")
    parser.add_argument("--only-render", action="store_true", help="write them from FILE, and measure nothing")
    parser.add_argument("--python", type=_absolute, default=_interpreter(), help="the interpreter of the environments")
    parser.add_argument("--folder", type=_absolute, help="where a folder is made to work in, and removed again")
    parser.add_argument("--inputs", type=_absolute, default=_inputs(), help="where wheels are kept for the next run")
    parser.add_argument("--anyway", action="store_true", help="do not wait for a quiet machine")
    return parser


def _absolute(text: str) -> Path:
    return Path(text).absolute()


def _interpreter() -> Path:
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _inputs() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("multisite-benchmarks")


def measured(cases: Sequence[Case], options: argparse.Namespace) -> None:
    """Measure the cases one after the other; what is known is written down after each."""
    options.inputs.mkdir(parents=True, exist_ok=True)
    above = (options.folder or options.inputs).resolve()
    target = options.json.resolve()
    busy = not (options.anyway or _quiet()) or load() > BUSY * _processors()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # so that the folder is removed
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=above))
    os.chdir(folder)
    begun, clock = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"), time.monotonic()
    known: dict[str, Any] = {"begun": begun, "quick": options.quick, "load": load(), "busy": busy}
    rows: list[dict[str, Any]] = []
    try:
        bench = Workbench(folder, options.inputs.resolve(), options.python, quick=options.quick)
        (options.inputs / "wheels").mkdir(exist_ok=True)
        with serving(options.inputs.resolve() / "wheels") as address:
            environments = Environments(bench, Inputs(bench, address))
            print(f"installing multisite and its peers into {folder}", flush=True)
            known["machine"] = facts(bench)
            for number, case in enumerate(cases, 1):
                print(f"{_now()} {number:2}/{len(cases)} {case.id}: ", end="", flush=True)
                bench.make_room()
                rows.append(_row(case, environments))
                print(_told(rows[-1]), flush=True)
                Results(**known, rows=rows, seconds=round(time.monotonic() - clock, 1)).write(target)
    finally:
        os.chdir(above)
        removed(folder)
    print(f"{_now()} done in {(time.monotonic() - clock) / 60:.1f} minutes; results: {target}")


def _row(case: Case, environments: Environments) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        outcome = case.measure(environments)
    except Exception as error:  # noqa: BLE001  (one row that fails must not lose the others; the table says so)
        # Where this machine keeps things is nobody's business.
        told = f"{type(error).__name__}: {error}".replace(str(environments.bench.folder), "FOLDER")
        return row(case, None, error=told.replace(str(Path.home()), "~"), seconds=time.monotonic() - begun)
    return row(case, outcome, seconds=time.monotonic() - begun)


def _told(document: dict[str, Any]) -> str:
    if document["error"] is not None:
        return f"FAILED: {document['error']}"
    verdict = {True: "met", False: "NOT MET", None: "-"}[document["met"]]
    ours, other = document["ours"]["median"], document["other"]["median"]
    return (
        f"{ours:.4g} : {other:.4g} {document['unit']}, ratio {document['ratio']['median']:.4g}, {verdict} "
        f"({document['seconds']} s)"
    )


def _quiet() -> bool:
    """Wait until nothing else runs; return whether that came to pass."""
    end = time.monotonic() + PATIENCE
    while load() > BUSY * _processors():
        if time.monotonic() > end:
            print("THE MACHINE IS BUSY: times are not to be trusted, and the results will say so", file=sys.stderr)
            return False
        print(f"{_now()} load {load():.2f}: waiting for a quiet machine", flush=True)
        time.sleep(10)
    return True


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _now() -> str:
    return dt.datetime.now().astimezone().strftime("%H:%M:%S")


def rewritten(path: Path) -> None:
    """Write the page and its plots anew from results."""
    from benchmarks.plots import plotted

    results = Results.read(path)
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    plotted(results, PLOTS)
    if path.resolve() != RESULTS:
        shutil.copyfile(path, RESULTS)


if __name__ == "__main__":
    main()

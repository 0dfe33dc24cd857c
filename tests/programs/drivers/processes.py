"""Processes that are started anew: multiprocessing, pools, `python -m`, scripts through `runpy`, a zip application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

POOLS = """\
import concurrent.futures, multiprocessing, os, sys


def work(number):
    import numpy, requests
    return number, int(numpy.arange(number).sum()), requests.__file__, sys.path[1:]


if __name__ == "__main__":
    for method in ("spawn", "fork", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(work, range(4)))
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            print(method, list(pool.map(work, range(3))))
    import joblib
    print(joblib.Parallel(n_jobs=2)(joblib.delayed(work)(number) for number in range(3)))
"""
ZIP = """\
import requests, sys
print(__file__.rpartition("/")[2], requests.__file__, sys.flags.isolated)
"""


def drive(side: Side) -> None:
    side.write({"pools.py": POOLS, "zipped/__main__.py": ZIP})
    side.run("python", "pools.py")
    side.run("python", "-m", "zipapp", "zipped", "-p", "/usr/bin/env python3")
    side.run("python", "zipped.pyz")
    side.run(side.work / "zipped.pyz", quiet=True)
    side.run("python", "-I", "zipped.pyz")
    side.run("python", "-m", "certifi")
    side.run("python", "-m", "requests.help", quiet=True)
    side.run("python", "-m", "timeit", "-n1", "-r1", "import requests", quiet=True)
    side.run("python", "-m", "pdb", "-c", "continue", "-c", "quit", "zipped/__main__.py")
    side.run("python", "-m", "cProfile", "-s", "name", "zipped/__main__.py", quiet=True)
    side.run("python", "-m", "pydoc", "requests.api")
    side.run("python", "-m", "site")
    side.run("python", "-m", "venv", "--without-pip", "--system-site-packages", "inner")
    side.run(side.work / "inner" / "bin" / "python", "-c", "import sys; print(sys.prefix)")
    side.run("python", "-X", "importtime", "-c", "import requests", quiet=True)
    side.run("python", "-W", "error", "-X", "dev", "-c", "import requests, numpy, joblib")
    side.run("python", "-bb", "-c", "import requests, numpy, joblib")


PROGRAM = Program(
    does="pools of processes by spawn, fork and forkserver, joblib, a zip application, `pdb`, `cProfile`,"
    " `pydoc`, `site`, an environment made on top, warnings as errors",
    requirements=("requests", "numpy", "joblib"),
    drive=drive,
    pythons=("3.8", "3.13"),
    varying=(Rule(pattern=r"process \d+|\d+\.\d+ seconds", replacement="VARIES", reason="the run's own"),),
)

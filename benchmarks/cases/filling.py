"""Filling the store with one wheel at hand, without bytecode."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.case import Case
from benchmarks.figures import Outcome, Sample, alternated
from benchmarks.inputs import ALONE

if TYPE_CHECKING:
    from benchmarks.environments import Environments

__all__ = ["CASES"]

PAIRS = 6
FILLED = """
import sys, time
from pathlib import Path
from multisite.store import Artifact, Store
wheel, store = Path(sys.argv[1]), Store.open(Path(sys.argv[2]))
begun = time.perf_counter()
store.add_wheel(wheel, artifact=Artifact.of(wheel))
print(time.perf_counter() - begun)
"""
UNZIPPED = """
import sys, time, zipfile
begun = time.perf_counter()
with zipfile.ZipFile(sys.argv[1]) as archive:
    archive.extractall(sys.argv[2])
print(time.perf_counter() - begun)
"""


def beside_unzipping(environments: Environments, *, name: str) -> Outcome:
    """Compare a wheel's way into an empty store, hashed and flushed, with the standard library's unzipping."""
    bench = environments.bench
    wheel, folder = str(environments.inputs.wheel(name)), bench.folder / "filled"

    def into(code: str) -> Sample:
        bench.set_aside(folder)
        return bench.told([bench.tool("python"), "-c", code, wheel, str(folder)])

    ours, peer = alternated(lambda: into(FILLED), lambda: into(UNZIPPED), bench.pairs(PAIRS))
    bench.set_aside(folder)
    return Outcome(ours=ours, peer=peer)


def beside_uv(environments: Environments, *, name: str) -> Outcome:
    """Compare whole commands that fill an empty store, or cache, and make an environment of one distribution."""
    bench = environments.bench
    wheel, folder = environments.inputs.wheel(name), bench.folder / "filled"
    lockfile = environments.inputs.lock_of(wheel)
    variables = {name: str(folder / name) for name in ("MULTISITE_CACHE", "UV_CACHE_DIR")}
    venv = folder / "venv"

    def ours() -> Sample:
        bench.set_aside(folder)
        folder.mkdir()
        command = [
            *environments.sync(lockfile, venv, folder / "store"),
            "--python",
            str(bench.python),
            *bench.without_bytecode,
        ]
        return bench.timed(command, environ=variables)

    def peer() -> Sample:
        bench.set_aside(folder)
        folder.mkdir()
        made = bench.timed(environments.uv_venv(venv), environ=variables)
        return made + bench.timed(environments.uv_install(lockfile, venv, "hardlink"), environ=variables)

    samples = alternated(ours, peer, bench.pairs(PAIRS))
    bench.set_aside(folder)
    return Outcome(ours=samples[0], peer=samples[1])


def of(name: str) -> tuple[Case, Case]:
    """Return the cases of one distribution."""
    return (
        Case(
            id=f"filling-{name}",
            goal="filling",
            title=f"{name} into an empty store",
            peer="unzipped by the standard library",
            measure=partial(beside_unzipping, name=name),
            limit=1.5,
        ),
        Case(
            id=f"filling-{name}-uv",
            goal="filling",
            title=f"{name} into an empty store and a new environment",
            peer="uv, hard links, empty cache",
            measure=partial(beside_uv, name=name),
        ),
    )


CASES = tuple(case for name in ALONE for case in of(name))

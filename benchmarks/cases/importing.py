"""Imports of twelve large ones: the first in an environment, the first of all, and warm."""

from __future__ import annotations

from functools import partial

from benchmarks.calls import counted
from benchmarks.case import Case
from benchmarks.environments import Environments, imported
from benchmarks.figures import Outcome, Sample, alternated

__all__ = ["CASES"]


def first(environments: Environments, name: str, *, uv: bool) -> Sample:
    """Return what the first import takes in an environment that was made for it."""
    lockfile = environments.inputs.large()
    if uv:
        environments.uv(lockfile, name, "hardlink")
    else:
        environments.ours(lockfile, name)
    return environments.bench.timed(imported([environments.python(environments.path(name))]))


def first_beside_warm(environments: Environments) -> Outcome:
    """Compare our first import with the plain environment's warm one."""
    bench = environments.bench
    ours, peer = alternated(
        lambda: first(environments, "first", uv=False),
        lambda: bench.timed(imported([environments.plain])),
        bench.pairs(5),
    )
    bench.set_aside(environments.path("first"))
    return Outcome(ours=ours, peer=peer)


def first_beside_first(environments: Environments) -> Outcome:
    """Compare our first import with the first one in an environment that uv made."""
    ours, peer = alternated(
        lambda: first(environments, "first", uv=False),
        lambda: first(environments, "first-uv", uv=True),
        environments.bench.pairs(2),
        warm_up=0,
    )
    environments.bench.set_aside(environments.path("first"), environments.path("first-uv"))
    return Outcome(ours=ours, peer=peer)


def cold(environments: Environments, *, options: tuple[str, ...] = (), pairs: int = 2) -> Outcome:
    """Compare what passes from nothing to the end of the first import; files come from a server on this machine."""
    bench = environments.bench
    lockfile = environments.inputs.large()
    folder = bench.folder / "cold"
    variables = {name: str(folder / name) for name in ("MULTISITE_CACHE", "UV_CACHE_DIR")}
    venv = folder / "venv"
    importing = imported([environments.python(venv)])
    ours_facts: list[Sample] = []
    peer_facts: list[Sample] = []

    def ours() -> Sample:
        bench.set_aside(folder)
        folder.mkdir()
        command = [*environments.sync(lockfile, venv, folder / "store"), "--python", str(bench.python), *options]
        ours_facts.append(bench.timed(command, environ=variables))
        return ours_facts[-1] + bench.timed(importing, environ=variables)

    def peer() -> Sample:
        bench.set_aside(folder)
        folder.mkdir()
        made = bench.timed(environments.uv_venv(venv), environ=variables)
        peer_facts.append(made + bench.timed(environments.uv_install(lockfile, venv, "hardlink"), environ=variables))
        return peer_facts[-1] + bench.timed(importing, environ=variables)

    samples = alternated(ours, peer, bench.pairs(pairs), warm_up=0)
    bench.set_aside(folder)
    facts = {
        "of it before the import, multisite": ours_facts[-1].value,
        "of it before the import, uv": peer_facts[-1].value,
    }
    return Outcome(ours=samples[0], peer=samples[1], facts=facts)


def warm(environments: Environments) -> Outcome:
    """Compare imports whose bytecode is there."""
    bench = environments.bench
    ours_command, peer_command = imported([environments.multisite]), imported([environments.plain])
    samples = alternated(lambda: bench.timed(ours_command), lambda: bench.timed(peer_command), bench.pairs(6))
    return Outcome(ours=samples[0], peer=samples[1])


def calls(environments: Environments) -> Outcome:
    """Count the calls for each module that comes from site-packages or the store."""
    bench = environments.bench
    ours = counted(bench, imported([environments.multisite]))
    peer = counted(bench, imported([environments.plain]))
    facts: dict[str, float | str] = {"modules": ours.modules, "modules, plain": peer.modules}
    facts |= dict(ours.calls.most_common())
    facts |= {f"{name}, plain": count for name, count in peer.calls.most_common()}
    return Outcome(
        ours=[Sample(value=ours.per_module)], peer=[Sample(value=peer.per_module)], unit="calls", facts=facts
    )


CASES = (
    Case(
        id="first-import",
        goal="first-import",
        title="first import in a new environment",
        peer="plain environment, warm",
        measure=first_beside_warm,
        limit=1.0,
    ),
    Case(
        id="first-import-uv",
        goal="first-import",
        title="first import in a new environment",
        peer="first import in an environment of uv's",
        measure=first_beside_first,
    ),
    Case(
        id="cold",
        goal="cold",
        title="nothing cached, to the end of the first import",
        peer="uv, hard links, and the first import there",
        measure=cold,
        limit=1.0,
    ),
    Case(
        id="cold-compile-all",
        goal="cold",
        title="the same with `--compile all`",
        peer="uv, hard links, and the first import there",
        measure=partial(cold, options=("--compile", "all"), pairs=1),
    ),
    Case(
        id="warm-import",
        goal="warm-import",
        title="import of twelve, warm",
        peer="plain environment",
        measure=warm,
        limit=1.0,
    ),
    Case(
        id="file-calls",
        goal="file-calls",
        title="calls for each module during that import",
        peer="plain environment",
        measure=calls,
        limit=1.3,
        judged="ours",
    ),
)

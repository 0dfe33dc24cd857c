"""New environments from a lockfile, everything already in cache or store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.case import Case
from benchmarks.figures import Outcome, alternated
from benchmarks.workbench import removed

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.environments import Environments, Link
    from benchmarks.figures import Sample

__all__ = ["AFTER_REMOVAL", "CASES"]

PAIRS: dict[Link, int] = {"hardlink": 7, "symlink": 2, "copy": 2}


def beside_uv(environments: Environments, *, link: Link, jupyterlab: bool = True) -> Outcome:
    """Compare whole commands: one of ours, two of uv's."""
    inputs = environments.inputs
    lockfile = inputs.large() if jupyterlab else inputs.without_jupyterlab()
    environments.once(f"warm {lockfile.name}", lambda: _warmed(environments, lockfile))
    ours, peer = alternated(
        lambda: environments.ours(lockfile, "new"),
        lambda: environments.uv(lockfile, "new-uv", link),
        environments.bench.pairs(PAIRS[link]),
        warm_up=0,
    )
    files = sum(1 for path in environments.path("new").rglob("*") if not path.is_dir())
    count = lockfile.read_text(encoding="utf-8").count("[[packages]]")
    environments.bench.set_aside(environments.path("new"), environments.path("new-uv"))
    return Outcome(ours=ours, peer=peer, facts={"distributions": count, "files in our environment": files})


def after_removal(environments: Environments, *, jupyterlab: bool) -> Outcome:
    """Compare the same where the former environment has just been removed, of which both sides pay the consequences."""
    inputs = environments.inputs
    lockfile = inputs.large() if jupyterlab else inputs.without_jupyterlab()
    environments.once(f"warm {lockfile.name}", lambda: _warmed(environments, lockfile))

    def ours() -> Sample:
        removed(environments.path("new"))
        return environments.ours(lockfile, "new")

    def peer() -> Sample:
        removed(environments.path("new-uv"))
        return environments.uv(lockfile, "new-uv", "hardlink")

    samples = alternated(ours, peer, environments.bench.pairs(PAIRS["hardlink"]))
    return Outcome(ours=samples[0], peer=samples[1])


def _warmed(environments: Environments, lockfile: Path) -> None:
    """Fill store and cache, which all ways of uv share."""
    environments.ours(lockfile, "new")
    environments.uv(lockfile, "new-uv", "hardlink")


def beside_pip(environments: Environments) -> Outcome:
    """Compare with virtualenv and pip, from the wheels; without warm-up, for they keep nothing that would help."""
    lockfile = environments.inputs.large()
    environments.ours(lockfile, "new")
    ours, peer = alternated(
        lambda: environments.ours(lockfile, "new"),
        lambda: environments.pip(environments.inputs.large_wheels(), "new-pip"),
        1,
        warm_up=0,
    )
    environments.bench.set_aside(environments.path("new"), environments.path("new-pip"))
    return Outcome(ours=ours, peer=peer)


CASES = (
    Case(
        id="new-environment-hardlink",
        goal="new-environment",
        title="new environment",
        peer="uv, hard links",
        measure=partial(beside_uv, link="hardlink"),
        limit=1 / 40,
    ),
    Case(
        id="new-environment-without-jupyterlab",
        goal="new-environment",
        title="the same without jupyterlab",
        peer="uv, hard links",
        measure=partial(beside_uv, link="hardlink", jupyterlab=False),
        limit=1 / 60,
    ),
    Case(
        id="new-environment-symlink",
        goal="new-environment",
        title="new environment",
        peer="uv, symbolic links",
        measure=partial(beside_uv, link="symlink"),
    ),
    Case(
        id="new-environment-copy",
        goal="new-environment",
        title="new environment",
        peer="uv, copies",
        measure=partial(beside_uv, link="copy"),
    ),
    Case(
        id="new-environment-pip",
        goal="new-environment",
        title="new environment",
        peer="virtualenv and pip, from wheels",
        measure=beside_pip,
    ),
)

# The last of all, for whatever makes files in the minutes after a removal pays for it.
AFTER_REMOVAL = (
    Case(
        id="new-environment-after-removal",
        goal="new-environment",
        title="new environment where one was just removed",
        peer="uv, hard links",
        measure=partial(after_removal, jupyterlab=True),
    ),
    Case(
        id="new-environment-without-jupyterlab-after-removal",
        goal="new-environment",
        title="the same without jupyterlab",
        peer="uv, hard links",
        measure=partial(after_removal, jupyterlab=False),
    ),
)

"""A plain environment and one of multisite's, of one interpreter, with the same distributions from an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from tests.parity.environments import Environment

__all__ = ["Pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both environments, and the packages of the lockfile that they were made of."""

    plain: Environment
    locked: Environment
    packages: Sequence[dict[str, Any]]

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the distributions, by name."""
        return {package["name"]: package["version"] for package in self.packages}

    @classmethod
    def make(cls, requirements: Sequence[str], version: str, *, folder: Path, shared: Path) -> Pair:
        """Make both in *folder*; the store is in *shared*."""
        locked, plain = (_environment(kind, version, folder / kind, shared) for kind in ("multisite", "plain"))
        lockfile = locked.venv / "pylock.toml"
        for environment in (locked, plain):
            environment.make(requirements, lockfile, system_site=False)
        packages = tomli.loads(lockfile.read_text(encoding="utf-8")).get("packages", [])
        return cls(plain=plain, locked=locked, packages=packages)


def _environment(kind: str, version: str, place: Path, shared: Path) -> Environment:
    nothing = shared / "nothing"
    nothing.mkdir(parents=True, exist_ok=True)
    store = shared / "store" if kind == "multisite" else place / "nowhere"
    return Environment(
        kind=kind, version=version, venv=place / "venv", store=store, wheels=nothing, index=True, installer="pip"
    )

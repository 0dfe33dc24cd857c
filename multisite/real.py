"""What is really installed in an environment, by whatever tool, beside what is locked."""

from __future__ import annotations

import os
from importlib.metadata import Distribution
from typing import TYPE_CHECKING

from multisite._runtime.installed import is_whole
from multisite.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.utils import NormalizedName

    from multisite.environment import Environment

__all__ = ["real_files", "really_installed"]

_METADATA = (".dist-info", ".egg-info", ".egg-link")


def really_installed(site_packages: Path) -> set[NormalizedName]:
    """Return the names of the distributions that are installed in a folder."""
    return {
        normalize(path.stem if path.suffix == ".egg-link" else path.stem.partition("-")[0])
        for path in _metadata(site_packages)
    }


def real_files(environment: Environment) -> Iterator[str]:
    """Yield the files outside of site-packages that are somebody else's: those that the real distributions list.

    Paths are relative to the environment, with ``/``.
    """
    for path in _metadata(environment.site_packages):
        for file in (Distribution.at(path).files or ()) if path.is_dir() else ():
            if file.parts[:1] == (os.pardir,):
                whole = os.path.normpath(environment.site_packages / file)
                yield os.path.relpath(whole, environment.path).replace(os.sep, "/")


def _metadata(site_packages: Path) -> list[Path]:
    infos = [path for path in site_packages.iterdir() if path.name.endswith(_METADATA)]
    return [path for path in infos if is_whole(str(path))]  # type: ignore[no-untyped-call]

"""Where things are that no option names: the store, the cache, the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["default_cache", "default_environment", "default_store", "system_stores"]


def default_store(environ: Mapping[str, str]) -> Path:
    """Return the folder of the store that is written to: the first of MULTISITE_STORE, else in the user's data folder.

    Not the cache folder, which people delete.
    """
    from multisite.layers import listed

    named = listed(environ.get("MULTISITE_STORE", ""))
    if named and named[0] is not None:
        return named[0]
    from platformdirs import user_data_path

    return user_data_path("multisite", appauthor=False)


def system_stores() -> tuple[Path, ...]:
    """Return the folders in which a store is for all accounts of the machine; most have none."""
    from platformdirs import site_data_dir

    found = site_data_dir("multisite", appauthor=False, multipath=True)
    return tuple(dict.fromkeys(Path(os.path.normpath(item)) for item in found.split(os.pathsep) if item))


def default_cache(environ: Mapping[str, str]) -> Path:
    """Return the folder of the cache: MULTISITE_CACHE, else in the user's cache folder."""
    if named := environ.get("MULTISITE_CACHE"):
        return Path(os.path.normpath(Path(named).absolute()))
    from platformdirs import user_cache_path

    return user_cache_path("multisite", appauthor=False)


def default_environment(environ: Mapping[str, str]) -> Path:
    """Return the folder of the environment: the active one, else ``.venv`` in the current folder.

    Raises NotAnEnvironment where the active one is gone.
    """
    from multisite.errors import NotAnEnvironment

    active = environ.get("VIRTUAL_ENV")
    if active and not os.path.lexists(active):
        reason = "VIRTUAL_ENV names it as the active environment, and there is no such folder"
        raise NotAnEnvironment(active, reason, hint="unset VIRTUAL_ENV, or name an environment: --venv DIR")
    return Path(active or ".venv")

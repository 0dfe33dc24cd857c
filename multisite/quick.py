"""Commands that can be answered without most of what is here: their imports take longer than the answer.

Nothing is imported at the top that an interpreter has not loaded at its start.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # the import of typing takes longer than the answer
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["cache_folder", "unchanged"]

_QUIET = frozenset({"-q", "--quiet"})


def unchanged(arguments: Sequence[str]) -> tuple[str, ...] | None:
    """Return what the command with these *arguments* has to say where it would find nothing to do; None elsewhere."""
    from multisite import settled

    cache = cache_folder(os.environ)
    if cache is None:
        return None
    said = settled.answer(cache, _environment(arguments), arguments, os.environ, time.time())
    return () if said is not None and not _QUIET.isdisjoint(arguments) else said


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """Return the folder of the cache as ``workshop.default_cache`` does; None where that takes a library to tell."""
    if named := environ.get("MULTISITE_CACHE"):
        return os.path.abspath(named)  # noqa: PTH100 -- see the top
    home = environ.get("HOME", "")
    folder = environ.get("XDG_CACHE_HOME", "").strip() or (f"{home}/.cache" if home else "")
    return f"{folder}/multisite" if sys.platform == "linux" and os.path.isabs(folder) else None  # noqa: PTH117


def _environment(arguments: Sequence[str]) -> str:
    """Return the folder of the environment. Who reads the words wrongly finds another one there, or none."""
    found = os.environ.get("VIRTUAL_ENV") or ".venv"
    for at, word in enumerate(arguments):
        if word == "--venv" and at + 1 < len(arguments):
            found = arguments[at + 1]
        elif word.startswith("--venv="):
            found = word[len("--venv=") :]
    return os.path.normpath(os.path.join(os.getcwd(), found))  # noqa: PTH109, PTH118 -- see the top

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
    from typing import Any

__all__ = ["answered", "cache_folder"]

# What of the options a new environment may be made with here, and whether a value follows.
_KNOWN = {
    **dict.fromkeys(("--venv", "--python", "--store", "--compile"), True),
    **dict.fromkeys(("--offline", "-q", "--quiet"), False),
}
_QUIET = frozenset({"-q", "--quiet"})


def answered(arguments: Sequence[str]) -> tuple[str, ...] | None:
    """Carry out a command with these *arguments* that has nothing to do, or has to make an environment by a blueprint.

    Return what it has to say; None for any other, which has not been touched.
    """
    from multisite import settled

    cache = cache_folder(os.environ)
    if cache is None:
        return None
    try:
        folder = _environment(arguments)
    except FileNotFoundError:  # the current folder is gone, which the ordinary way says
        return None
    own = settled.program()
    said = settled.answer(cache, folder, arguments, os.environ, time.time(), own)
    if said is None and not os.path.lexists(folder):
        said = _made(arguments, folder, cache, own)
    return () if said is not None and not _QUIET.isdisjoint(arguments) else said


def _made(arguments: Sequence[str], folder: str, cache: str, own: tuple[Any, ...]) -> tuple[str, ...] | None:
    """Make the environment *folder* if that is all that the command is about."""
    options = _options(arguments)
    store = None if options is None else _store(options.get("--store"))
    if options is None or store is None:
        return None
    if os.environ.get("VIRTUAL_ENV") and "--venv" not in options:
        return None  # the active one is gone, which is to be said
    if (options.get("--compile") or os.environ.get("MULTISITE_COMPILE") or "none") != "none":
        return None
    from multisite.ending import Terminable, Terminated
    from multisite.raising import raised

    try:
        with Terminable():
            return raised(
                arguments,
                lockfile=os.path.abspath(options[""]),  # noqa: PTH100
                folder=folder,
                python=options.get("--python"),
                store=store,
                cache=cache,
                environ=os.environ,
                own=own,
            )
    except Terminated:
        from multisite.streams import tell

        tell("terminated\n")
        raise


def _options(arguments: Sequence[str]) -> dict[str, str] | None:
    """Return the options of a ``sync``, the lockfile without a name; None for any that are not known here.

    Without one, a new environment is made of the current folder's.
    """
    found: dict[str, str] = {}
    words = list(reversed(arguments[1:])) if arguments[0] == "sync" else ["--"]
    while words:
        word, separator, value = words.pop().partition("=")
        if not word.startswith("-"):
            word, separator, value = "", "=", f"{word}{separator}{value}"
        elif word not in _KNOWN or bool(separator) > _KNOWN[word] or (word == "--store" and word in found):
            return None
        elif _KNOWN[word] and not separator:
            if not words:
                return None
            value = words.pop()
        if not word and word in found:
            return None
        found[word] = value
    return {"": "pylock.toml", **found}


def _store(named: str | None) -> str | None:
    """Return the folder of the store as ``defaults.default_store`` does; None where that takes a library to tell."""
    listed = os.environ.get("MULTISITE_STORE", "")
    home = os.environ.get("HOME", "")
    data = os.environ.get("XDG_DATA_HOME", "").strip() or (f"{home}/.local/share" if home else "")
    if named is None and listed:
        named = listed if os.pathsep not in listed else None
    elif named is None:
        named = f"{data}/multisite" if sys.platform == "linux" and os.path.isabs(data) else None  # noqa: PTH117
    return None if named is None else os.path.abspath(named)  # noqa: PTH100


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """Return the folder of the cache as ``defaults.default_cache`` does; None where that takes a library to tell."""
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

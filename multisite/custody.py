"""Whether this account may collect the garbage of a store: it is its own, and everybody who uses it can say so."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from multisite.errors import GarbageRefused
from multisite.notes import owner

__all__ = ["demand_custody", "silent_readers"]

_OPEN = stat.S_ISVTX | stat.S_IWOTH


def demand_custody(root: Path, *, force: bool = False) -> None:
    """Refuse to collect the garbage of a store that is another account's, read-only, or silently read by others.

    With *force* readers who cannot register do not count. Raises GarbageRefused, OSError.
    """
    if os.name == "nt":  # file modes and owners say nothing there
        return
    if root.stat().st_uid != os.geteuid():
        name = owner(root)
        raise GarbageRefused(root, f"it is {name}'s, and so is its garbage", hint=f"run it as {name}")
    if not os.access(root, os.W_OK | os.X_OK):
        raise GarbageRefused(root, "it may not be written to", hint="run it where the store can be written to")
    if not force and (reason := silent_readers(root)):
        command = shlex.quote(str(root))
        hint = (
            f"if nobody else uses it: chmod 700 {command}, or for once: multisite gc --force; "
            f"if others do: multisite share --store {command}, and have them sync"
        )
        raise GarbageRefused(root, reason, hint=hint)


def silent_readers(root: Path) -> str | None:
    """Return why others may use the store without its knowing, None where they cannot, or can register."""
    if os.name == "nt":
        return None
    try:
        registering = (root / "environments").stat().st_mode
    except FileNotFoundError:
        registering = 0
    real = Path(os.path.realpath(root))
    if registering & _OPEN == _OPEN or not all(_lets_others_in(folder) for folder in (real, *real.parents)):
        return None
    return "other accounts can read it, and cannot register the environments that use it"


def _lets_others_in(folder: Path) -> bool:
    facts = folder.stat()
    return bool(facts.st_mode & stat.S_IXOTH) or (bool(facts.st_mode & stat.S_IXGRP) and _has_others(facts))


def _has_others(facts: os.stat_result) -> bool:
    """Tell whether the group of a folder has members besides its owner."""
    import grp
    import pwd

    try:
        members = set(grp.getgrgid(facts.st_gid).gr_mem)
        return bool(members - {pwd.getpwuid(facts.st_uid).pw_name})
    except KeyError:
        return True  # nobody knows

"""Earlier lockfiles of an environment, kept with their builds: what a running process may still import from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from multisite.files import write_atomic
from multisite.state import HistoryItem

if TYPE_CHECKING:
    from pathlib import Path

    from multisite.environment import Environment
    from multisite.state import EnvironmentState

__all__ = ["copy_of", "keep", "kept_copy", "prune", "remembered", "restoring"]

# Enough for switching between branches; garbage collection looks at their age as well.
_KEPT = 20


def remembered(before: EnvironmentState, lock_sha256: str, table: str | None) -> tuple[HistoryItem, ...]:
    """Return the history of an environment once its lockfile is the one with *lock_sha256*, the newest item first.

    *before* is its state until now, *table* the key of the table that is in force until now, where that is known.
    """
    kept = [item for item in before.history if item.lock_sha256 not in (lock_sha256, before.lock_sha256)]
    if before.lock_sha256 != lock_sha256 and table is not None:
        kept.insert(0, _item(before, table))
    return tuple(kept[:_KEPT])


def _item(before: EnvironmentState, table: str) -> HistoryItem:
    return HistoryItem(
        lock_sha256=before.lock_sha256,
        table=table,
        file=_file(before.lock_sha256),
        time=int(time.time()),
        builds={name: chosen.build for name, chosen in before.builds.items()},
        shared=tuple(sorted({chosen.shared for chosen in before.builds.values() if chosen.shared})),
    )


def _file(lock_sha256: str) -> str:
    return f"history/{lock_sha256}.toml.gz"


def keep(environment: Environment, lock_sha256: str, data: bytes) -> bool:
    """Keep a compressed copy of the lockfile with the bytes *data*; return whether it was not there yet."""
    import gzip

    if kept_copy(environment.state_folder, lock_sha256) is not None:
        return False
    path = environment.state_folder / _file(lock_sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, gzip.compress(data, mtime=0), sync=True)
    return True


def copy_of(environment: Environment, lock_sha256: str) -> Path:
    """Return where the copy of a lockfile is kept."""
    return environment.state_folder / _file(lock_sha256)


def kept_copy(state_folder: Path, lock_sha256: str) -> bytes | None:
    """Return the bytes of a lockfile that was kept, None where there is no copy, or one that is damaged."""
    import gzip
    import hashlib
    import zlib

    try:
        data = gzip.decompress((state_folder / _file(lock_sha256)).read_bytes())
    except (FileNotFoundError, EOFError, zlib.error, gzip.BadGzipFile):
        return None
    return data if hashlib.sha256(data).hexdigest() == lock_sha256 else None


def restoring(state_folder: Path, lock_sha256: str, target: Path) -> str | None:
    """Return the command that writes a lockfile that was kept to *target*; None where there is no copy."""
    import shlex

    if kept_copy(state_folder, lock_sha256) is None:
        return None
    return f"gzip -dc {shlex.quote(str(state_folder / _file(lock_sha256)))} > {shlex.quote(str(target))}"


def prune(environment: Environment, state: EnvironmentState) -> None:
    """Remove the copies of lockfiles that *state* no longer remembers."""
    wanted = {item.file for item in state.history} | {_file(state.lock_sha256)}
    for path in (environment.state_folder / "history").glob("*.toml.gz"):
        if f"history/{path.name}" not in wanted:
            path.unlink(missing_ok=True)

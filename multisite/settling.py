"""What a sync has looked at is written down once it is done, so that the next can tell that nothing has changed.

Not written down is what cannot be told by looking at single files: projects that are imported from their folders,
sources that are built, private copies, views; and nothing where something is still to be said.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite import settled
from multisite.bootstrap import Bootstrap
from multisite.cache import Cache
from multisite.edits import FOLDER as EDITS
from multisite.history import copy_of
from multisite.registry import RENEWED_AFTER, registered
from multisite.settled import FOLDER, INPUT, PLACE, THROUGH, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from multisite.environment import Environment
    from multisite.state import EnvironmentState

__all__ = ["looked_at", "settle", "ways"]

_COMMANDS = 8


def settle(
    environment: Environment,
    state: EnvironmentState,
    *,
    arguments: Sequence[str],
    said: Sequence[str],
    unchanged: str,
    inputs: Mapping[Path, str | None],
    programs: Sequence[Path] = (),
    environ: Mapping[str, str],
    cache: Path,
) -> None:
    """Write down in the *cache* that the command with these *arguments* has nothing to do in *environment*.

    The caller holds the environment. *said* is what it says then, *unchanged* the line of it that a plain ``sync`` says
    as well. *inputs* are the files that it has read beside those of the environment: each with the SHA-256 that its
    content had, None where there is none. Of *programs* only size and time count.
    """
    circumstances = settled.circumstances(environ)
    renewed = _renewed(state)
    if circumstances is None or renewed is None or not _can_be_told(environment, state):
        return
    looks = looked_at(environment, state)
    number = settled.print_of(looks)
    kinds = (*((path, INPUT) for path in inputs), *((path, THROUGH) for path in programs))
    own = _grouped((str(path.parent), kind, path.name) for path, kind in kinds)
    own_number = settled.print_of(own)
    if number is None:
        return
    # After the looks: what is changed in between is another than what was looked at.
    read = {**inputs, environment.lockfile_of(state): state.lock_sha256}
    if any(_digest(path) != digest for path, digest in read.items()):
        return  # somebody changes them at this moment
    same: dict[str, Any] = {
        "folder": str(environment.path),
        "circumstances": circumstances,
        "looked_at": looks,
        "print": number,
        "since": renewed,
        "holds": RENEWED_AFTER,
    }
    name = settled.name_for(str(environment.path))
    before = settled.read(str(cache / settled.KIND / name)) or {}
    known = before["commands"] if all(before.get(key) == value for key, value in same.items()) else {}
    commands = {**known, settled.command_key(arguments, environ): (tuple(said), own, own_number)}
    commands = dict(list(commands.items())[-_COMMANDS:])
    commands["sync"] = ((f"syncing {environment.lockfile_of(state)}", unchanged), (), settled.print_of(()))
    if commands == known:
        return
    Cache(cache).remember(settled.KIND, name, settled.encode({**same, "commands": commands}))


def _can_be_told(environment: Environment, state: EnvironmentState) -> bool:
    built = any(chosen.artifact is None for chosen in state.builds.values())
    folders = (
        environment.state_folder / "view",
        environment.state_folder / EDITS,
        environment.state_folder / "next.json",
    )
    return not (built or state.project or state.editables or state.edits or any(map(os.path.lexists, folders)))


def _renewed(state: EnvironmentState) -> int | None:
    """Return when the environment was last seen by its first store, None where that does not know it."""
    known = registered(Path(state.store), state.id)
    return None if known is None else known.seen


def looked_at(environment: Environment, state: EnvironmentState) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    """Return what a sync has looked at: folder, what of its paths is compared, and their names in there."""
    return _grouped(_looked_at(environment, state))


def _looked_at(environment: Environment, state: EnvironmentState) -> Iterator[tuple[str, int, str]]:
    """Yield what is to be as it is now: folder, what of it is compared, and the name in there."""
    folder, own = str(environment.path), str(environment.state_folder)
    yield folder, PLACE, "."
    python = environment.python.relative_to(environment.path).as_posix()
    yield from ((folder, WHOLE, "pyvenv.cfg"), (folder, WHOLE, python), (folder, THROUGH, python))
    yield "/", THROUGH, state.python.executable
    yield folder, WHOLE, environment.site_packages.relative_to(environment.path).as_posix()  # what is really installed
    yield from ((own, WHOLE, name) for name in ("environment.json", "table", "next.json", EDITS, "view", "facts"))
    direct = (name for name, chosen in state.builds.items() if chosen.direct_url is not None)
    yield from ((own, WHOLE, f"facts/{name}.direct_url.json") for name in direct)
    yield folder, INPUT, os.path.relpath(environment.lockfile_of(state), environment.path)
    yield folder, WHOLE, environment.lockfile.name  # one that is not followed is taken out
    yield own, WHOLE, copy_of(environment, state.lock_sha256).relative_to(environment.state_folder).as_posix()
    bootstrap = Bootstrap(prefix=environment.path, site_packages=environment.site_packages)
    yield from ((folder, WHOLE, path.relative_to(environment.path).as_posix()) for path in bootstrap.present())
    yield from ((folder, WHOLE, path) for path in state.files)
    for at, store in enumerate(map(Path, state.stores)):
        yield from ((str(store), PLACE, "."), (os.path.realpath(store.parent), PLACE, "."))
        yield from ((str(store), WHOLE, name) for name in ("store.json", f"environments/{state.id}.json"))
        # Who imports what is missing is told to type the command that is asked here.
        roots = (chosen.root for chosen in state.builds.values() if chosen.store == at)
        yield from ((str(store), FOLDER, path) for path in sorted(ways(roots)))


def ways(roots: Iterable[str]) -> set[str]:
    """Return every folder of a store on the way to those that imports look in."""
    parts = [root.split("/") for root in roots]
    return {"/".join(each[:count]) for each in parts for count in range(1, len(each) + 1)}


def _grouped(paths: Iterable[tuple[str, int, str]]) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    found: dict[tuple[str, int], list[str]] = {}
    for folder, kind, name in paths:
        found.setdefault((folder, kind), []).append(name)
    return tuple((folder, kind, tuple(names)) for (folder, kind), names in found.items())


def _digest(path: Path) -> str | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None  # what is read of a pipe is gone
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None

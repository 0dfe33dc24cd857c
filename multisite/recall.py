"""What an environment is known to be: by environment.json, by a sync that did not end, by the table where that is left.

A sync first writes the state that it leads to, ``.multisite/next.json``, and makes it environment.json at its end. So
whoever comes after one that died knows whose the files are that are there, whether they are the old ones or the new.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import flush_folder, free_path, left_over, write_atomic
from multisite.names import BuildId, normalize
from multisite.state import ChosenBuild, EnvironmentState, PythonRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from multisite.dispatch import DispatchTable
    from multisite.environment import Environment
    from multisite.state import OwnedFile

__all__ = ["Recalled", "announce", "clean_up", "conclude", "make_room", "read_binding", "recall"]

_NOBODY = PythonRecord(key="", executable="", size=0, mtime_ns=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A state. ``whole`` is False where environment.json is damaged, and this is what the table still knows of it."""

    state: EnvironmentState
    whole: bool = True


def recall(environment: Environment) -> Recalled | None:
    """Return what is known of *environment*, None where it was never synced.

    Raises UnsupportedFormat where a later multisite wrote it.
    """
    table = _table(environment)  # one that may not be read says so here; few need what is in it
    following = _read(_next(environment))
    try:
        state = environment.read_state()
    except InvalidDocument:
        if following is not None:
            return Recalled(state=following)
        return _from_table(*_decoded(table, environment))
    if following is None:
        return None if state is None else Recalled(state=state)
    binding, _ = _decoded(table, environment)
    if state is None or binding.get("sha256") == following.lock_sha256 != state.lock_sha256:
        state, following = following, state or following
    files = _files(environment, state.files, following.files)
    return Recalled(state=replace(state, files=files))


def make_room(environment: Environment) -> list[Path]:
    """Move away what is of another kind than multisite's own files and folders, in their places; return what it is now.

    Only whoever holds the environment may do that, or whoever cannot hold it for such a thing.
    """
    folder = environment.state_folder
    files = {folder / name for name in ("lock", "table", "environment.json", "next.json")}
    folders = [folder, *(folder / name for name in ("runtime", "facts", "history", "edits"))]
    strays = [path for path in folders if (path.exists() or path.is_symlink()) and not path.is_dir()]
    strays += sorted(path for path in files if path.is_dir())
    return [path.replace(free_path(path.parent, f"{path.name}.old")) for path in strays]


def announce(environment: Environment, state: EnvironmentState) -> None:
    """Write down the state that a sync leads to, before it changes anything."""
    environment.state_folder.mkdir(exist_ok=True)
    write_atomic(_next(environment), state.to_document(), sync=True)
    flush_folder(environment.path)  # which names the folder


def clean_up(environment: Environment, lockfile: Path) -> None:
    """Remove what a sync that died left half written; *lockfile* is the one that it may have been writing.

    Only whoever holds the environment may do that.
    """
    from multisite.edits import sweep_edits

    state_folder = environment.state_folder
    sweep_edits(environment)
    following = _read(_next(environment))
    if following is None and not left_over(state_folder):
        return
    folders = {state_folder, environment.site_packages, *(path for path in state_folder.iterdir() if path.is_dir())}
    folders |= {lockfile.parent, *(path for path in (state_folder / "runtime").rglob("*") if path.is_dir())}
    folders |= {(environment.path / path).parent for path in ({} if following is None else following.files)}
    for folder in folders:
        for path in left_over(folder):
            if folder != lockfile.parent or path.name.startswith(f".{lockfile.name[:100]}."):
                path.unlink(missing_ok=True)


def conclude(environment: Environment, state: EnvironmentState) -> bool:
    """Make *state* the environment's; return whether it is another one than before."""
    written = environment.write_state(state)
    following = _next(environment)
    if following.exists():  # on a disk that is mounted for reading, removing nothing is an error
        following.unlink(missing_ok=True)
    return written


def read_binding(environment: Environment) -> tuple[Mapping[str, Any], DispatchTable | None]:
    """Return the plain values of the binding of the environment's table, and the table; nothing where it is damaged."""
    return _decoded(_table(environment), environment)


def _table(environment: Environment) -> bytes | None:
    try:
        return (environment.state_folder / "table").read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _decoded(data: bytes | None, environment: Environment) -> tuple[Mapping[str, Any], DispatchTable | None]:
    from multisite.dispatch import DispatchTable

    if data is None:
        return {}, None
    try:
        return DispatchTable.decode(data, environment.state_folder / "table")
    except (InvalidDocument, UnsupportedFormat):
        return {}, None


def _next(environment: Environment) -> Path:
    return environment.state_folder / "next.json"


def _read(path: Path) -> EnvironmentState | None:
    try:
        return EnvironmentState.from_document(path.read_bytes(), path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, InvalidDocument):
        return None


def _files(
    environment: Environment, files: Mapping[str, OwnedFile], others: Mapping[str, OwnedFile]
) -> dict[str, OwnedFile]:
    """Return whose each file is: of one that both know, what it is according to its content."""
    changed = {path: file for path, file in others.items() if files.get(path) != file}
    return {
        **files,
        **{path: file for path, file in changed.items() if path not in files or _holds(environment.path / path, file)},
    }


def _holds(path: Path, file: OwnedFile) -> bool:
    try:
        return path.stat().st_size == file.size and hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _from_table(binding: Mapping[str, Any], table: DispatchTable | None) -> Recalled | None:
    """Make out of the table what can be: id, store, lockfile and builds. What was asked for is lost, and the files."""
    if table is None or not binding:
        return None
    try:
        rows = [(row[0], row[1], row[4]) for row in table.plain["distributions"]]
        layers = binding["layers"] or (0,) * len(rows)
        chosen = {
            normalize(name): ChosenBuild(build=BuildId.parse(f"{name}/{version}/{build}"), store=layer)
            for (name, version, build), layer in zip(rows, layers, strict=True)
        }
        state = EnvironmentState(
            id=binding["id"],
            store=binding["stores"][0],
            layers=tuple(binding["stores"][1:]),
            lockfile=binding["lockfile"],
            lock_sha256=binding["sha256"],
            python=_NOBODY,
            builds=chosen,
        )
        # Read as any other, since the table may be anything.
        return Recalled(state=EnvironmentState.from_document(state.to_document(), "table"), whole=False)
    except (IndexError, TypeError, ValueError):
        return None

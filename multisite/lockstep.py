"""The table of an environment and the lockfile that it was made from: written so that start-up never mixes two locks.

The table goes first. Until the lockfile follows it, the start-up code sees that the lockfile is another one than the
table's, one that the environment was synced with before, and takes that one's table from the store. So a process that
dies in between leaves the environment as it was.
"""

from __future__ import annotations

import errno
import os
import struct
import time
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.batch import flush
from multisite.dispatch import Binding, DispatchTable
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import flush_folder, naming, write_atomic

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from multisite.environment import Environment
    from multisite.state import EnvironmentState

__all__ = ["Lockstep", "rebind"]

_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_TIMES = ("mtime_ns", "bare")  # of the lockfile and of folders of the interpreter, in the binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockstep:
    """A table and the bytes of the lockfile for *environment*; the lockfile is to stand at ``target``.

    ``known`` maps the hashes of lockfiles that the environment was synced with to the keys of their tables, and the
    places of the stores that these lead to. ``layers`` are the places for this table, ``trusted`` is the binding's.
    """

    environment: Environment
    table: DispatchTable
    data: bytes
    target: Path
    known: Mapping[str, tuple[str, tuple[int, ...] | None]]
    layers: tuple[int, ...] | None = None
    trusted: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())

    def write(self, state: EnvironmentState) -> bool:
        """Write what differs, for an environment that is to have *state*; return whether anything did."""
        target = Path(os.path.realpath(self.target))  # a link to a lockfile elsewhere stays one
        if _content(target) == self.data:
            changed = self._write_table(state, target.stat())
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            changed = self._write_both(state, target)
        if changed:
            _renew(self.environment.site_packages)
        return changed

    def _write_both(self, state: EnvironmentState, target: Path) -> bool:
        # The table names size and time of the lockfile, which a rename keeps.
        temporary = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:16]}.tmp")
        try:
            with naming(target), temporary.open("xb") as file:
                file.write(self.data)
            flush([temporary])
            self._write_table(state, temporary.stat())
            temporary.replace(target)
            flush_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _write_table(self, state: EnvironmentState, lockfile: os.stat_result) -> bool:
        table = self.table.encode(self._binding(state, lockfile))
        path = self.environment.state_folder / "table"
        if _is_same(path, table):
            return False
        try:
            write_atomic(path, table, sync=True)
        except OSError as error:
            # An image has times in whole seconds, and may be read-only: start-up compares the hash there.
            if error.errno in _READ_ONLY and _is_same(path, table, but_for=_TIMES):
                return False
            raise
        return True

    def _binding(self, state: EnvironmentState, lockfile: os.stat_result) -> Binding:
        remembered = {item.lock_sha256 for item in state.history} | {state.lock_sha256}
        return Binding(
            id=state.id,
            stores=state.stores,
            layers=self.layers,
            lockfile=state.lockfile,
            size=lockfile.st_size,
            mtime_ns=lockfile.st_mtime_ns,
            sha256=state.lock_sha256,
            edits=state.edits,
            known={sha256: table for sha256, table in self.known.items() if sha256 in remembered},
            trusted=self.trusted,
            bare=_bare(self.environment),
        )


def rebind(environment: Environment, edits: Mapping[str, str]) -> bool:
    """Have the table of *environment* lead to these private copies and no others; return whether that is news.

    Raises InvalidDocument, UnsupportedFormat, and FileNotFoundError where there is no table.
    """
    path = environment.state_folder / "table"
    binding, table = DispatchTable.decode(path.read_bytes(), path)
    if binding["edits"] == edits:
        return False
    known = {field.name for field in fields(Binding)}
    wanted = {name: value for name, value in {**binding, "edits": edits}.items() if name in known}
    write_atomic(path, table.encode(Binding(**wanted)), sync=True)
    _renew(environment.site_packages)
    return True


def _renew(folder: Path) -> None:
    """Give *folder* a new time: whoever keeps what they found in it by its time looks again.

    A running ``FileFinder`` does, and stevedore, which takes times for 32-bit floats: their next value is two minutes
    away, so that may lie a little in the future. It never goes back, to a time under which stevedore knows something.
    """
    old = folder.stat().st_mtime
    new = max(old, time.time())
    while struct.pack("f", new) == struct.pack("f", old):
        new += 60
    with naming(folder):
        os.utime(folder, (new, new))


def _bare(environment: Environment) -> dict[str, int]:
    """Return the folders of the interpreter's library that hold no metadata, with the times for which that is so.

    Start-up code would list some hundred names to know that. It compares the time, and lists where that is another.
    """
    library = Path(environment.configuration.get("home", "")).parent / "lib" / environment.site_packages.parent.name
    found = {}
    for folder in (library, library / "lib-dynload"):
        try:
            time = folder.stat().st_mtime_ns
            if not any(path.name[-5:].lower() == "-info" for path in folder.iterdir()):
                found[str(folder)] = time
        except OSError:
            continue  # this interpreter's library lies elsewhere
    return found


def _is_same(path: Path, table: bytes, *, but_for: Collection[str] = ()) -> bool:
    """Tell whether the table file says the same, *but_for* parts of the binding; equal values may differ in bytes."""
    try:
        (here, found), (there, wanted) = (DispatchTable.decode(data, path) for data in (path.read_bytes(), table))
    except (FileNotFoundError, InvalidDocument, UnsupportedFormat):
        return False
    ignored = dict.fromkeys(but_for)
    return found == wanted and {**here, **ignored} == {**there, **ignored}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None

"""The environments that use a store: what garbage collection must keep, and who holds what.

One small file for each, named by the environment's id; docs/formats.md, "Registry of environments".
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite.batch import make_flushed
from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.names import BuildId
from multisite.notes import notes, owner, read_note, write_note
from multisite.state import stated_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from multisite.environment import Environment
    from multisite.state import HistoryItem

__all__ = [
    "RegisteredLock",
    "Registration",
    "is_copy",
    "register",
    "registered",
    "registration_path",
    "registrations",
    "unregister",
    "vantage",
]

FORMAT = 1
_KIND = "registration of an environment"
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
RENEWED_AFTER = 24 * 3600  # seconds: often enough for people, seldom enough for a sync that has nothing to do
# Another account's store: it may let nobody register, and asks before it collects garbage.
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredLock:
    """An earlier lock of an environment: when it ceased to be in force (seconds), and what it keeps.

    ``table`` is the key of its table, None where an earlier multisite wrote this.
    """

    time: int
    builds: tuple[BuildId, ...] = ()
    shared: tuple[str, ...] = ()
    table: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a store knows of one environment. ``seen`` is in seconds, ``device`` the number of the path's disk.

    ``host`` says from where path and disk were seen (``vantage``), ``table`` is the key of the environment's table;
    both are None where an earlier multisite wrote this.
    """

    id: str
    path: Path
    device: int
    seen: int
    host: str | None = None
    builds: tuple[BuildId, ...] = ()
    shared: tuple[str, ...] = ()
    table: str | None = None
    history: tuple[RegisteredLock, ...] = ()

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> Registration:
        """Read a registration. Raises InvalidDocument with every fault, UnsupportedFormat."""
        fields = Fields(load_document(document, kind=_KIND, format=FORMAT, where=where))
        registration = cls(
            id=fields.text("id"),
            path=_path(fields),
            device=fields.natural("device"),
            seen=fields.natural("seen"),
            host=fields.optional_text("host"),
            builds=_builds(fields),
            shared=fields.digests("shared"),
            table=fields.optional_digest("table"),
            history=tuple(
                RegisteredLock(
                    time=item.natural("time"),
                    builds=_builds(item),
                    shared=item.digests("shared"),
                    table=item.optional_digest("table"),
                )
                for item in fields.mappings("history")
            ),
        )
        if registration.id and not _ID.fullmatch(registration.id):
            fields.problem("id", f"expected 32 hexadecimal digits, found {registration.id!r}")
        fields.finish(_KIND, where)
        return registration

    def to_document(self) -> bytes:
        """Return the registration as it is written."""
        value: dict[str, Any] = {
            "id": self.id,
            "path": str(self.path),
            "device": self.device,
            "seen": self.seen,
            "host": self.host,
            "builds": [str(build) for build in self.builds],
            "shared": list(self.shared),
            "table": self.table,
            "history": [
                {
                    "time": item.time,
                    "builds": [str(build) for build in item.builds],
                    "shared": list(item.shared),
                    "table": item.table,
                }
                for item in self.history
            ],
        }
        return dump_document(value, format=FORMAT)

    def is_there(self) -> bool:
        """Tell whether the environment is where it was seen. One on a disk that is not mounted is not."""
        return _environment_id(self.path) in {self.id, _UNREADABLE}


_UNREADABLE = "?"


def _environment_id(path: Path) -> str | None:
    """Return the id of the environment at *path*, None where there is none, ``?`` where it cannot be told."""
    where = path / ".multisite" / "environment.json"
    try:
        return stated_id(where.read_bytes(), where)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, InvalidDocument, UnsupportedFormat):
        return _UNREADABLE


def vantage() -> str:
    """Return what tells from where paths are seen: the host, and its root folder, which a container has its own of."""
    root = Path(os.path.abspath(os.sep)).stat()  # noqa: PTH100 -- on Windows that of the drive
    return f"{socket.gethostname()} {root.st_dev}:{root.st_ino}"


def _path(fields: Fields) -> Path:
    """Read where the environment is. One that is not said from the root would be looked for in any current folder."""
    text = fields.text("path")
    if text and not Path(text).is_absolute():
        fields.problem("path", f"expected a path from the root, found {text!r}")
    return Path(text)


def _builds(fields: Fields) -> tuple[BuildId, ...]:
    found = []
    for text in fields.texts("builds"):
        try:
            found.append(BuildId.parse(text))
        except ValueError as error:
            fields.problem("builds", str(error))
    return tuple(found)


def register(
    store_root: Path,
    environment: Environment,
    *,
    id: str,  # noqa: A002 -- what it is called everywhere
    builds: Iterable[BuildId],
    shared: Iterable[str] = (),
    table: str | None = None,
    history: Iterable[HistoryItem] = (),
    write: bool = True,
) -> bool:
    """Note in the store that *environment* uses these entries and that *table*; return whether that is news.

    An environment that was moved takes its registration along. Where another account's store has no place for it,
    nothing is noted; nor is it without *write*, which only tells.
    """
    new = Registration(
        id=id,
        path=environment.path,
        device=environment.path.stat().st_dev,
        seen=int(time.time()),
        host=vantage(),
        builds=tuple(sorted(builds)),
        shared=tuple(sorted(shared)),
        table=table,
        history=tuple(
            RegisteredLock(
                time=item.time, builds=tuple(sorted(item.builds.values())), shared=item.shared, table=item.table
            )
            for item in history
        ),
    )
    before = registered(store_root, id)
    # A container that is started anew is another host each time: renewed with the day, as the time is.
    same = before is not None and replace(new, seen=before.seen, host=before.host) == before
    if before is not None and same and 0 <= new.seen - before.seen < RENEWED_AFTER:
        return False
    if not write:
        return not same
    path = registration_path(store_root, id)
    try:
        make_flushed(path.parent, published=True)
        write_note(path, new.to_document(), sync=True)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        return False
    return not same


def unregister(store_root: Path, id: str) -> bool:  # noqa: A002
    """Forget an environment; return whether it was known."""
    try:
        registration_path(store_root, id).unlink()
    except FileNotFoundError:
        return False
    return True


def registrations(store_root: Path, *, without: Collection[str] = ()) -> Iterator[Registration]:
    """Yield what is known of each environment, sorted by id; of those *without* which that is to be, nothing is read.

    Raises InvalidDocument and UnsupportedFormat: whoever left one out would take away what that environment needs.
    """
    for path in notes(store_root / "environments", ".json"):
        if path.stem in without:
            continue
        try:
            yield Registration.from_document(read_note(path), path)
        except FileNotFoundError:
            continue  # unregistered since it was listed
        except (OSError, InvalidDocument) as error:
            problems = error.problems if isinstance(error, InvalidDocument) else [error.strerror or str(error)]
            hint = (
                f"multisite sync in that environment writes it anew (the file is {owner(path)}'s); if there is no such "
                f"environment any more: multisite gc --forget {path.stem}"
            )
            raise InvalidDocument(_KIND, path, problems, hint=hint) from error


def is_copy(store_root: Path, id: str, path: Path) -> bool:  # noqa: A002
    """Tell whether the environment at *path* shares its id with another, so that it needs one of its own.

    It does not where the other path leads to the same folder, or is gone: then the environment was moved.
    """
    known = registered(store_root, id)
    if known is None or known.path == path or not known.is_there():
        return False
    return not (path.exists() and path.samefile(known.path))


def registered(store_root: Path, id: str) -> Registration | None:  # noqa: A002
    """Return what is known of the environment with this id, None where it is not registered."""
    path = registration_path(store_root, id)
    try:
        return Registration.from_document(read_note(path), path)
    except (FileNotFoundError, InvalidDocument):
        return None  # a damaged one is about to be written anew


def registration_path(store_root: Path, id: str) -> Path:  # noqa: A002
    """Return where the environment with this id is registered."""
    if not _ID.fullmatch(id):
        raise ValueError(f"not an environment's id: {id!r}")
    return store_root / "environments" / f"{id}.json"

"""The layout of a store: its folders, and ``store.json``, which says what they are (docs/formats.md).

``store.json`` holds nothing that cannot be said again but its format, and a store of a later format must never be taken
for one of this. So it is written again only where everything else in the folder is what this format has.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.document import Fields, dump_document, load_document
from multisite.duplicates import FORMAT as SETTING_FORMAT
from multisite.duplicates import SETTING
from multisite.entry import ENTRIES
from multisite.errors import InvalidDocument, StoreNotUsable, UnsupportedFormat
from multisite.files import PUBLISHED, locked, make_folders, write_atomic
from multisite.manifest import FORMAT as MANIFEST_FORMAT
from multisite.registry import FORMAT as REGISTRATION_FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["FORMAT", "MEND", "Description", "create", "demand_store", "describe_store", "is_store", "mend"]

FORMAT = 1
MEND = "multisite sync"
_KIND = "store"
_PRIVATE, _COMMON = 0o700, 0o755  # the umask is taken off
_NAME = "store.json"
_FOLDERS = frozenset(
    {ENTRIES, "artifacts", "condemned", "environments", "locks", "pins", "runtime", "shared", "sources", "tables"}
)
_STATED = re.compile(rb'"(format|min_writer)"\s*:\s*(\d+)\s*[,}\s]')
_ID = re.compile(rb'"id"\s*:\s*"([0-9a-f]{32})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What ``store.json`` says: ``id`` is the store's own, ``min_writer`` the least format that a writer must know."""

    id: str
    min_writer: int


def describe_store(root: Path) -> Description:
    """Read ``store.json``. Raises InvalidDocument, which says what to do, UnsupportedFormat, OSError."""
    path = root / _NAME
    try:
        fields = Fields(load_document(path.read_bytes(), kind=_KIND, format=FORMAT, where=path))
        found = Description(id=fields.text("id"), min_writer=fields.integer("min_writer"))
        fields.finish(_KIND, path)
    except FileNotFoundError as error:
        raise InvalidDocument(_KIND, path, ["it is missing, and entries are there"], hint=_way_out(root)) from error
    except InvalidDocument as error:
        raise InvalidDocument(_KIND, path, error.problems, hint=_way_out(root)) from error
    return found


def is_store(root: Path) -> bool:
    """Tell whether there is a store in *root*, be it one whose ``store.json`` was lost."""
    if (root / _NAME).exists() or (root / ENTRIES).is_dir():
        return True
    names = {path.name for path in root.iterdir()} if root.is_dir() else set()
    return "locks" in names <= _FOLDERS | {SETTING} and names != {
        "locks"
    }  # half removed; with locks alone, one that is being made


def demand_store(root: Path) -> None:
    """Refuse a folder in which there is no store. Raises StoreNotUsable."""
    if not is_store(root):
        raise StoreNotUsable(root, "there is no store")


def create(root: Path, *, private: bool = False) -> None:
    """Make a store in *root*, which must be missing or an empty folder; a *private* one is for its owner's eyes alone.

    Raises StoreNotUsable, OSError.
    """
    if root.exists() and not root.is_dir():
        raise StoreNotUsable(root, "not a folder")
    if not root.parent.exists():  # one that is a file is told by the next line
        root.parent.mkdir(parents=True, exist_ok=True)
    root.mkdir(_PRIVATE if private else _COMMON, exist_ok=True)
    # Others may be making the same store at this moment.
    strangers = sorted(path.name for path in root.iterdir() if not re.match(r"locks$|\.?store\.json", path.name))
    if strangers and not (root / _NAME).exists():
        raise StoreNotUsable(root, f"no store, and not empty: it holds {strangers[0]}")
    _write(root, secrets.token_hex(16), unless=(root / _NAME).exists)
    # Interpreters take a store without it for one that is not mounted. Not earlier: it would be a store without a name.
    make_folders(root / ENTRIES)


def mend(root: Path) -> str | None:
    """Write a ``store.json`` again that was lost or damaged; return what was wrong, None where nothing was.

    What it said of the store's format counts as far as it can still be read. Raises InvalidDocument where other things
    are in the folder as well, UnsupportedFormat where something in it is of a later format, OSError.
    """
    if not is_store(root):
        return None
    try:
        describe_store(root)
    except UnsupportedFormat:
        return None  # that is no damage
    except InvalidDocument as error:
        if error.hint != MEND:
            raise
        _refuse_later_formats(root)
        found = _ID.search(_content(root / _NAME))
        _write(root, found[1].decode() if found else secrets.token_hex(16), unless=lambda: _is_sound(root))
        make_folders(root / ENTRIES)
        return str(error)
    return None


def _write(root: Path, identity: str, *, unless: Callable[[], bool]) -> None:
    make_folders(root / "locks")
    with locked(root / "locks" / "store.lock"):
        if not unless():
            document = dump_document({"id": identity, "min_writer": FORMAT}, format=FORMAT)
            write_atomic(root / _NAME, document, mode=PUBLISHED, sync=True)


def _is_sound(root: Path) -> bool:
    try:
        describe_store(root)
    except InvalidDocument:
        return False
    return True


def _way_out(root: Path) -> str:
    names = {path.name for path in root.iterdir() if path.is_dir()}
    strangers = sorted(
        path.name
        for path in root.iterdir()
        if path.name not in {*_FOLDERS, _NAME, SETTING} and not path.name.startswith(".")
    )
    if {ENTRIES, "locks"}.isdisjoint(names):
        return "put the file back, or choose another store: --store DIR or MULTISITE_STORE"
    if strangers:
        return f"move {strangers[0]} elsewhere, which is nothing of a store's, then: {MEND}"
    return MEND


def _refuse_later_formats(root: Path) -> None:
    """Raise UnsupportedFormat where a later multisite may have made the store something else."""
    path = root / _NAME
    for key, value in _STATED.findall(_content(path)):
        if int(value) != FORMAT:
            kind = _KIND if key == b"format" else "store, to write to it,"
            raise UnsupportedFormat(kind, path, found=int(value), known=FORMAT)
    documents = {
        SETTING: SETTING_FORMAT,
        "environments/[!.]*.json": REGISTRATION_FORMAT,
        f"{ENTRIES}/[!.]*/*/*/manifest.json": MANIFEST_FORMAT,
    }
    for pattern, known in documents.items():
        for document in root.glob(pattern):
            found = _format(document)
            if found is not None and found > known:
                raise UnsupportedFormat(f"{_NAME} is damaged, and this document", document, found=found, known=known)


def _format(path: Path) -> int | None:
    try:
        found = json.loads(_content(path))
    except (ValueError, RecursionError):
        return None
    value = found.get("format") if isinstance(found, dict) else None
    return value if isinstance(value, int) else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""

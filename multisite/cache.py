"""The cache: files that would have to be fetched or built again. It may be deleted at any time, and may be unusable.

Whatever is taken from it is verified like a stranger's file, by whoever takes it. Nothing here raises because of the
cache itself: without one, everything works and takes longer. Layout: docs/formats.md.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import remove_tree, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Cache"]

_FORMAT = 1
_DIGITS = re.compile(r"[0-9a-f]{64}", re.ASCII)
_STALE = 7 * 24 * 3600.0  # seconds; what a killed command left, and what nobody came back for
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This is a cache of multisite's: it can be deleted at any time.\n"


class Cache:
    """The cache in the folder *root*, which may be missing; None stands for no cache."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root

    @property
    def locks(self) -> Path | None:
        """The folder of lock files, None for no cache."""
        return None if self._root is None else self._root / "locks"

    @contextlib.contextmanager
    def workplace(self) -> Iterator[Path]:
        """Make a folder for the time of the block: in the cache, from where files can be kept by renaming them.

        There is room for large files, while the system's folder for temporary files is often in memory.
        """
        folder = self._work_folder()
        if folder is None:
            with tempfile.TemporaryDirectory(prefix="multisite-") as name:
                yield Path(name)
            return
        try:
            yield folder
        finally:
            remove_tree(folder)

    def find(self, sha256: str) -> Path | None:
        """Return the kept file that had this hash when it came here."""
        path = self._artifact(sha256)
        return path if path is not None and _is_file(path) else None

    def keep(self, file: Path, sha256: str) -> None:
        """Keep a copy of a *file* whose hash was verified."""
        path = self._artifact(sha256)
        if path is None or _is_file(path):
            return
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(file, temporary)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    def drop(self, sha256: str) -> None:
        """Throw away a kept file that turned out to be damaged."""
        path = self._artifact(sha256)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()

    def find_built(self, key: str) -> tuple[Path, str, str] | None:
        """Return the kept wheel of the build *key*: where it is, its hash, and its file name."""
        path = self._note(key)
        if path is None:
            return None
        try:
            fields = Fields(load_document(path.read_bytes(), kind="note of a build", format=_FORMAT, where=path))
            sha256, filename = fields.digest("sha256"), fields.text("filename")
            fields.finish("note of a build", path)
        except (OSError, InvalidDocument, UnsupportedFormat):
            return None
        found = self.find(sha256)
        plain = Path(filename).name == filename
        return (found, sha256, filename) if found is not None and plain else None

    def keep_built(self, key: str, wheel: Path, sha256: str) -> None:
        """Keep a copy of a *wheel* that the build *key* made."""
        self.keep(wheel, sha256)
        path = self._note(key)
        if path is None or self.find(sha256) is None:
            return
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, dump_document({"sha256": sha256, "filename": wheel.name}, format=_FORMAT))

    def take_beginning(self, sha256: str, target: Path) -> bool:
        """Move the kept beginning of a file to *target*; nobody else can take it then. False where there is none."""
        path = self._beginning(sha256)
        if path is not None:
            with contextlib.suppress(OSError):
                path.rename(target)
                return True
        return False

    def leave_beginning(self, part: Path, sha256: str) -> None:
        """Keep the beginning of a file whose fetching ended before its time."""
        path = self._beginning(sha256)
        if path is not None:
            with contextlib.suppress(OSError):
                path.parent.mkdir(exist_ok=True)
                part.replace(path)

    def remember(self, kind: str, name: str, data: bytes) -> None:
        """Keep *data*, derived and not flushed, among others of its *kind*; forget those that nobody used lately."""
        if self._root is None:
            return
        with contextlib.suppress(OSError):
            folder = self._root / kind
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / name, data, mode=0o600)
            _remove_stale(folder)

    def place(self, kind: str, name: str) -> Path | None:
        """Return where that is kept, None for no cache."""
        return None if self._root is None else self._root / kind / name

    def recall(self, kind: str, name: str) -> bytes | None:
        """Return what was kept so, None where it is gone. Nothing of it was flushed: it may be torn."""
        try:
            return None if self._root is None else (self._root / kind / name).read_bytes()
        except OSError:
            return None

    def _artifact(self, sha256: str) -> Path | None:
        return self._named(sha256, "artifacts", "sha256", sha256[:2])

    def _beginning(self, sha256: str) -> Path | None:
        return self._named(sha256, "beginnings")

    def _note(self, key: str) -> Path | None:
        path = self._named(key, "built")
        return None if path is None else path.with_name(f"{key}.json")

    def _named(self, digits: str, *folders: str) -> Path | None:
        return Path(self._root, *folders, digits) if self._root is not None and _DIGITS.fullmatch(digits) else None

    def _work_folder(self) -> Path | None:
        if self._root is None:
            return None
        folder = self._root / "work" / secrets.token_hex(8)
        try:
            folder.mkdir(parents=True)
            if not (self._root / "CACHEDIR.TAG").exists():
                write_atomic(self._root / "CACHEDIR.TAG", _TAG.encode())
        except OSError:  # another account's, read-only, a file: then there is no cache
            with contextlib.suppress(OSError):
                remove_tree(folder)
            return None
        _remove_stale(self._root / "work", self._root / "beginnings")
        return folder


def _remove_stale(*folders: Path) -> None:
    oldest = time.time() - _STALE
    found: list[Path] = []
    for folder in folders:
        with contextlib.suppress(OSError):
            found += folder.iterdir()
    for path in found:
        with contextlib.suppress(OSError):
            facts = path.stat()
            # Of what is only read, the time of access tells that it is used (to a day, where it is kept at all).
            if max(facts.st_mtime, facts.st_atime) < oldest:
                remove_tree(path)


def _is_file(path: Path) -> bool:
    # Path.is_file() raises where a folder above may not be entered, as in another account's home.
    return os.path.isfile(path)  # noqa: PTH113

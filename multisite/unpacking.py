"""The way from a wheel file to a folder: one pass in which every file is decompressed, hashed, compared and written."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING

from multisite.content import starts_as_python
from multisite.errors import InvalidWheel
from multisite.files import OTHERS_WRITE, PUBLISHED, flush_folder, naming, write_new
from multisite.native import HEAD, native_kind
from multisite.record import RecordEntry, format_record
from multisite.wheel import DAMAGED

if TYPE_CHECKING:
    from multisite.wheel import Member, WheelFile

__all__ = ["flush_tree", "unpack"]

_CHUNK = 1 << 20
_EXECUTABLE = 0o755
# Waiting for the disk, not for the processor: the file system writes many of these in one go.
_FLUSHERS = 16


def unpack(wheel: WheelFile, folder: Path) -> frozenset[str]:
    """Write the content of *wheel* into the new *folder*: ``site-packages/``, ``data/<scheme>/``, and its RECORD.

    RECORD lists what was written: files of purelib and platlib where they landed, with SHA-256, and nothing that
    installing adds or replaces. It is written last: a file that is newer was touched since. Returned are the native
    files, by their paths in RECORD. Raises InvalidWheel with every file whose content is not what the wheel's RECORD
    says.
    """
    destination = _Destination(folder)
    problems: list[str] = []
    rows: list[RecordEntry] = []
    for member in wheel.members:
        try:
            row = destination.take(wheel, member, problems)
        except DAMAGED as error:
            problems.append(f"{member.name}: damaged: {error}")
        else:
            if member.is_content:
                rows.append(row)
    if problems:
        raise InvalidWheel(wheel.filename, problems)
    own = f"{wheel.dist_info}/RECORD"
    destination.write(f"site-packages/{own}", format_record([*rows, RecordEntry(path=own)]).encode())
    return frozenset(destination.native)


class _Destination:
    """A folder that is filled; it makes each folder below it once. ``native`` are native files, as RECORD has them."""

    def __init__(self, folder: Path) -> None:
        self.native: list[str] = []
        self._folder = folder
        self._made: set[Path] = set()

    def take(self, wheel: WheelFile, member: Member, problems: list[str]) -> RecordEntry:
        """Write *member*, unless it is left out, and return its line of RECORD; add what is wrong to *problems*."""
        expected = member.record
        if expected.size is not None and (size := wheel.size(member)) > expected.size:
            # A few bytes of a wheel can stand for gigabytes: what is too large anyway is not written first.
            problems.append(_wrong_size(member, size))
            return expected
        with wheel.open_member(member) as source:
            is_script = member.scheme == "scripts"
            start = source.readline(_CHUNK) if is_script else source.read(_CHUNK)
            if member.is_content:
                path = self._prepared(_place(member))
                mode = _EXECUTABLE if member.executable or (is_script and starts_as_python(start)) else PUBLISHED
                if native_kind(start[:HEAD]):
                    self.native.append(_path_in_record(member))
                with os.fdopen(write_new(path, mode=mode), "wb") as file:
                    sha256, other, size = _copied(source, start, file, expected.algorithm)
            else:
                sha256, other, size = _copied(source, start, None, expected.algorithm)
        if expected.digest is not None and expected.digest != other:
            problems.append(f"{member.name}: its {expected.algorithm} is not the one in RECORD")
        if expected.size is not None and expected.size != size:
            problems.append(_wrong_size(member, size))
        return RecordEntry(path=_path_in_record(member), algorithm="sha256", digest=sha256, size=size)

    def write(self, path: str, content: bytes) -> None:
        with os.fdopen(write_new(self._prepared(path), mode=PUBLISHED), "wb") as file:
            file.write(content)

    def _prepared(self, path: str) -> Path:
        target = self._folder / path
        if target.parent not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(target.parent)
        return target


def _wrong_size(member: Member, size: int) -> str:
    return f"{member.name}: it has {size} bytes, and {member.record.size} in RECORD"


def _path_in_record(member: Member) -> str:
    return member.path if member.scheme == "site" else member.name


def _place(member: Member) -> str:
    return f"site-packages/{member.path}" if member.scheme == "site" else f"data/{member.scheme}/{member.path}"


def _copied(source: IO[bytes], start: bytes, file: IO[bytes] | None, algorithm: str | None) -> tuple[str, str, int]:
    """Copy *start* and the rest of *source*; return its SHA-256, its hash by *algorithm*, and its size."""
    sha256 = hashlib.sha256()
    other = sha256 if algorithm in {None, "sha256"} else hashlib.new(algorithm or "")
    size, chunk = 0, start or source.read(_CHUNK)
    while chunk:
        sha256.update(chunk)
        if other is not sha256:
            other.update(chunk)
        if file is not None:
            file.write(chunk)
        size += len(chunk)
        chunk = source.read(_CHUNK)
    return sha256.hexdigest(), other.hexdigest(), size


def flush_tree(folder: Path) -> None:
    """Have everything in *folder* written to the disk, files before the folders that name them.

    What others could write to by a generous umask they cannot any more.
    """
    files: list[str] = []
    folders: list[Path] = []
    for path, _, names in os.walk(folder):
        folders.append(Path(path))
        files += [f"{path}/{name}" for name in names]
    with ThreadPoolExecutor(_FLUSHERS) as pool:
        for flushed in (pool.map(_flush, files), pool.map(_flush_folder, folders)):
            list(flushed)


def _flush(path: str) -> None:
    # Windows flushes only what is open for writing.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        with naming(Path(path)):
            _close_to_others(descriptor)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    if os.name != "nt" and folder.stat().st_mode & OTHERS_WRITE:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~OTHERS_WRITE)
    flush_folder(folder)


def _close_to_others(descriptor: int) -> None:
    mode = os.fstat(descriptor).st_mode
    if os.name != "nt" and mode & OTHERS_WRITE:
        os.fchmod(descriptor, stat.S_IMODE(mode) & ~OTHERS_WRITE)

"""One file on its way: counted and hashed as it comes, continued after a break, compared before anybody uses it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from multisite.errors import ArtifactMismatch

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from multisite.lockfile import FileSource

__all__ = ["Receiver", "Watcher"]

_CHUNK = 256 * 1024
_NO_DIGEST_LENGTH = frozenset({"shake_128", "shake_256"})


class Watcher(Protocol):
    """Who is told what happens to a file, and may raise in order to end it."""

    def advanced(self, count: int) -> None:
        """Note that so many bytes more have come."""

    def restarted(self) -> None:
        """Note that what has come was thrown away."""


class Receiver:
    """Take the bytes of *source* into the file *path*, for the time of a ``with`` block.

    What *path* holds already counts as the beginning. ``pieced`` tells that not all of it came from one answer: then a
    wrong hash may only mean that the pieces do not belong together.
    """

    def __init__(self, source: FileSource, path: Path, watcher: Watcher) -> None:
        self.path = path
        self.count = 0
        self.pieced = False
        self._source = source
        self._watcher = watcher
        self._hashes = self._new_hashes()
        self._file = path.open("a+b")

    def __enter__(self) -> Self:
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            self.pieced = True
            self._count(chunk)
        if self._source.size is not None and self.count > self._source.size:
            self.restart()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def is_full(self) -> bool:
        """Whether all bytes are there, as far as their number is known."""
        return self.count == self._source.size

    @property
    def is_short(self) -> bool:
        """Whether bytes are missing, as far as their number is known."""
        return self._source.size is not None and self.count < self._source.size

    def announce(self, size: int | None) -> None:
        """Take note of the size of the whole file according to a server."""
        if size is not None and self._source.size not in {None, size}:
            raise self._wrong_size(f"{size} bytes")

    def room(self) -> int:
        """Return how much to read at most: never more than a byte past the size."""
        if self._source.size is None:
            return _CHUNK
        return min(_CHUNK, self._source.size + 1 - self.count)

    def receive(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._source.size is not None and self.count + len(chunk) > self._source.size:
            raise self._wrong_size(f"more than {self._source.size} bytes")
        self._file.write(chunk)
        self._count(chunk)

    def restart(self) -> None:
        """Throw away what has come."""
        if self.count:
            self._watcher.restarted()
        if self._file.closed:  # also where closing failed, when the last bytes found no room
            self._file = self.path.open("a+b")
        self._file.truncate(0)
        self._hashes = self._new_hashes()
        self.count, self.pieced = 0, False

    def finish(self) -> str:
        """Compare with the lockfile and close the file; return its SHA-256. Raises ArtifactMismatch."""
        if self._source.size not in {None, self.count}:
            raise self._wrong_size(f"{self.count} bytes")
        found = {name: digest.hexdigest() for name, digest in self._hashes.items()}
        for name, digits in found.items():
            expected = self._source.hashes.get(name, digits)
            if digits != expected:
                raise ArtifactMismatch(self._source.filename, what=name, expected=expected, found=digits)
        self._file.close()
        return found["sha256"]

    def _count(self, chunk: bytes) -> None:
        self._watcher.advanced(len(chunk))
        self.count += len(chunk)
        for digest in self._hashes.values():
            digest.update(chunk)

    def _new_hashes(self) -> dict[str, hashlib._Hash]:
        known = set(hashlib.algorithms_guaranteed) - _NO_DIGEST_LENGTH
        algorithms = known.intersection(self._source.hashes) | {"sha256"}
        return {name: hashlib.new(name, usedforsecurity=False) for name in sorted(algorithms)}

    def _wrong_size(self, found: str) -> ArtifactMismatch:
        return ArtifactMismatch(self._source.filename, what="size", expected=f"{self._source.size} bytes", found=found)

"""Fetcher: the files that a lockfile names, each checked before it gets its name.

What a server sends is not believed: at most one byte more than the lockfile's size is read, every hash that the
lockfile gives is compared, and a redirect leads neither to another kind of address nor from https to http.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from multisite.errors import ArtifactMismatch, DownloadFailed
from multisite.lockfile import FileSource
from multisite.locktext import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from multisite.lockfile import Pinned
    from multisite.transport import Transport

__all__ = ["Fetched", "Fetcher", "Progress"]

_CHUNK = 256 * 1024
_NO_DIGEST_LENGTH = frozenset({"shake_128", "shake_256"})


class Progress(Protocol):
    """Who wants to know how far the files are; called from several threads at once. ``name`` is the file's."""

    def started(self, name: str, total: int | None) -> None:
        """Note that a file begins, with its size in bytes where it is known."""

    def advanced(self, name: str, count: int) -> None:
        """Note that so many bytes more have come."""

    def restarted(self, name: str) -> None:
        """Note that what has come was thrown away, and that the file begins again."""

    def finished(self, name: str) -> None:
        """Note that the file is there and is what the lockfile names."""


class _Silence:
    def started(self, name: str, total: int | None) -> None:
        pass

    def advanced(self, name: str, count: int) -> None:
        pass

    def restarted(self, name: str) -> None:
        pass

    def finished(self, name: str) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that is what the lockfile names; ``sha256`` in hexadecimal digits, ``size`` in bytes."""

    pinned: Pinned
    path: Path
    sha256: str
    size: int


class Fetcher:
    """Fetch files over several connections at once.

    ``transport`` is what speaks with servers, None for ``--offline``: files of this machine are read all the same.
    """

    def __init__(self, transport: Transport | None, *, connections: int = 8, progress: Progress | None = None) -> None:
        self._transport = transport
        self._connections = connections
        self._progress: Progress = progress or _Silence()

    def fetch(self, wanted: Iterable[Pinned], folder: Path, *, relative_to: Path) -> Iterator[Fetched]:
        """Yield each file, as ``folder/<name>/<file name>``, as soon as it is there.

        ``wanted`` are distributions whose source is a file; ``relative_to`` is the lockfile's folder. The first
        failure stops all others and is raised: DownloadFailed or ArtifactMismatch. Nothing unchecked stays behind.
        """
        stopped = threading.Event()
        jobs = [_Job(pinned, folder, relative_to, stopped, self._progress) for pinned in wanted]
        jobs.sort(key=lambda job: -(job.source.size or 0))  # the longest first, or everybody waits for it at the end
        with ThreadPoolExecutor(self._connections, thread_name_prefix="multisite-fetch") as pool:
            running = [pool.submit(job.run, self._transport) for job in jobs]
            try:
                for future in as_completed(running):
                    yield future.result()
            finally:
                stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)


class _Job:
    """One file on its way."""

    def __init__(
        self, pinned: Pinned, folder: Path, relative_to: Path, stopped: threading.Event, progress: Progress
    ) -> None:
        if not isinstance(pinned.source, FileSource):
            raise TypeError(f"{pinned.name} does not come from a file")
        self.pinned = pinned
        self.source: FileSource = pinned.source
        self.target = folder / pinned.name / pinned.source.filename
        self.relative_to = relative_to
        self.stopped = stopped
        self.progress = progress

    def run(self, transport: Transport | None) -> Fetched:
        local = self._local_path()
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.progress.started(self.source.filename, self.source.size)
            fetched = self._copy(local) if local is not None else self._download(transport)
        except (DownloadFailed, ArtifactMismatch):
            raise
        except OSError as error:  # reading here, writing here, or room on the disk: the transport has its own errors
            reason = f"{error.strerror or error}: {error.filename or self.target}"
            raise DownloadFailed(self.source.filename, self._origin(local), reason) from error
        self.progress.finished(self.source.filename)
        return fetched

    def _local_path(self) -> Path | None:
        source = self.source
        if source.path is not None and (source.url is None or (self.relative_to / source.path).is_file()):
            return self.relative_to / source.path
        parts = urlsplit(source.url or "")  # Lock.parse has seen to it that it is an address
        if parts.scheme != "file":
            return None
        if parts.netloc not in {"", "localhost"}:
            raise DownloadFailed(source.filename, source.url or "", "a file of another machine")
        return Path(url2pathname(parts.path))

    def _origin(self, local: Path | None) -> str:
        return strip_credentials(self.source.url or "") if local is None else str(local)

    def _copy(self, local: Path) -> Fetched:
        with local.open("rb") as file, self._receiver() as receiver:
            while chunk := file.read(receiver.room()):
                receiver.receive(chunk)
            return receiver.complete()

    def _download(self, transport: Transport | None) -> Fetched:
        filename, url = self.source.filename, self.source.url or ""
        if transport is None:
            raise DownloadFailed(filename, strip_credentials(url), "it is not here, and --offline is given")
        for number in count(1):
            with self._receiver() as receiver:
                trouble = transport.transfer(url, filename, receiver)
                if trouble is None:
                    return receiver.complete()
            if number >= transport.tries:
                raise DownloadFailed(filename, strip_credentials(url), f"{trouble.reason} (tried {number} times)")
            self._pause(transport.backoff * 2**number if trouble.wait is None else trouble.wait)
        raise AssertionError  # the loop has no end of its own

    def _pause(self, seconds: float) -> None:
        if self.stopped.wait(seconds):
            raise CancelledError
        self.progress.restarted(self.source.filename)

    @contextmanager
    def _receiver(self) -> Iterator[_Receiver]:
        with tempfile.NamedTemporaryFile(dir=self.target.parent, prefix=".", suffix=".part", delete=False) as file:
            part = Path(file.name)
            try:
                yield _Receiver(self, file)
            finally:
                file.close()
                part.unlink(missing_ok=True)


class _Receiver:
    """Take a file's bytes, count and hash them, and give it its name when all is as the lockfile says."""

    def __init__(self, job: _Job, file: IO[bytes]) -> None:
        self._job, self._source, self._file = job, job.source, file
        known = set(hashlib.algorithms_guaranteed) - _NO_DIGEST_LENGTH
        algorithms = known.intersection(self._source.hashes) | {"sha256"}
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(algorithms)}
        self._received = 0

    def announce(self, length: int | None) -> None:
        """Take note of the length that a server announces."""
        if length is not None and self._source.size not in {None, length}:
            raise self._wrong_size(f"{length} bytes")

    def room(self) -> int:
        """Return how much to read at most: never more than a byte past the size."""
        if self._source.size is None:
            return _CHUNK
        return min(_CHUNK, self._source.size + 1 - self._received)

    def receive(self, chunk: bytes) -> None:
        if self._job.stopped.is_set():
            raise CancelledError
        self._received += len(chunk)
        if self._source.size is not None and self._received > self._source.size:
            raise self._wrong_size(f"more than {self._source.size} bytes")
        for digest in self._hashes.values():
            digest.update(chunk)
        self._file.write(chunk)
        self._job.progress.advanced(self._source.filename, len(chunk))

    def complete(self) -> Fetched:
        """Compare with the lockfile, then move the file to its place."""
        if self._source.size not in {None, self._received}:
            raise self._wrong_size(f"{self._received} bytes")
        found = {name: digest.hexdigest() for name, digest in self._hashes.items()}
        for name, digits in found.items():
            expected = self._source.hashes.get(name, digits)
            if digits != expected:
                raise ArtifactMismatch(self._source.filename, what=name, expected=expected, found=digits)
        self._file.close()
        Path(self._file.name).replace(self._job.target)
        return Fetched(pinned=self._job.pinned, path=self._job.target, sha256=found["sha256"], size=self._received)

    def _wrong_size(self, found: str) -> ArtifactMismatch:
        return ArtifactMismatch(self._source.filename, what="size", expected=f"{self._source.size} bytes", found=found)

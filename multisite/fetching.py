"""Fetcher: the files that a lockfile names, each checked before it gets its name.

What a server sends is not believed: at most one byte more than the lockfile's size is read, every hash that the
lockfile gives is compared, and a redirect leads neither to another kind of address nor from https to http. So a file
may come from anywhere, and in pieces: the hash says whether it is the one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections import deque
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from multisite.addresses import strip_credentials
from multisite.cache import Cache
from multisite.errors import ArtifactMismatch, DownloadFailed
from multisite.lockfile import FileSource, WheelSource
from multisite.receiving import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from multisite.lockfile import Pinned
    from multisite.transport import Transport

__all__ = ["Fetched", "Fetcher", "Progress"]

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_PUT_BACK = "put the file there, or lock anew: multisite lock --upgrade"
_GAIN = 1 << 20  # bytes that make a broken attempt a success, so that tries are counted anew
_WORTH_KEEPING = 1 << 16
_PATIENCE = 0.5  # seconds for connections to notice that nobody wants their files any more
_LAST_STEP = 10.0  # seconds for those who use files: to take away what they began, when the disk is slow
_MOST_USERS = 4


class Progress(Protocol):
    """Who wants to know how far the files are; called from several threads at once. ``name`` is the file's."""

    def started(self, name: str, total: int | None) -> None:
        """Note that a file begins, with its size in bytes where it is known."""

    def advanced(self, name: str, count: int) -> None:
        """Note that so many bytes more have come."""

    def restarted(self, name: str) -> None:
        """Note that what has come was thrown away, and that the file begins again."""

    def waiting(self, name: str, seconds: float, reason: str) -> None:
        """Note that the file is tried again after so many seconds, and why."""

    def finished(self, name: str) -> None:
        """Note that the file is there and is what the lockfile names."""


class _Silence:
    def started(self, name: str, total: int | None) -> None:
        pass

    def advanced(self, name: str, count: int) -> None:
        pass

    def restarted(self, name: str) -> None:
        pass

    def waiting(self, name: str, seconds: float, reason: str) -> None:
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


# What is done with a file; it calls its second argument now and then, which raises when it is to end.
Use: TypeAlias = "Callable[[Fetched, Callable[[], None]], None]"


class Fetcher:
    """Fetch files over several connections at once.

    ``transport`` is what speaks with servers, None for ``--offline``: files of this machine are read all the same.
    ``mirrors`` returns further addresses of the file with a SHA-256, to be tried where the lockfile's do not serve.
    """

    def __init__(
        self,
        transport: Transport | None,
        *,
        connections: int = 8,
        progress: Progress | None = None,
        cache: Cache | None = None,
        mirrors: Callable[[str], Sequence[str]] = lambda sha256: (),  # noqa: ARG005
    ) -> None:
        self.transport = transport
        self.progress: Progress = progress or _Silence()
        self.cache = cache or Cache()
        self.mirrors = mirrors
        self._connections = connections

    def fetch(
        self, wanted: Iterable[Pinned], folder: Path, *, relative_to: Path, use: Use | None = None
    ) -> Generator[Fetched, None, None]:
        """Yield each file, as ``folder/<name>/<file name>``, as soon as it is there, and has been put to *use*.

        ``wanted`` are distributions whose source is a file; ``relative_to`` is the lockfile's folder. *use* is called
        by a few threads while other files are on their way. The first failure stops all others and is raised:
        DownloadFailed, ArtifactMismatch, or what *use* raises. Nothing unchecked stays behind.
        """
        stop = _Stop()
        jobs = [_Job(self, pinned, folder, relative_to, stop) for pinned in wanted]
        jobs.sort(key=lambda job: -(job.source.size or 0))  # the longest first, or everybody waits for it at the end
        crew = _Crew(jobs, self._connections, None if use is None else (use, stop.check))
        try:
            for _ in jobs:
                yield crew.next()
        finally:
            stop.now()
            for job in jobs:
                job.leave()
            crew.dismiss()


class _Stop:
    """What ends all jobs; after ``now()`` none of them makes a file any more."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.lock = threading.Lock()

    def now(self) -> None:
        with self.lock:
            self.event.set()

    def check(self) -> None:
        if self.event.is_set():
            raise CancelledError


class _Crew:
    """Threads that work on jobs, and others that *use* what they brought.

    One whose server is silent is left behind, for nothing wakes it: it ends by itself. Who uses a file is waited for.
    """

    def __init__(self, jobs: Sequence[_Job], size: int, use: tuple[Use, Callable[[], None]] | None) -> None:
        self._jobs = deque(jobs)
        self._use = use
        self._results: SimpleQueue[Fetched | BaseException] = SimpleQueue()
        self._brought: SimpleQueue[Fetched | None] = SimpleQueue()
        self._threads = self._started("fetch", min(size, len(jobs)), self._work)
        self._users = self._started("use", 0 if use is None else min(_users(), len(jobs)), self._put_to_use)

    @staticmethod
    def _started(name: str, count: int, work: Callable[[], None]) -> list[threading.Thread]:
        # Not concurrent.futures': the interpreter waits for those at its end, whatever they hang on.
        made = [threading.Thread(target=work, name=f"multisite-{name}_{at}", daemon=True) for at in range(count)]
        for thread in made:
            thread.start()
        return made

    def next(self) -> Fetched:
        result = self._results.get()
        if isinstance(result, BaseException):
            raise result
        return result

    def dismiss(self) -> None:
        self._jobs.clear()
        for _ in self._users:
            self._brought.put(None)
        for thread in self._users:
            thread.join(_LAST_STEP)
        for thread in self._threads:
            thread.join(_PATIENCE / len(self._threads))

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.popleft()
            except IndexError:
                return
            try:
                fetched = job.run()
            except BaseException as error:  # noqa: BLE001 -- raised in the thread that waits for the file
                self._results.put(error)
            else:
                (self._results if self._use is None else self._brought).put(fetched)

    def _put_to_use(self) -> None:
        assert self._use is not None
        use, proceed = self._use
        while (fetched := self._brought.get()) is not None:
            try:
                proceed()
                use(fetched, proceed)
            except BaseException as error:  # noqa: BLE001 -- as above
                self._results.put(error)
            else:
                self._results.put(fetched)


def _users() -> int:
    """Return how many files are put to use at once: a large one does not hold up all others."""
    return max(2, min(_MOST_USERS, os.cpu_count() or 1))


class _Job:
    """One file on its way."""

    def __init__(self, fetcher: Fetcher, pinned: Pinned, folder: Path, relative_to: Path, stop: _Stop) -> None:
        if not isinstance(pinned.source, FileSource):
            raise TypeError(f"{pinned.name} does not come from a file")
        self.fetcher = fetcher
        self.pinned = pinned
        self.source: FileSource = pinned.source
        self.target = folder / pinned.name / pinned.source.filename
        self.part = self.target.with_name(f".{self.target.name[:100]}.part")
        self.relative_to = relative_to
        self.stop = stop
        self.sha256 = self.source.hashes.get("sha256", "")

    def run(self) -> Fetched:
        filename, progress = self.source.filename, self.fetcher.progress
        progress.started(filename, self.source.size)
        try:
            sha256, size = self._fetch()
        except (DownloadFailed, ArtifactMismatch):
            raise
        except OSError as error:
            raise self._failed(self.source.url or self.source.path or "", error) from error
        finally:
            self.leave()
        if not isinstance(self.source, WheelSource):  # of a wheel, the store holds all that there is
            self.fetcher.cache.keep(self.target, sha256)
        progress.finished(filename)
        return Fetched(pinned=self.pinned, path=self.target, sha256=sha256, size=size)

    def _fetch(self) -> tuple[str, int]:
        with self.stop.lock:
            self.stop.check()
            self.target.parent.mkdir(parents=True, exist_ok=True)
            if self.fetcher.transport is not None:
                self.fetcher.cache.take_beginning(self.sha256, self.part)
        with Receiver(self.source, self.part, self) as receiver:
            sha256 = self._bring(receiver)
        self.part.replace(self.target)
        return sha256, receiver.count

    def leave(self) -> None:
        """Put away what has come of a file that is not whole: for another time, where that is worth it."""
        try:
            size = self.part.stat().st_size
        except OSError:
            return
        if size >= _WORTH_KEEPING and self.sha256:
            self.fetcher.cache.leave_beginning(self.part, self.sha256)
        with contextlib.suppress(OSError):  # it goes with the folder; what happened before is what counts
            self.part.unlink()

    def advanced(self, count: int) -> None:
        self.stop.check()
        self.fetcher.progress.advanced(self.source.filename, count)

    def restarted(self) -> None:
        self.fetcher.progress.restarted(self.source.filename)

    def _bring(self, receiver: Receiver) -> str:
        """Fill the receiver from the first place that serves; return the file's SHA-256."""
        cached = self.fetcher.cache.find(self.sha256)
        if cached is not None:
            try:
                return self._attempt(cached, receiver)
            except (DownloadFailed, ArtifactMismatch):
                self.fetcher.cache.drop(self.sha256)
        failures: list[DownloadFailed | ArtifactMismatch] = []
        for place in self._places():
            try:
                return self._attempt(place, receiver)
            except (DownloadFailed, ArtifactMismatch) as error:
                failures.append(error)
        raise failures[0]

    def _places(self) -> Iterator[Path | str]:
        """Yield where the file may be: on this machine, where the lockfile says, where it was got once."""
        source = self.source
        local = None if source.path is None else self.relative_to / source.path
        if local is not None and (source.url is None or local.is_file()):
            yield local
        if source.url is not None:
            yield source.url
        yield from (url for url in self.fetcher.mirrors(self.sha256) if url != source.url)

    def _attempt(self, place: Path | str, receiver: Receiver) -> str:
        try:
            if isinstance(place, str) and urlsplit(place).scheme == "file":
                place = self._path(place)
            return self._copy(place, receiver) if isinstance(place, Path) else self._download(place, receiver)
        except (DownloadFailed, ArtifactMismatch):
            raise
        except OSError as error:  # reading here, writing here, or room on the disk: the transport has its own errors
            receiver.restart()
            raise self._failed(place, error) from error

    def _path(self, url: str) -> Path:
        parts = urlsplit(url)  # Lock.parse has seen to it that it is an address
        if parts.netloc not in {"", "localhost"}:
            raise DownloadFailed(self.source.filename, url, "a file of another machine")
        return Path(url2pathname(parts.path))

    def _failed(self, place: Path | str, error: OSError) -> DownloadFailed:
        where = str(error.filename or self.target.parent)
        reason = f"{error.strerror or error}{'' if where == str(place) else f': {where}'}"
        hint = "make room there, or choose another folder: MULTISITE_CACHE" if error.errno in _FULL else _PUT_BACK
        return DownloadFailed(self.source.filename, strip_credentials(str(place)), reason, hint=hint)

    def _copy(self, path: Path, receiver: Receiver) -> str:
        receiver.restart()
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            reason = "it is a folder" if path.is_dir() else "it is not a regular file"
            raise DownloadFailed(self.source.filename, str(path), reason, hint=_PUT_BACK)
        with path.open("rb") as file:
            try:
                while chunk := file.read(receiver.room()):
                    receiver.receive(chunk)
                return receiver.finish()
            except ArtifactMismatch:
                receiver.restart()
                raise

    def _download(self, url: str, receiver: Receiver) -> str:
        """Fetch what is missing; once more from the start if the pieces turn out not to belong together."""
        for resume in (True, False):
            try:
                self._transfer(url, receiver, resume=resume)
                return receiver.finish()
            except ArtifactMismatch:
                pieced = receiver.pieced
                receiver.restart()
                if not pieced:
                    raise
        raise AssertionError  # the second time there are no pieces

    def _transfer(self, url: str, receiver: Receiver, *, resume: bool) -> None:
        filename, transport = self.source.filename, self.fetcher.transport
        if transport is None:
            hint = "run the command without --offline"
            raise DownloadFailed(filename, strip_credentials(url), "it is not here, and --offline is given", hint=hint)
        number, furthest, version = 0, receiver.count, None
        while not receiver.is_full:
            trouble = transport.transfer(url, filename, receiver, version=version)
            if trouble is None:
                return
            number, version = number + 1, trouble.version
            if receiver.count >= furthest + _GAIN:
                number, furthest = 1, receiver.count
            if number >= transport.tries:
                reason = f"{trouble.reason} (tried {number} times)"
                hint = "check the network, then run the same command again"
                raise DownloadFailed(filename, strip_credentials(url), reason, hint=hint)
            if not resume:
                receiver.restart()
            seconds = transport.backoff * 2**number if trouble.wait is None else trouble.wait
            self.fetcher.progress.waiting(filename, seconds, trouble.reason)
            self._pause(seconds)

    def _pause(self, seconds: float) -> None:
        if self.stop.event.wait(seconds):
            raise CancelledError

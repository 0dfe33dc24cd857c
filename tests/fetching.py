"""A file behind an index, and a place to fetch it into."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from multisite.fetching import Fetched, Fetcher
from multisite.lockfile import Pinned, WheelSource
from multisite.names import normalize
from multisite.transport import Transport
from tests.index import LocalIndex

__all__ = ["CONTENT", "SDIST", "WHEEL", "Bench", "Recorder", "hashes", "pin", "transport"]

CONTENT = bytes(range(256)) * 4096  # a mebibyte: several chunks
WHEEL = "big-1-py3-none-any.whl"
SDIST = "big-1.tar.gz"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy")


def hashes(content: bytes, *algorithms: str) -> dict[str, str]:
    return {name: hashlib.new(name, content).hexdigest() for name in algorithms or ("sha256",)}


def pin(filename: str = WHEEL, **facts: Any) -> Pinned:
    given = {"url": None, "path": None, "size": len(CONTENT), "hashes": hashes(CONTENT)} | facts
    source = WheelSource(filename=filename, **given)
    return Pinned(name=normalize(filename.split("-", maxsplit=1)[0]), version="1", source=source, index=None)


def transport(**options: Any) -> Transport:
    return Transport(**({"tries": 3, "backoff": 0, "timeout": 5} | options))


class Bench:
    """A folder behind an index, and a place to fetch into."""

    def __init__(self, tmp_path: Path, index: LocalIndex) -> None:
        self.index = index
        self.served = index.folder
        self.folder = tmp_path / "fetched"
        self.lock_folder = tmp_path

    @classmethod
    @contextlib.contextmanager
    def opened(cls, tmp_path: Path, **options: Any) -> Iterator[Bench]:
        """Serve a folder with one wheel, to whom no proxy is told of; *options* are those of ``LocalIndex``."""
        served = tmp_path / "served"
        served.mkdir()
        (served / WHEEL).write_bytes(CONTENT)
        with pytest.MonkeyPatch.context() as patch, LocalIndex(served, **options) as index:
            for name in PROXIES:
                patch.delenv(name, raising=False)
            yield cls(tmp_path, index)

    def fetch(self, *pinned: Pinned, fetcher: Fetcher | None = None) -> list[Fetched]:
        fetcher = fetcher or Fetcher(transport())
        return list(fetcher.fetch(pinned, self.folder, relative_to=self.lock_folder))

    def left(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    @property
    def url(self) -> str:
        return self.index.file_url(WHEEL)


class Recorder:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, int | None]] = []
        self.bytes: Counter[str] = Counter()
        self.waits: list[str] = []
        self.reached = threading.Event()

    def started(self, name: str, total: int | None) -> None:
        self.events.append(("started", name, total))

    def advanced(self, name: str, count: int) -> None:
        self.bytes[name] += count
        if self.bytes[name] == 300_000:
            self.reached.set()

    def restarted(self, name: str) -> None:
        self.events.append(("restarted", name, self.bytes.pop(name, 0)))

    def waiting(self, name: str, seconds: float, reason: str) -> None:
        self.waits.append(reason)

    def finished(self, name: str) -> None:
        self.events.append(("finished", name, None))

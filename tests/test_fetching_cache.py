"""What is kept of fetched files for another time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from multisite.cache import Cache
from multisite.errors import DownloadFailed
from multisite.fetching import Fetcher
from multisite.lockfile import Pinned, SdistSource
from multisite.names import normalize
from tests.fetching import CONTENT, SDIST, WHEEL, Bench, Recorder, hashes, pin, transport
from tests.index import Fault


class TestCache:
    """What is kept of files for another time."""

    @pytest.fixture
    def cache(self, tmp_path: Path) -> Cache:
        return Cache(tmp_path / "cache")

    def kept(self, cache_folder: Path) -> list[str]:
        return sorted(path.relative_to(cache_folder).as_posix() for path in cache_folder.rglob("*") if path.is_file())

    def sdist(self, bench: Bench) -> Pinned:
        (bench.served / SDIST).write_bytes(CONTENT)
        source = SdistSource(
            filename=SDIST,
            url=bench.index.file_url(SDIST),
            path=None,
            size=len(CONTENT),
            hashes=hashes(CONTENT),
        )
        return Pinned(name=normalize("big"), version="1", source=source, index=None)

    def test_sources_are_kept_and_wheels_are_not(self, bench: Bench, tmp_path: Path, cache: Cache) -> None:
        wanted = self.sdist(bench)
        bench.fetch(wanted, pin(url=bench.url), fetcher=Fetcher(transport(), cache=cache))
        assert bench.left() == [WHEEL, SDIST]
        digits = hashes(CONTENT)["sha256"]
        assert self.kept(tmp_path / "cache") == [f"artifacts/sha256/{digits[:2]}/{digits}"]
        (bench.served / SDIST).unlink()
        for fetcher in (Fetcher(None, cache=cache), Fetcher(transport(), cache=cache)):
            (fetched,) = bench.fetch(wanted, fetcher=fetcher)
            assert fetched.path.read_bytes() == CONTENT
        assert bench.index.requests.total() == 2

    def test_a_damaged_copy_is_thrown_away(self, bench: Bench, tmp_path: Path, cache: Cache) -> None:
        wanted = self.sdist(bench)
        bench.fetch(wanted, fetcher=Fetcher(transport(), cache=cache))
        (copy,) = self.kept(tmp_path / "cache")
        (tmp_path / "cache" / copy).write_bytes(b"rotten")
        with pytest.raises(DownloadFailed, match="it is not here"):
            bench.fetch(wanted, fetcher=Fetcher(None, cache=cache))
        assert self.kept(tmp_path / "cache") == []
        (fetched,) = bench.fetch(wanted, fetcher=Fetcher(transport(), cache=cache))
        assert fetched.path.read_bytes() == CONTENT

    def test_a_beginning_is_continued_by_the_next_command(self, bench: Bench, tmp_path: Path, cache: Cache) -> None:
        bench.index.fail(WHEEL, Fault(times=1, break_after=300_000))
        with cache.workplace() as bench.folder, pytest.raises(DownloadFailed, match="broke off"):
            bench.fetch(pin(url=bench.url), fetcher=Fetcher(transport(tries=1), cache=cache))
        digits = hashes(CONTENT)["sha256"]
        assert self.kept(tmp_path / "cache") == ["CACHEDIR.TAG", f"beginnings/{digits}"]
        with cache.workplace() as bench.folder:
            (fetched,) = bench.fetch(pin(url=bench.url), fetcher=Fetcher(transport(), cache=cache))
            assert fetched.path.read_bytes() == CONTENT
        assert bench.index.ranges == ["bytes=300000-"]
        assert self.kept(tmp_path / "cache") == ["CACHEDIR.TAG"]

    @pytest.mark.parametrize("beginning", [b"x" * 300_000, CONTENT + b"x", CONTENT])
    def test_a_beginning_is_not_believed(self, bench: Bench, tmp_path: Path, cache: Cache, beginning: bytes) -> None:
        folder = tmp_path / "cache" / "beginnings"
        folder.mkdir(parents=True)
        (folder / hashes(CONTENT)["sha256"]).write_bytes(beginning)
        with cache.workplace() as bench.folder:
            (fetched,) = bench.fetch(pin(url=bench.url), fetcher=Fetcher(transport(), cache=cache))
            assert fetched.path.read_bytes() == CONTENT

    def test_what_an_interruption_leaves_is_kept(self, bench: Bench, tmp_path: Path, cache: Cache) -> None:
        bench.index.fail(WHEEL, Fault(times=1, break_after=300_000))
        other = pin("quick-1-py3-none-any.whl", url=bench.index.file_url("quick"), size=1, hashes=hashes(b"x"))
        (bench.served / "quick").write_bytes(b"x")
        with cache.workplace() as bench.folder:
            stuck = pin(url=bench.url)
            fetcher = Fetcher(transport(backoff=3600), cache=cache, progress=(recorder := Recorder()))
            arriving = fetcher.fetch([stuck, other], bench.folder, relative_to=bench.lock_folder)
            assert next(arriving).pinned == other
            recorder.reached.wait(30)
            arriving.close()
        assert [path.split("/")[0] for path in self.kept(tmp_path / "cache")] == ["CACHEDIR.TAG", "beginnings"]

    @pytest.mark.parametrize("what", ["no cache", "a file", "an unwritable place"])
    def test_a_cache_that_cannot_be_used_is_done_without(self, bench: Bench, tmp_path: Path, what: str) -> None:
        (tmp_path / "cache").write_text("a file")
        root = {"no cache": None, "a file": tmp_path / "cache", "an unwritable place": Path("/proc/none")}[what]
        cache = Cache(root)
        with cache.workplace() as bench.folder:
            (fetched,) = bench.fetch(self.sdist(bench), fetcher=Fetcher(transport(), cache=cache))
            assert fetched.path.read_bytes() == CONTENT
        assert not bench.folder.exists()

    def test_built_wheels_are_found_by_what_built_them(self, bench: Bench, tmp_path: Path, cache: Cache) -> None:
        wheel, digits = bench.served / WHEEL, hashes(CONTENT)["sha256"]
        assert cache.find_built("a" * 64) is None
        cache.keep_built("a" * 64, wheel, digits)
        found = cache.find_built("a" * 64)
        assert found is not None
        assert (found[0].read_bytes(), found[1:]) == (CONTENT, (digits, WHEEL))
        for damage in (b"{", b'{"format": 2}', b'{"format": 1, "sha256": "x", "filename": "x"}'):
            (tmp_path / "cache" / "built" / f"{'a' * 64}.json").write_bytes(damage)
            assert cache.find_built("a" * 64) is None
        cache.keep_built("a" * 64, wheel, digits)
        cache.drop(digits)
        assert cache.find_built("a" * 64) is None

    def test_what_nobody_came_back_for_is_removed(self, tmp_path: Path, cache: Cache) -> None:
        for name in ("work/old", "beginnings/old", "work/new"):
            path = tmp_path / "cache" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
            os.utime(path, (0, 0) if path.name == "old" else None)
        with cache.workplace():
            pass
        assert self.kept(tmp_path / "cache") == ["CACHEDIR.TAG", "work/new"]

    def test_what_is_read_stays(self, tmp_path: Path, cache: Cache) -> None:
        week = 7 * 24 * 3600
        now = time.time()
        for name, read in (("used", now), ("unused", now - week - 60)):
            cache.remember("kind", name, b"x")
            os.utime(tmp_path / "cache" / "kind" / name, (read, now - week - 60))
        cache.remember("kind", "new", b"x")
        assert self.kept(tmp_path / "cache") == ["kind/new", "kind/used"]

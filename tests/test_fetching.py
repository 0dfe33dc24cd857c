from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from multisite.credentials import Credentials
from multisite.errors import ArtifactMismatch, DownloadFailed
from multisite.fetching import Fetched, Fetcher
from multisite.interpreter import inspect_interpreter
from multisite.lockfile import DirectorySource, Pinned
from multisite.names import normalize
from multisite.request import Request
from multisite.resolving import Upgrade, UvResolver
from multisite.transport import Transport
from tests.fetching import CONTENT, WHEEL, Bench, Recorder, hashes, pin, transport
from tests.index import Fault


def test_a_file_is_fetched_checked_and_named(bench: Bench) -> None:
    wanted = pin(url=bench.url, hashes=hashes(CONTENT, "md5", "sha512", "blake2b"))
    (fetched,) = bench.fetch(wanted)
    assert fetched == Fetched(
        pinned=wanted,
        path=bench.folder / "big" / WHEEL,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
    )
    assert fetched.path.read_bytes() == CONTENT
    assert bench.left() == [WHEEL]


@pytest.mark.parametrize("how", ["relative path", "absolute path", "file URL", "path before URL", "URL for lost path"])
def test_files_of_this_machine_need_no_network(bench: Bench, how: str) -> None:
    path = bench.served / WHEEL
    facts: dict[str, Any] = {
        "relative path": {"path": f"served/{WHEEL}"},
        "absolute path": {"path": str(path)},
        "file URL": {"url": path.as_uri()},
        "path before URL": {"path": f"served/{WHEEL}", "url": "https://nowhere.test/x"},
        "URL for lost path": {"path": "lost/x.whl", "url": path.as_uri()},
    }[how]
    (fetched,) = bench.fetch(pin(**facts), fetcher=Fetcher(None))
    assert fetched.path.read_bytes() == CONTENT
    assert path.read_bytes() == CONTENT


def test_a_size_that_the_lockfile_lacks_is_no_obstacle(bench: Bench) -> None:
    (fetched,) = bench.fetch(pin(url=bench.url, size=None))
    assert fetched.size == len(CONTENT)


MISMATCHES: dict[str, tuple[Fault, dict[str, Any], str]] = {
    "other bytes": (
        Fault(content=CONTENT[::-1]),
        {},
        f"sha256 is {hashes(CONTENT[::-1])['sha256']}, but the lockfile says {hashes(CONTENT)['sha256']}",
    ),
    "another of the hashes": (
        Fault(),
        {"hashes": hashes(CONTENT) | {"sha512": "0" * 128}},
        f"sha512 is {hashlib.sha512(CONTENT).hexdigest()}, but the lockfile says {'0' * 128}",
    ),
    "announced size": (
        Fault(content=b"short"),
        {},
        "size is 5 bytes, but the lockfile says 1048576 bytes",
    ),
    "too short": (
        Fault(content=b"short"),
        {},
        "size is 5 bytes, but the lockfile says 1048576 bytes",
    ),
    "too long": (
        Fault(content=CONTENT + b"x" * 10_000_000, unannounced=True),
        {},
        "size is more than 1048576 bytes, but the lockfile says 1048576 bytes",
    ),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_what_is_not_the_locked_file_is_refused(bench: Bench, case: str) -> None:
    fault, facts, sentence = MISMATCHES[case]
    bench.index.fail(WHEEL, fault)
    with pytest.raises(ArtifactMismatch) as caught:
        bench.fetch(pin(url=bench.url, **facts))
    assert str(caught.value) == f"{WHEEL}: {sentence}; nothing of it was used"
    assert bench.left() == []
    assert bench.index.requests.total() == 1


def test_no_more_than_one_byte_past_the_size_is_read_from_a_file(bench: Bench) -> None:
    with pytest.raises(ArtifactMismatch, match="size is more than 10 bytes, but the lockfile says 10 bytes"):
        bench.fetch(pin(path=f"served/{WHEEL}", size=10))


AGAIN: dict[str, tuple[Fault, dict[str, Any], list[str], list[str]]] = {
    "503": (Fault(times=2, status=503, content=b"busy"), {}, [], []),
    "429": (Fault(times=2, status=429, content=b"busy", headers={"Retry-After": "0"}), {}, [], []),
    "nothing sent": (Fault(times=2, break_after=0), {}, [], []),
    "broken off": (Fault(times=2, break_after=300_000), {}, ["bytes=300000-", "bytes=600000-"], []),
    "without tags": (Fault(times=2, break_after=300_000), {"tagged": False}, ["bytes=300000-", "bytes=600000-"], []),
    "no parts": (Fault(times=2, break_after=300_000), {"partial": False}, [], ["restarted"] * 2),
    "another part": (
        Fault(times=2, break_after=300_000, headers={"Content-Range": "bytes 5-1048575/1048576"}),
        {},
        ["bytes=300000-"],
        ["restarted"],
    ),
    "another file": (
        Fault(times=1, break_after=300_000, headers={"ETag": '"old"'}),
        {},
        ["bytes=300000-"],
        ["restarted"],
    ),
    "a length that is none": (
        Fault(times=2, headers={"Content-Length": "9" * 5000}, break_after=0, unannounced=True),
        {},
        [],
        [],
    ),
    "broken off, and no length": (
        Fault(times=2, break_after=300_000, unannounced=True),
        {},
        ["bytes=300000-", "bytes=600000-"],
        [],
    ),
    "weak tag": (Fault(times=1, break_after=300_000, headers={"ETag": 'W/"old"'}), {}, ["bytes=300000-"], []),
    "pieces of two files": (
        Fault(times=1, break_after=300_000, content=CONTENT[::-1]),
        {"tagged": False},
        ["bytes=300000-"],
        ["restarted"],
    ),
    "many breaks that each bring much": (
        Fault(times=5, break_after=250_000),
        {},
        [f"bytes={number * 250_000}-" for number in range(1, 5)],
        [],
    ),
}


@pytest.mark.parametrize("case", AGAIN)
def test_what_may_go_better_is_tried_again(bench: Bench, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault, served, ranges, events = AGAIN[case]
    monkeypatch.setattr("multisite.fetching._GAIN", 250_000)
    for name, value in served.items():
        setattr(bench.index, name, value)
    bench.index.fail(WHEEL, replace(fault))
    recorder = Recorder()
    (fetched,) = bench.fetch(pin(url=bench.url), fetcher=Fetcher(transport(), progress=recorder))
    assert fetched.path.read_bytes() == CONTENT
    assert bench.index.ranges == ranges
    assert [event for event, _, _ in recorder.events] == ["started", *events, "finished"]
    assert recorder.bytes == {WHEEL: len(CONTENT)}
    assert bench.left() == [WHEEL]


def test_a_range_that_the_server_refuses_begins_anew(bench: Bench) -> None:
    bench.index.fail(WHEEL, Fault(times=1, break_after=300_000, content=CONTENT + CONTENT))
    bench.served.joinpath(WHEEL).write_bytes(CONTENT[:200_000])
    wanted = pin(url=bench.url, size=None, hashes=hashes(CONTENT[:200_000]))
    bench.index.tagged = False
    (fetched,) = bench.fetch(wanted)
    assert fetched.size == 200_000
    assert bench.index.ranges == ["bytes=300000-"]


REFUSALS: dict[str, tuple[Fault, int, str]] = {
    "404": (Fault(status=404, content=b"gone"), 1, "404 Not Found"),
    "401": (Fault(status=401, content=b""), 1, "401 Unauthorized"),
    "for ever 503": (Fault(status=503, content=b""), 3, "503 Service Unavailable (tried 3 times)"),
    "for ever broken": (Fault(break_after=7), 3, "the connection broke off (tried 3 times)"),
    "loop": (Fault(status=302, content=b"", headers={"Location": WHEEL}), 20, "more than 20 redirects"),
    "other kind": (
        Fault(status=302, content=b"", headers={"Location": "ftp://index.test/x"}),
        1,
        "a redirect: addresses of the kind 'ftp' are not fetched",
    ),
    "to a file": (
        Fault(status=302, content=b"", headers={"Location": "file:///etc/passwd"}),
        1,
        "a redirect: addresses of the kind 'file' are not fetched",
    ),
    "to a host that refuses": (
        Fault(status=302, content=b"", headers={"Location": "http://127.0.0.1:1/x?signature=secret"}),
        3,
        "it leads to http://127.0.0.1:1: Connection refused (tried 3 times)",
    ),
    "for ever broken, and no length": (
        Fault(break_after=7, unannounced=True),
        3,
        "the connection broke off (tried 3 times)",
    ),
    "no address": (
        Fault(status=302, content=b"", headers={"Location": "http://[broken"}),
        1,
        "a redirect: not an address",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_fetched_says_why(bench: Bench, case: str) -> None:
    fault, requests, reason = REFUSALS[case]
    bench.index.fail(WHEEL, fault)
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(url=bench.url))
    assert str(caught.value) == f"{WHEEL}: could not be fetched from {bench.url}: {reason}"
    assert bench.index.requests.total() == requests
    assert bench.left() == []


@pytest.mark.parametrize(
    ("facts", "address", "reason"),
    [
        ({"url": "http://u:secret@127.0.0.1:1/x"}, "http://127.0.0.1:1/x", "Connection refused (tried 3 times)"),
        ({"url": "ftp://u:secret@h.test/x"}, "ftp://h.test/x", "addresses of the kind 'ftp' are not fetched"),
        (
            {"url": "http://h.test:99999/x"},
            "http://h.test:99999/x",
            "not an address: its port is not a number up to 65535",
        ),
        ({"url": "http:///x"}, "http:///x", "the address names no host"),
        ({"url": "file:///dev/null"}, "/dev/null", "it is not a regular file"),
        ({"path": "/"}, "/", "it is a folder"),
        ({"url": "file://h.test/x"}, "file://h.test/x", "a file of another machine"),
        ({"url": "file:///no/such"}, "/no/such", "No such file or directory"),
    ],
)
def test_addresses_that_lead_nowhere(bench: Bench, facts: dict[str, Any], address: str, reason: str) -> None:
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(**facts))
    assert str(caught.value) == f"{WHEEL}: could not be fetched from {address}: {reason}"


def test_offline_asks_nobody(bench: Bench) -> None:
    with pytest.raises(DownloadFailed, match="it is not here, and --offline is given"):
        bench.fetch(pin(url=bench.url), fetcher=Fetcher(None))
    assert not bench.index.requests


def test_redirects_are_followed(bench: Bench) -> None:
    (bench.served / "other").write_bytes(CONTENT)
    bench.index.fail(WHEEL, Fault(status=301, content=b"", headers={"Location": "/files/other?token=x#y"}))
    (fetched,) = bench.fetch(pin(url=bench.url))
    assert fetched.path.read_bytes() == CONTENT


def test_the_first_failure_stops_the_others(bench: Bench) -> None:
    names = [f"n{number}-1-py3-none-any.whl" for number in range(50)]
    for name in names:
        (bench.served / name).write_bytes(CONTENT)
    wanted = [pin(name, url=bench.index.file_url(name)) for name in names]
    lost = pin("lost-1-py3-none-any.whl", url=bench.index.file_url("lost"), size=2**40)
    fetcher = Fetcher(transport(), connections=2)
    with pytest.raises(DownloadFailed, match="404"):
        bench.fetch(lost, *wanted, fetcher=fetcher)
    assert bench.index.requests.total() < 50
    assert not [name for name in bench.left() if name.endswith(".part")]
    assert not crew()


def test_files_come_as_they_are_ready(bench: Bench) -> None:
    held = threading.Event()
    bench.index.fail(WHEEL, Fault(times=1, hold=held))
    (bench.served / "quick-1-py3-none-any.whl").write_bytes(CONTENT)
    wanted = [pin(name, url=bench.index.file_url(name)) for name in (WHEEL, "quick-1-py3-none-any.whl")]
    arriving = Fetcher(transport()).fetch(wanted, bench.folder, relative_to=bench.lock_folder)
    assert next(arriving).pinned.name == "quick"
    held.set()
    assert [fetched.pinned.name for fetched in arriving] == ["big"]


class TestFilesArePutToUse:
    """What is done with files by threads of their own, while others are on their way."""

    NAMES = ("a", "b", "c", "d", "e", "f")

    def arriving(self, bench: Bench, use: Callable[[Fetched, Callable[[], None]], None]) -> Iterator[Fetched]:
        for name in self.NAMES:
            (bench.served / f"{name}-1-py3-none-any.whl").write_bytes(CONTENT)
        wanted = [pin(f"{name}-1-py3-none-any.whl", path=f"served/{name}-1-py3-none-any.whl") for name in self.NAMES]
        return Fetcher(transport()).fetch(wanted, bench.folder, relative_to=bench.lock_folder, use=use)

    def test_one_that_takes_long_holds_up_no_other(self, bench: Bench) -> None:
        others = threading.Event()

        def use(fetched: Fetched, proceed: Callable[[], None]) -> None:
            if fetched.pinned.name == "a":
                assert others.wait(30)

        names = []
        for fetched in self.arriving(bench, use):
            names.append(fetched.pinned.name)
            if len(names) == len(self.NAMES) - 1:
                others.set()
        assert names[-1] == "a"
        assert set(names) == set(self.NAMES)

    def test_it_is_done_before_a_file_is_handed_out_by_few_threads(self, bench: Bench) -> None:
        used: dict[str, str] = {}

        def use(fetched: Fetched, proceed: Callable[[], None]) -> None:
            used[fetched.pinned.name] = threading.current_thread().name

        for fetched in self.arriving(bench, use):
            assert fetched.pinned.name in used
        assert len(set(used.values())) <= 4
        assert threading.current_thread().name not in used.values()

    def test_what_fails_there_is_raised_here_and_ends_the_others(self, bench: Bench) -> None:
        begun, ended = threading.Event(), []
        first = iter(["whichever comes first"])

        def use(fetched: Fetched, proceed: Callable[[], None]) -> None:
            if next(first, None):
                assert begun.wait(30)
                raise ValueError("it is no good")
            begun.set()
            try:
                while True:
                    proceed()
            except CancelledError:
                ended.append(fetched.pinned.name)
                raise

        with pytest.raises(ValueError, match="it is no good"):
            list(self.arriving(bench, use))
        assert ended
        assert [thread for thread in threading.enumerate() if thread.name.startswith("multisite-use")] == []


def crew() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("multisite-fetch")]


def test_nobody_waits_for_a_silent_server_once_something_failed(bench: Bench) -> None:
    held = threading.Event()
    bench.index.fail(WHEEL, Fault(hold=held))
    lost = pin("lost-1-py3-none-any.whl", url=bench.index.file_url("lost"))
    with pytest.raises(DownloadFailed, match="404"):
        bench.fetch(pin(url=bench.url), lost)
    left_behind = crew()
    held.set()
    for thread in left_behind:
        thread.join()
    assert [thread.daemon for thread in left_behind] == [True]
    assert bench.left() == []


def test_only_files_are_fetched(bench: Bench) -> None:
    source = DirectorySource(path=".", editable=False, subdirectory=None)
    with pytest.raises(TypeError, match=r"^a does not come from a file$"):
        bench.fetch(Pinned(name=normalize("a"), version=None, source=source, index=None))


def test_a_folder_that_cannot_be_written_is_named(bench: Bench) -> None:
    bench.folder.write_text("a file")
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(url=bench.url))
    assert caught.value.reason == f"Not a directory: {bench.folder / 'big'}"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_a_pipe_is_not_waited_for(bench: Bench, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(path="pipe"))
    assert caught.value.reason == "it is not a regular file"


@pytest.mark.index
def test_real_distributions_are_resolved_and_fetched(tmp_path: Path) -> None:
    python = inspect_interpreter(Path(sys.executable))
    resolver = UvResolver(program=find_uv_bin(), environ=os.environ)
    request = Request.read(["requests", "rich"], folder=tmp_path)
    lockfile = tmp_path / "pylock.toml"
    lock = resolver.resolve(request, python=python.executable, lockfile=lockfile, upgrade=Upgrade()).lock
    pinned = lock.select(python.tags, python.marker_environment)
    fetcher = Fetcher(Transport(Credentials(environ=os.environ)))
    fetched = list(fetcher.fetch(pinned, tmp_path / "fetched", relative_to=tmp_path))
    assert {one.pinned.name for one in fetched} >= {"requests", "rich", "urllib3"}
    assert {one.pinned.name for one in fetched} == {one.name for one in pinned}
    assert request.requested_names(lock) == {"requests", "rich"}


MIRRORS: dict[str, tuple[dict[str, Any], Fault, str | None]] = {
    "404": ({}, Fault(status=404, content=b""), None),
    "for ever 503": ({}, Fault(status=503, content=b""), None),
    "a page of a portal": ({}, Fault(content=b"<html>log in"), None),
    "another kind of address": ({"url": "ftp://h.test/x"}, Fault(), None),
    "a lost file": ({"url": "file:///no/such"}, Fault(), None),
    "both fail": (
        {"url": "http://h.test:99999/x"},
        Fault(),
        (
            f"{WHEEL}: could not be fetched from http://h.test:99999/x: "
            "not an address: its port is not a number up to 65535"
        ),
    ),
}


@pytest.mark.parametrize("case", MIRRORS)
def test_other_addresses_of_a_file_are_tried(bench: Bench, case: str) -> None:
    facts, fault, sentence = MIRRORS[case]
    if sentence is None:
        (bench.served / "mirrored").write_bytes(CONTENT)
    bench.index.fail(WHEEL, fault)
    asked: list[str] = []

    def mirrors(sha256: str) -> list[str]:
        asked.append(sha256)
        return [bench.index.file_url("mirrored")]

    fetcher = Fetcher(transport(), mirrors=mirrors)
    wanted = pin(**({"url": bench.url} | facts))
    if sentence is None:
        (fetched,) = bench.fetch(wanted, fetcher=fetcher)
        assert fetched.path.read_bytes() == CONTENT
    else:
        with pytest.raises(DownloadFailed) as caught:
            bench.fetch(wanted, fetcher=fetcher)
        assert str(caught.value) == sentence
    assert asked == [hashes(CONTENT)["sha256"]]

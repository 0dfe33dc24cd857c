from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from multisite.credentials import Credentials
from multisite.errors import ArtifactMismatch, DownloadFailed
from multisite.fetching import Fetched, Fetcher
from multisite.interpreter import inspect_interpreter
from multisite.lockfile import DirectorySource, Pinned, WheelSource
from multisite.names import normalize
from multisite.request import Request
from multisite.resolving import Upgrade, UvResolver
from multisite.transport import Transport
from tests.index import Fault, LocalIndex

CONTENT = bytes(range(256)) * 4096  # a mebibyte: several chunks
WHEEL = "big-1-py3-none-any.whl"
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

    def fetch(self, *pinned: Pinned, fetcher: Fetcher | None = None) -> list[Fetched]:
        fetcher = fetcher or Fetcher(transport())
        return list(fetcher.fetch(pinned, self.folder, relative_to=self.lock_folder))

    def left(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    @property
    def url(self) -> str:
        return self.index.file_url(WHEEL)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    served = tmp_path / "served"
    served.mkdir()
    (served / WHEEL).write_bytes(CONTENT)
    with LocalIndex(served) as index:
        yield Bench(tmp_path, index)


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[str, str, int | None]] = []
        self.bytes: Counter[str] = Counter()

    def started(self, name: str, total: int | None) -> None:
        self.events.append(("started", name, total))

    def advanced(self, name: str, count: int) -> None:
        self.bytes[name] += count

    def restarted(self, name: str) -> None:
        self.events.append(("restarted", name, self.bytes.pop(name, 0)))

    def finished(self, name: str) -> None:
        self.events.append(("finished", name, None))


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
        Fault(content=b"short", unannounced=True),
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


@pytest.mark.parametrize(
    "fault",
    [
        Fault(times=2, status=503, content=b"busy"),
        Fault(times=2, status=429, content=b"busy", headers={"Retry-After": "0"}),
        Fault(times=2, break_after=300_000),
        Fault(times=2, break_after=0),
    ],
    ids=["503", "429", "broken off", "nothing sent"],
)
def test_what_may_go_better_is_tried_again(bench: Bench, fault: Fault) -> None:
    bench.index.fail(WHEEL, fault)
    recorder = Recorder()
    (fetched,) = bench.fetch(pin(url=bench.url), fetcher=Fetcher(transport(), progress=recorder))
    assert fetched.path.read_bytes() == CONTENT
    assert bench.index.requests.total() == 3
    assert [event for event, _, _ in recorder.events] == ["started", "restarted", "restarted", "finished"]
    assert recorder.bytes == {WHEEL: len(CONTENT)}


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
    "no address": (
        Fault(status=302, content=b"", headers={"Location": "http://[broken"}),
        1,
        "a redirect: not an address: Invalid IPv6 URL",
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
        ({"url": "http://h.test:99999/x"}, "http://h.test:99999/x", "not an address: Port out of range 0-65535"),
        ({"url": "file://h.test/x"}, "file://h.test/x", "a file of another machine"),
        ({"url": "file:///no/such"}, "/no/such", "No such file or directory: /no/such"),
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
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("multisite-fetch")]


def test_files_come_as_they_are_ready(bench: Bench) -> None:
    held = threading.Event()
    bench.index.fail(WHEEL, Fault(times=1, hold=held))
    (bench.served / "quick-1-py3-none-any.whl").write_bytes(CONTENT)
    wanted = [pin(name, url=bench.index.file_url(name)) for name in (WHEEL, "quick-1-py3-none-any.whl")]
    arriving = Fetcher(transport()).fetch(wanted, bench.folder, relative_to=bench.lock_folder)
    assert next(arriving).pinned.name == "quick"
    held.set()
    assert [fetched.pinned.name for fetched in arriving] == ["big"]


def test_only_files_are_fetched(bench: Bench) -> None:
    source = DirectorySource(path=".", editable=False, subdirectory=None)
    with pytest.raises(TypeError, match=r"^a does not come from a file$"):
        bench.fetch(Pinned(name=normalize("a"), version=None, source=source, index=None))


def test_a_folder_that_cannot_be_written_is_named(bench: Bench) -> None:
    bench.folder.write_text("a file")
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(url=bench.url))
    assert caught.value.reason == f"Not a directory: {bench.folder / 'big'}"


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    served = tmp_path / "guarded"
    served.mkdir()
    (served / WHEEL).write_bytes(CONTENT)
    with LocalIndex(served, user="me", password="p@ss:word") as index:
        yield Bench(tmp_path, index)


@pytest.mark.parametrize("how", ["the index's address", "the file's address", "netrc"])
def test_credentials_are_found(guarded: Bench, tmp_path: Path, how: str) -> None:
    encoded = guarded.url.replace("://", "://me:p%40ss%3Aword@")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password p@ss:word\n")
    url, credentials = {
        "the index's address": (guarded.url, Credentials([encoded])),
        "the file's address": (encoded, Credentials()),
        "netrc": (guarded.url, Credentials(environ={"NETRC": str(netrc)})),
    }[how]
    (fetched,) = guarded.fetch(pin(url=url), fetcher=Fetcher(transport(credentials=credentials)))
    assert fetched.path.read_bytes() == CONTENT


def test_credentials_go_to_their_own_origin_only(guarded: Bench, bench: Bench) -> None:
    guarded.index.credentials = None
    elsewhere = guarded.index.file_url(WHEEL)
    bench.index.fail(WHEEL, Fault(status=302, content=b"", headers={"Location": elsewhere}))
    credentials = Credentials([bench.index.url.replace("://", "://me:secret@")])
    guarded.index.credentials = "me:secret"
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(url=bench.url), fetcher=Fetcher(transport(credentials=credentials)))
    assert caught.value.reason == "401 Unauthorized"


def test_a_broken_netrc_is_told_with_the_refusal(guarded: Bench, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine\n")
    credentials = Credentials(environ={"NETRC": str(netrc)})
    with pytest.raises(DownloadFailed) as caught:
        guarded.fetch(pin(url=guarded.url), fetcher=Fetcher(transport(credentials=credentials)))
    assert caught.value.reason.startswith(f"401 Unauthorized; credentials could not be read: {netrc}: ")
    assert "secret" not in str(caught.value)


def test_a_proxy_is_used_unless_the_host_is_excepted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://u:secret@127.0.0.1:1")
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(url=bench.url))
    assert caught.value.reason == "the proxy does not answer: Connection refused (tried 3 times)"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert bench.fetch(pin(url=bench.url))


@pytest.mark.parametrize(("old", "new", "allowed"), [("https", "http", False), ("http", "https", True)])
def test_no_redirect_leads_from_https_to_http(old: str, new: str, allowed: bool) -> None:
    from multisite.transport import _objection

    objection = _objection(f"{new}://b.test/x", base=f"{old}://a.test/x")
    assert objection == (None if allowed else "it leads from https to http")


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

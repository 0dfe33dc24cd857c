"""The way to a server: certificates, proxies, and heads that never end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from multisite.errors import DownloadFailed
from multisite.fetching import Fetcher
from tests.fetching import CONTENT, WHEEL, Bench, Recorder, pin, transport
from tests.index import Fault


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_is_used_unless_the_host_is_excepted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://u:secret@127.0.0.1:1")
    recorder = Recorder()
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(url=bench.url), fetcher=Fetcher(transport(), progress=recorder))
    assert caught.value.reason == "the proxy does not answer: Connection refused (tried 3 times)"
    assert recorder.waits == ["the proxy does not answer: Connection refused"] * 2
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert bench.fetch(pin(url=bench.url))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("socks5://127.0.0.1:1", "it is of the kind 'socks5', and only http and https are spoken"),
        ("http://[::1", "not an address"),
        ("http://me:secret@127.0.0.1:abc", "not an address: its port is not a number up to 65535"),
        ("http://a b:1", "not an address: its host has a space"),
        ("http://", "it names no host"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, address: str, reason: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", address)
    with pytest.raises(DownloadFailed) as caught:
        bench.fetch(pin(url=bench.url))
    assert caught.value.reason == f"the proxy of the variable HTTP_PROXY cannot be used: {reason}"
    assert caught.value.hint == "correct HTTP_PROXY, or unset it"


def test_a_proxy_for_other_addresses_may_be_wrong(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://[::1")
    assert bench.fetch(pin(url=bench.url))


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", b"HTTP/1.1 2"])
def test_a_head_without_end_is_not_waited_for(bench: Bench, head: bytes) -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(head)
                while not ended.wait(0.01):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        fetcher = Fetcher(transport(tries=1, timeout=60, patience=0.3))
        with pytest.raises(DownloadFailed) as caught:
            bench.fetch(pin(url=f"http://127.0.0.1:{server.getsockname()[1]}/{WHEEL}"), fetcher=fetcher)
        ended.set()
        thread.join()
    assert caught.value.reason == "the server stopped sending (tried 1 times)"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def encrypted(tmp_path: Path, authority: trustme.CA, bench: Bench) -> Iterator[Bench]:
    """Serve over https; ``bench``, over http, is there as well."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (tmp_path / "encrypted").mkdir()
    with Bench.opened(tmp_path / "encrypted", tls=context) as encrypted:
        yield encrypted


@pytest.fixture
def trusting(tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.mark.usefixtures("trusting")
def test_an_authority_of_ones_own_is_trusted(encrypted: Bench) -> None:
    (fetched,) = encrypted.fetch(pin(url=encrypted.url))
    assert fetched.path.read_bytes() == CONTENT


def test_an_unknown_authority_is_not_trusted(encrypted: Bench) -> None:
    with pytest.raises(DownloadFailed, match="certificate verify failed: unable to get local issuer certificate"):
        encrypted.fetch(pin(url=encrypted.url))
    assert encrypted.index.requests.total() == 0


@pytest.mark.usefixtures("trusting")
def test_no_redirect_leads_from_https_to_http(bench: Bench, encrypted: Bench) -> None:
    encrypted.index.fail(WHEEL, Fault(status=302, content=b"", headers={"Location": bench.url}))
    with pytest.raises(DownloadFailed) as caught:
        encrypted.fetch(pin(url=encrypted.url))
    assert caught.value.reason == "a redirect: it leads from https to http"
    assert bench.index.requests.total() == 0


@pytest.mark.usefixtures("trusting")
def test_a_redirect_may_lead_from_http_to_https(bench: Bench, encrypted: Bench) -> None:
    bench.index.fail(WHEEL, Fault(status=302, content=b"", headers={"Location": encrypted.url}))
    (fetched,) = bench.fetch(pin(url=bench.url))
    assert fetched.path.read_bytes() == CONTENT

"""Credentials: where they are found, and whom they are told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from multisite.credentials import Credentials
from multisite.errors import DownloadFailed
from multisite.fetching import Fetcher
from tests.fetching import CONTENT, WHEEL, Bench, pin, transport
from tests.index import Fault


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "guarded").mkdir()
    with Bench.opened(tmp_path / "guarded", user="me", password="p@ss:word") as bench:
        yield bench


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


def test_credentials_are_sent_in_utf8(guarded: Bench) -> None:
    guarded.index.credentials = "mé:пароль"
    address = f"http://{quote('mé')}:{quote('пароль')}@127.0.0.1"
    credentials = Credentials([guarded.url.replace("http://127.0.0.1", address)])
    assert guarded.fetch(pin(url=guarded.url), fetcher=Fetcher(transport(credentials=credentials)))


def test_variables_in_addresses_are_replaced() -> None:
    environ = {"TOKEN": "secret", "NETRC": os.devnull}
    credentials = Credentials(
        ["https://me:${TOKEN}@index.test/", "https://${GONE}@b.test", "http://[x"], environ=environ
    )
    assert credentials.find("https://index.test/files/x") == ("me", "secret")
    assert credentials.find("https://b.test/") == ("${GONE}", "")

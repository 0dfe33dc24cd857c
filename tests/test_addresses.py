"""Addresses: users and passwords are neither shown nor written, however they are spelt."""

from __future__ import annotations

import pytest

from multisite.addresses import address_problem, mask_credentials, strip_credentials


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://user:secret@index.test:8443/a?b=c#d", "https://index.test:8443/a?b=c#d"),
        ("https://token@index.test/a", "https://index.test/a"),
        ("https://a@b:c@index.test/a", "https://index.test/a"),
        ("ssh://git@index.test/a", "ssh://git@index.test/a"),
        ("git+ssh://git:secret@index.test/a", "git+ssh://git@index.test/a"),
        ("https://index.test/a@b", "https://index.test/a@b"),
        ("git@index.test:a/b.git", "git@index.test:a/b.git"),
        ("http://[broken", "http://[broken"),
        ("http://me:secret@[broken", "http://****@[broken"),
        ("http://me:sec/ret@index.test/a", "http://****@index.test/a"),
    ],
)
def test_stripped(url: str, kept: str) -> None:
    assert strip_credentials(url) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:secret@host/simple", "https://****@host/simple"),
        ("from 'https://u:s%40@h/x' and http://v:t@h:1/y", "from 'https://****@h/x' and http://****@h:1/y"),
        ("https://:secret@host", "https://****@host"),
        ("https://token@host/x", "https://****@host/x"),
        ("https://a@b:c@host/x", "https://****@host/x"),
        ("http://me:sec/ret@host/x@1", "http://****@1"),
        ("http://me:sec?ret@host", "http://****@host"),
        ("git+ssh://git@host/x", "git+ssh://git@host/x"),
        ("git+ssh://git:secret@host/x", "git+ssh://****@host/x"),
        ("git+https://host/x.git@v1", "git+https://host/x.git@v1"),
        ("git+https://host:8443/x.git@v1", "git+https://host:8443/x.git@v1"),
        ("http://[::1]:80/x@y", "http://[::1]:80/x@y"),
        ("mail me@example.com: see https://host/a:b@c", "mail me@example.com: see https://host/a:b@c"),
    ],
)
def test_masked(text: str, expected: str) -> None:
    assert mask_credentials(text) == expected


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://index.test/a b", None),
        ("file:///a", None),
        ("http://me:s3cret/x@index.test", "not an address: its port is not a number up to 65535"),
        ("http://h:99999/", "not an address: its port is not a number up to 65535"),
        ("http://[broken", "not an address"),
        ("files/x.whl", "not an address"),
        ("http://a\nb/", "not an address: it has unprintable characters"),
        ("file:///a%00b", "not an address: it has unprintable characters"),
        ("http://a b/", "not an address: its host has a space"),
    ],
)
def test_problems(url: str, problem: str | None) -> None:
    assert address_problem(url) == problem

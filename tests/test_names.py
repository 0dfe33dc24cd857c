from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from multisite.names import BuildId, normalize

BUILD = BuildId(name=normalize("Foo.Bar"), version="1!2.0rc1+local.7", build="py3-none-any-0f3a9c2b1d4e5f67")

names = st.text(string.ascii_letters + string.digits + "-_.", min_size=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Django", "django"), ("zope.interface", "zope-interface"), ("A--_.b", "a-b"), ("", ""), ("_x", "-x")],
)
def test_normalize(name: str, expected: str) -> None:
    assert normalize(name) == expected


@given(names)
def test_names_are_packagings(name: str) -> None:
    assert normalize(name) == canonicalize_name(name)
    assert normalize(normalize(name)) == normalize(name)


def test_a_build_is_named_by_its_path() -> None:
    assert BUILD.path == str(BUILD) == "foo-bar/1!2.0rc1+local.7/py3-none-any-0f3a9c2b1d4e5f67"
    assert BuildId.parse(BUILD.path) == BUILD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo",
        "foo/1.0",
        "foo/1.0/b/c",
        "foo//b",
        "foo/./b",
        "foo/../b",
        "../1.0/b",
        "foo/1.0/..",
        "/1.0/b",
        "foo/1.0/",
        "foo\\1.0\\b",
        "foo/1.0/b\\c",
        "foo/1.0/b\0",
        "foo/1.0/b\n",
        "foo/1.0/.b",
        "foo/1.0/b.",
        "foo/1.0/c:b",
        "Foo/1.0/b",
        "foo_bar/1.0/b",
        "foo/1.0/bé",
        "foo/1.0/b ",
    ],
)
def test_what_is_no_build(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a build's name: ") as caught:
        BuildId.parse(text)
    assert str(caught.value) == f"not a build's name: {text!r}"


@given(st.text(), st.text(), st.text())
def test_what_parses_stays_in_its_folder(name: str, version: str, build: str) -> None:
    text = f"{name}/{version}/{build}"
    try:
        parsed = BuildId.parse(text)
    except ValueError:
        return
    assert parsed.path == text
    assert not {"", ".", ".."} & set(text.split("/"))


def test_builds_are_sorted_by_name_version_and_build() -> None:
    texts = ["b/1.0/x", "a/2.0/x", "a/1.0/y", "a/1.0/x"]
    assert [str(build) for build in sorted(map(BuildId.parse, texts))] == sorted(texts)

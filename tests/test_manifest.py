from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.manifest import DataFile, Manifest, claims, closures, collide, top_level
from multisite.names import normalize
from multisite.native import Native, Search

DATA = Path(__file__).parent / "data" / "manifests"

MANIFEST = Manifest(
    name=normalize("Foo.Bar"),
    version="1.0",
    build="py3-none-any-0f0f0f0f0f0f0f0f",
    digest="0f" * 32,
    tags=("py3-none-any",),
    dist_info="Foo_Bar-1.0.dist-info",
    metadata_name="Foo.Bar",
    metadata_version="1.0.0",
    requires_python=">=3.8",
    requires_dist=("idna",),
    provides_extra=("x",),
    entry_points="[console_scripts]\nfoo = foo:main\n",
    top_level={"foo": "package"},
    claims={"foo": "package"},
    pth={"foo.pth": "import foo\n"},
    start={"foo.start": "foo:start\n"},
    data=(DataFile(scheme="scripts", path="foo.sh", sha256="1a" * 32, size=12, executable=True),),
    native=Native(
        files=("foo/lib/libfoo.so.1",),
        searches=(Search(folders=("foo/lib", "bar/lib"), names=("libbar.so.1",), chained=True),),
    ),
    files=12,
    size=34567,
)


def manifest(name: str, *paths: str, native: Native | None = None) -> Manifest:
    return replace(
        MANIFEST, name=normalize(name), claims=claims(paths), top_level=top_level(paths), native=native or Native()
    )


def test_round_trip() -> None:
    assert Manifest.from_document(MANIFEST.to_document(), "manifest.json") == MANIFEST
    assert MANIFEST.build_id.path == "foo-bar/1.0/py3-none-any-0f0f0f0f0f0f0f0f"


def test_the_least_that_a_manifest_says() -> None:
    least = Manifest(
        name=normalize("a"), version="1", build="b", digest="0f" * 32, tags=(), dist_info="a-1.dist-info",
        metadata_name="a", metadata_version="1",
    )  # fmt: skip
    assert Manifest.from_document(least.to_document(), "manifest.json") == least


@pytest.mark.parametrize("path", sorted((DATA / "valid").iterdir()), ids=lambda path: path.stem)
def test_valid_files(path: Path) -> None:
    read = Manifest.from_document(path.read_bytes(), path.name)
    assert Manifest.from_document(read.to_document(), path.name) == read


@pytest.mark.parametrize("path", sorted((DATA / "invalid").glob("*.json")), ids=lambda path: path.stem)
def test_invalid_files(path: Path) -> None:
    with pytest.raises((InvalidDocument, UnsupportedFormat)) as caught:
        Manifest.from_document(path.read_bytes(), "manifest.json")
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


@given(st.integers(0, len(MANIFEST.to_document()) - 2))
def test_a_truncated_manifest_is_invalid(length: int) -> None:
    with pytest.raises(InvalidDocument):
        Manifest.from_document(MANIFEST.to_document()[:length], "manifest.json")


@pytest.mark.parametrize("key", [key for key in json.loads(MANIFEST.to_document()) if key != "entry_points"])
def test_every_key_is_needed(key: str) -> None:
    document = json.loads(MANIFEST.to_document())
    del document[key]
    with pytest.raises(InvalidDocument, match=rf": {key}(\.name)?: missing|{key}: missing"):
        Manifest.from_document(json.dumps(document).encode(), "manifest.json")


def test_unknown_keys_are_ignored() -> None:
    document = {**json.loads(MANIFEST.to_document()), "modules": {}}
    assert Manifest.from_document(json.dumps(document).encode(), "manifest.json") == MANIFEST


TREES: list[tuple[list[str], dict[str, str], dict[str, str]]] = [
    ([], {}, {}),
    (["foo/__init__.py", "foo/a.py"], {"foo": "package"}, {"foo": "package"}),
    (["foo/a.py"], {"foo": "namespace"}, {"foo/a": "module"}),
    (["six.py"], {"six": "module"}, {"six": "module"}),
    (
        ["_x.cpython-311-x86_64-linux-gnu.so", "_y.abi3.so", "_z.pyd", "w.pyc"],
        {"_x": "module", "_y": "module", "_z": "module", "w": "module"},
        {"_x": "module", "_y": "module", "_z": "module", "w": "module"},
    ),
    (["foo/__init__.pyc"], {"foo": "package"}, {"foo": "package"}),
    (["foo/__init__.cpython-311-darwin.so"], {"foo": "package"}, {"foo": "package"}),
    (["foo/__init__.pyi"], {"foo": "namespace"}, {"foo": "folder"}),
    (["foo.pth", "LICENSE", "foo.txt"], {}, {}),
    (["a.b.py"], {}, {}),
    (["a.libs/lib.so.1", "b.libs/x.so"], {}, {"a.libs": "folder", "b.libs/x": "module"}),
    (["f-1.dist-info/METADATA", "f-1.data/x/y.py", "__pycache__/a.pyc"], {}, {}),
    (["foo.py", "foo/__init__.py"], {"foo": "package"}, {"foo": "package"}),
    (["foo.py", "foo/data.txt"], {"foo": "module"}, {"foo": "module"}),
    (["ns/__pycache__/x.cpython-311.pyc", "ns/a/__init__.py"], {"ns": "namespace"}, {"ns/a": "package"}),
    (
        ["ns/a/__init__.py", "ns/a/sub/__init__.py", "ns/b.py", "ns/data/x.txt", "ns/data/p/__init__.py"],
        {"ns": "namespace"},
        {"ns/a": "package", "ns/b": "module", "ns/data": "folder", "ns/data/p": "package"},
    ),
    (["ns/x/y/z.txt"], {"ns": "namespace"}, {"ns/x/y": "folder"}),
]


@pytest.mark.parametrize(("paths", "names", "claimed"), TREES)
def test_names_and_claims(paths: list[str], names: dict[str, str], claimed: dict[str, str]) -> None:
    for given_paths in (paths, paths[::-1]):
        assert top_level(given_paths) == names
        assert claims(given_paths) == claimed


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (["foo/__init__.py"], ["bar/__init__.py"], False),
        (["foo/__init__.py"], ["foo/__init__.py"], True),
        (["PyQt5/__init__.py"], ["PyQt5/sip.so"], True),
        (["foo/__init__.py"], ["foo/data.txt"], True),
        (["foo/__init__.py"], ["foo/a/b/c.txt"], True),
        (["foo/__init__.py"], ["foobar/a.py"], False),
        (["foo.py"], ["foo.py"], True),
        (["foo.py"], ["foo/__init__.py"], True),
        (["foo.py"], ["foo/bar.py"], False),
        (["ns/a.py"], ["ns/b.py"], False),
        (["ns/a.py"], ["ns/a.py"], True),
        (["ns/a/__init__.py"], ["ns/b/__init__.py"], False),
        (["ns/a/__init__.py"], ["ns/a/b.py"], True),
        (["ns/x.txt"], ["ns/y.txt"], False),
        (["ns/x.txt"], ["ns/x.txt"], False),
        (["LICENSE"], ["LICENSE"], False),
    ],
)
def test_collide(one: list[str], other: list[str], expected: bool) -> None:
    a, b = manifest("a", *one), manifest("b", *other)
    assert (collide(a, b), collide(b, a)) == (expected, expected)


def test_closures_are_transitive_and_sorted() -> None:
    group = [manifest("c", "x/__init__.py"), manifest("a", "x/a.py", "y/__init__.py"), manifest("b", "y/b.txt")]
    other = [manifest("f", "w.py"), manifest("d", "w.py")]
    alone = manifest("e", "z/__init__.py")
    found = closures([*group, other[0], alone, other[1]])
    assert [[str(member.name) for member in closure] for closure in found] == [["a", "b", "c"], ["d", "f"]]


def test_closures_hold_who_finds_native_files_of_whom() -> None:
    searches = (Search(folders=("b/lib",), names=("libb.so",), chained=False),)
    finder = manifest("a", "a/__init__.py", native=Native(files=("a/x.so",), searches=searches))
    found = manifest("b", "b/__init__.py", "ns/x.py", native=Native(files=("b/lib/libb.so",)))
    meets = manifest("c", "ns/x.py")
    assert closures([found, meets, finder]) == [(finder, found, meets)]
    assert closures([meets, finder]) == []


trees = st.lists(
    st.sampled_from(
        [
            "a/__init__.py",
            "a/x.py",
            "a/b/__init__.py",
            "a/b/y.py",
            "a/b/z.txt",
            "a.py",
            "c/__init__.py",
            "c/d.txt",
            "d.py",
        ]
    ),
    max_size=3,
)


@given(st.lists(trees, max_size=7))
def test_closures_are_what_collide_says(files: list[list[str]]) -> None:
    manifests = [manifest(f"d{number}", *paths) for number, paths in enumerate(files)]
    reached: dict[str, set[str]] = {one.name: {one.name} for one in manifests}
    for _ in manifests:
        for one in manifests:
            for other in manifests:
                if other is not one and collide(one, other):
                    reached[one.name] |= reached[other.name]
                    reached[other.name] |= reached[one.name]
    expected = {frozenset(group) for group in reached.values() if len(group) > 1}
    found = closures(manifests)
    assert {frozenset(member.name for member in closure) for closure in found} == expected
    assert all(one[0].name < other[0].name for one, other in pairwise(found))


def written(**changes: Any) -> bytes:
    return json.dumps({**json.loads(MANIFEST.to_document()), **changes}).encode()


@pytest.mark.parametrize("found", [0, 1, 2, 3, 5, 99])
def test_another_format(found: int) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        Manifest.from_document(written(format=found), "manifest.json")
    assert caught.value.found == found

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.native import (
    Native,
    Search,
    data_path,
    elf_searches,
    linked,
    macho_searches,
    merged,
    native_kind,
    pe_searches,
)
from tests.native_files import elf, fat_macho, macho, pe


def search(folders: str, names: str, *, chained: bool = True) -> Search:
    split = tuple("" if folder == "." else folder for folder in folders.split())
    return Search(folders=split, names=tuple(names.split()), chained=chained)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", None),
        (b"\x7fELF", "elf"),
        (elf(), "elf"),
        (elf(bits=32, order=">"), "elf"),
        (macho(), "macho"),
        (macho(bits=32, order=">"), "macho"),
        (fat_macho(macho(), macho()), "macho"),
        (bytes.fromhex("cafebabe 00000034"), None),  # a class of Java 8
        (bytes.fromhex("cafebabe 00000000"), None),
        (bytes.fromhex("cafebabf 00000002"), "macho"),
        (pe(), "pe"),
        (b"MZ is how this text begins, and it is long enough to have a number where PE files have one", None),
        (b"MZ", None),
        (b"#!/bin/sh\n", None),
        (b"!<arch>\n", None),
    ],
)
def test_what_is_native(head: bytes, kind: str | None) -> None:
    assert native_kind(head[:4096]) == kind


RPATHS: list[tuple[str, str]] = [
    ("$ORIGIN/../../nvidia/cublas/lib", "nvidia/cublas/lib"),
    ("${ORIGIN}/../../b", "b"),
    ("$ORIGIN", "a/lib"),
    ("$ORIGIN/", "a/lib"),
    ("$ORIGIN/.:$ORIGIN//../lib/:$ORIGIN/../b", "a/lib a/b"),
    ("$ORIGIN/../..", "."),
    ("$ORIGIN/../../..", ".."),
    ("$ORIGIN/../../../../x:$ORIGIN/../../../../../bin/..", "../../x ../../.."),
    ("$ORIGIN/../../../../../lib/x", "../../x"),
    ("$ORIGIN/../../../site-packages/b", "b"),
    ("$ORIGIN/../../../../../..", ""),
    ("/usr/lib:/$ORIGIN/b:lib:$ORIGINAL/b:${ORIGIN}al/b:$LIB/b:${ORIGIN/b", ""),
    ("", ""),
    (":", ""),
    ("/opt/x:$ORIGIN/b::$ORIGIN/c", "a/lib/b a/lib/c"),
]


@pytest.mark.parametrize(("text", "folders"), RPATHS)
def test_folders_of_a_run_path(text: str, folders: str) -> None:
    assert elf_searches("a/lib/x.so", ["liby.so.1"], text, None) == [search(folders, "liby.so.1")]
    own = [search(folders, "liby.so.1", chained=False)] if folders else []
    assert elf_searches("a/lib/x.so", ["liby.so.1"], None, text) == own
    # A loader does not look at DT_RPATH where there is a DT_RUNPATH.
    assert elf_searches("a/lib/x.so", ["liby.so.1"], "$ORIGIN/../../never", text) == own


def test_needed_by_a_path() -> None:
    assert elf_searches("a/x.so", ["$ORIGIN/../b/liby.so", "/usr/lib/z.so", "w/v.so"], None, None) == [
        search("b", "liby.so", chained=False)
    ]


def test_a_file_at_the_top() -> None:
    assert elf_searches("x.abi3.so", ["liby.so"], "$ORIGIN:$ORIGIN/b/lib", None) == [search(". b/lib", "liby.so")]
    assert elf_searches("x.abi3.so", [], "$ORIGIN", None) == []


def test_searches_of_mach_o() -> None:
    needed = [
        "@rpath/liby.dylib",
        "@rpath/QtCore.framework/Versions/A/QtCore",
        "@loader_path/../b/libz.dylib",
        "/usr/lib/libSystem.B.dylib",
        "@executable_path/x.dylib",
        "x.dylib",
    ]
    rpaths = ["@loader_path/../b/lib", "@loader_path", "@executable_path/..", "/opt/lib", "@loader_path/../../.."]
    assert macho_searches("a/x.so", needed, rpaths) == [
        search("b/lib a ../..", "liby.dylib QtCore.framework/Versions/A/QtCore"),
        search("b", "libz.dylib", chained=False),
    ]
    assert macho_searches("a/x.so", ["/usr/lib/libSystem.B.dylib"], rpaths) == []


def test_searches_of_pe() -> None:
    assert pe_searches("A/Lib/X.pyd", ["Y.dll", "python311.dll"]) == [search("a/lib", "y.dll python311.dll")]
    assert pe_searches("X.pyd", ["Y.DLL"]) == [search(".", "y.dll")]
    assert pe_searches("X.pyd", []) == []


def test_equal_searches_are_one() -> None:
    several = [search("b", "y z"), search("b", "x"), search("a", "x"), search("b", "x", chained=False)]
    expected = (search("a", "x"), search("b", "x", chained=False), search("b", "x y z"))
    for order in permutations(several):
        assert merged(order) == expected


def native(files: str, *searches: Search) -> Native:
    return Native(files=tuple(files.split()), searches=searches)


LINKS: dict[str, tuple[list[Native], set[tuple[int, int]]]] = {
    "nobody": ([], set()),
    "found": ([native("a/x.so", search("b/lib", "liby.so")), native("b/lib/liby.so")], {(0, 1)}),
    "at the top": ([native("a/x.so", search(".", "liby.so")), native("liby.so")], {(0, 1)}),
    "another name": ([native("a/x.so", search("b/lib", "liby.so")), native("b/lib/liby.so.1")], set()),
    "another folder": ([native("a/x.so", search("b", "liby.so")), native("b/lib/liby.so")], set()),
    "its own": ([native("a/x.so a.libs/liby.so", search("a.libs", "liby.so")), native("b/liby.so")], set()),
    "its own first": ([native("a/x.so a/liby.so", search("a b", "liby.so")), native("b/liby.so")], set()),
    "another's first": ([native("a/x.so a/liby.so", search("b a", "liby.so")), native("b/liby.so")], {(0, 1)}),
    "the first of two": (
        [native("a/x.so", search("c b", "liby.so")), native("b/liby.so"), native("c/liby.so")],
        {(0, 2)},
    ),
    "both have it": ([native("x/liby.so", search("x", "liby.so")), native("x/liby.so")], set()),
    "two have it": (
        [native("a/x.so", search("x", "liby.so")), native("x/liby.so"), native("x/liby.so")],
        {(0, 1), (0, 2)},
    ),
    "one folder, another's file": (
        [native("ns/lib/x.so", search("ns/lib", "liby.so", chained=False)), native("ns/lib/liby.so")],
        {(0, 1)},
    ),
    "in a framework": (
        [native("a/x.so", search("b", "Q.framework/Q")), native("b/Q.framework/Q")],
        {(0, 1)},
    ),
    # a finds b, which has no folders of its own and needs c: it is found in those of a.
    "handed down": (
        [native("a/x.so", search("b c", "liby.so")), native("b/liby.so", search("", "libz.so")), native("c/libz.so")],
        {(0, 1), (0, 2)},
    ),
    "not handed down": (
        [
            native("a/x.so", search("b c", "liby.so", chained=False)),
            native("b/liby.so", search("", "libz.so")),
            native("c/libz.so"),
        ],
        {(0, 1)},
    ),
    "not taken": (
        [
            native("a/x.so", search("b c", "liby.so")),
            native("b/liby.so", search("b", "libz.so", chained=False)),
            native("c/libz.so"),
        ],
        {(0, 1)},
    ),
    "handed down, but found": (
        [
            native("a/x.so", search("b c", "liby.so")),
            native("b/liby.so d/libz.so", search("d", "libz.so")),
            native("c/libz.so"),
        ],
        {(0, 1)},
    ),
    "handed down within one": (
        [native("a/x.so a/liby.so", search("a b", "liby.so"), search("", "libz.so")), native("b/libz.so")],
        {(0, 1)},
    ),
    "handed down far": (
        [
            native("a/x.so", search("b c d", "liby.so")),
            native("b/liby.so", search("", "libz.so")),
            native("c/libz.so", search("", "libw.so")),
            native("d/libw.so"),
        ],
        {(0, 1), (0, 2), (0, 3)},
    ),
    "under the prefix": ([native("a/x.so", search("../..", "liby.so")), native("../../liby.so")], {(0, 1)}),
    "its own under the prefix": ([native("a/x.so ../../liby.so", search("../..", "liby.so"))], {(0, 0)}),
    "a circle": (
        [
            native("a/x.so", search("b", "y.so", chained=False)),
            native("b/y.so", search("a", "x.so", chained=False)),
        ],
        {(0, 1), (1, 0)},
    ),
}


@pytest.mark.parametrize("case", LINKS.values(), ids=LINKS)
def test_who_finds_whom(case: tuple[list[Native], set[tuple[int, int]]]) -> None:
    natives, expected = case
    for order in permutations(range(len(natives))):
        found = linked([natives[at] for at in order])
        assert {(order[one], order[other]) for one, other in found} == expected


_files = st.lists(st.sampled_from(["a/x.so", "a/lib/y.so", "b/y.so", "b/z.so", "c.libs/y.so", "w.so"]), max_size=3)
_folders = st.lists(st.sampled_from(["", "a", "a/lib", "b", "c.libs", "missing"]), max_size=3, unique=True)
_searches = st.builds(
    lambda folders, names, chained: Search(folders=tuple(folders), names=tuple(names), chained=chained),
    _folders,
    st.lists(st.sampled_from(["x.so", "y.so", "z.so", "w.so", "libc.so.6"]), max_size=2),
    st.booleans(),
)
_natives = st.builds(
    lambda files, searches: Native(files=tuple(sorted(set(files))), searches=tuple(searches)),
    _files,
    st.lists(_searches, max_size=3),
)


@given(st.lists(_natives, max_size=5))
def test_links_are_what_the_loader_would_follow(natives: list[Native]) -> None:
    """Direct links by the plainest reading of the rule; what is handed down may only add to them."""
    direct: set[tuple[int, int]] = set()
    for at, one in enumerate(natives):
        for wanted in one.searches:
            for name in wanted.names:
                paths = [f"{folder}/{name}".lstrip("/") for folder in wanted.folders]
                owners = next((holders for path in paths if (holders := who(natives, path))), set())
                direct.update((at, owner) for owner in owners if at not in owners)
    found = linked(natives)
    assert direct <= found
    if not any(wanted.chained for one in natives for wanted in one.searches):
        assert found == direct
    assert all(one != other for one, other in found)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("lib/x.so", "../../x.so"), ("lib/a/x.so", "../../a/x.so"), ("bin/x", "../../../bin/x"), ("x", "../../../x")],
)
def test_data_lies_under_the_prefix(path: str, expected: str) -> None:
    assert data_path(path) == expected


def who(natives: list[Native], path: str) -> set[int]:
    return {at for at, native in enumerate(natives) if path in native.files}

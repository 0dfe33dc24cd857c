"""The dispatch table: what is compiled, what is written, what is refused."""

from __future__ import annotations

import marshal
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite._runtime import read_table
from multisite._runtime.finding import columns_of, lines_of
from multisite.dispatch import Binding, DispatchTable, TableEntry, table_key
from multisite.errors import InvalidDocument, UnsupportedFormat

BINDING = Binding(
    id="0" * 32,
    stores=("/store",),
    lockfile="pylock.toml",
    size=12,
    mtime_ns=1_700_000_000_000_000_001,
    sha256="ab" * 32,
    known={"cd" * 32: ("ef" * 32, None)},
)


def entry(name: str, *top_level: str, **more: Any) -> TableEntry:
    root = f"multi-site-packages/{name}/1.0/py3-none-any-0/site-packages"
    return TableEntry(
        name=name,
        version="1.0",
        root=root,
        dist_info=f"{name}-1.0.dist-info",
        build="py3-none-any-0",
        top_level=top_level,
        **more,
    )


def test_a_name_leads_to_its_distribution_and_a_namespace_to_each() -> None:
    table = DispatchTable.compile([entry("zoo", "ns"), entry("six", "six"), entry("art", "ns", "art")])
    assert table.plain["names"] == {"art": 0, "ns": (0, 2), "six": 1}
    assert [row[0] for row in table.plain["distributions"]] == ["art", "six", "zoo"]


def test_start_up_files_are_in_the_order_of_their_names() -> None:
    table = DispatchTable.compile([entry("a", pth={"z.pth": "import a\n"}), entry("b", pth={"b.pth": "import b\n"})])
    assert table.plain["pth"] == (("b.pth", 1, "import b\n"), ("z.pth", 0, "import a\n"))


def test_entry_points_are_kept_for_those_that_have_some() -> None:
    table = DispatchTable.compile([entry("a"), entry("b", entry_points="[x]\ny = z\n")])
    assert table.plain["entry_points"] == {1: (("y", "z", "x"),)}


def test_the_order_of_the_entries_does_not_matter() -> None:
    entries = [entry("b", "x"), entry("a", "x"), entry("c")]
    assert DispatchTable.compile(entries) == DispatchTable.compile(reversed(entries))


names = st.text(min_size=1, max_size=8)
normalized = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)


@given(st.lists(st.tuples(normalized, st.lists(names, max_size=4)), max_size=6, unique_by=lambda pair: pair[0]))
def test_what_is_written_is_read(pairs: list[tuple[str, list[str]]]) -> None:
    table = DispatchTable.compile([entry(name, *dict.fromkeys(top_level)) for name, top_level in pairs])
    assert DispatchTable.decode(table.encode(BINDING), "table") == (BINDING.to_plain(), table)
    assert DispatchTable.decode(table.encode(), "table") == ({}, table)


def test_the_start_up_code_reads_the_same(tmp_path: Any) -> None:
    table = DispatchTable.compile([entry("six", "six")])
    (tmp_path / "table").write_bytes(table.encode(BINDING))
    found = read_table(str(tmp_path / "table"))  # type: ignore[no-untyped-call]
    assert found[0] == BINDING.to_plain()
    names, start_up, distributions, entry_points = found[1:]
    assert start_up == b""
    assert marshal.loads(names) == table.plain["names"]
    assert marshal.loads(entry_points) == table.plain["entry_points"]
    assert [columns_of(line) for line in lines_of(distributions)[1:]] == list(table.plain["distributions"])  # type: ignore[no-untyped-call]


def test_metadata_folders_with_another_name_are_told_first(tmp_path: Any) -> None:
    other = replace(entry("b"), dist_info="other-1.0.dist-info")
    (tmp_path / "table").write_bytes(DispatchTable.compile([entry("a"), other, entry("c")]).encode(BINDING))
    assert read_table(str(tmp_path / "table"))[3].startswith(b"1\na\t")  # type: ignore[no-untyped-call]


WHOLE = DispatchTable.compile([entry("six", "six")]).encode(BINDING)


def with_parts(*values: Any) -> bytes:
    parts = [part if isinstance(part, bytes) else marshal.dumps(part, 4) for part in values]
    return b"MSTABLE\n" + b"".join(n.to_bytes(4, "little") for n in (3, *map(len, parts))) + b"".join(parts)


INVALID = {
    "empty": (b"", "it does not begin as one"),
    "foreign": (b"PK\x03\x04" + WHOLE[4:], "it does not begin as one"),
    "half a header": (WHOLE[:20], "it does not begin as one"),
    "header only": (WHOLE[:32], f"it is torn: 32 bytes instead of {len(WHOLE)}"),
    "one byte short": (WHOLE[:-1], f"it is torn: {len(WHOLE) - 1} bytes instead of {len(WHOLE)}"),
    "one byte more": (WHOLE + b"x", f"it is torn: {len(WHOLE) + 1} bytes instead of {len(WHOLE)}"),
    "zeros": (WHOLE[:32] + bytes(len(WHOLE) - 32), "it is damaged: bad marshal data (unknown type code)"),
    "a list": (with_parts([1], {}, {}, b"", {}), "it is damaged: not a mapping"),
    "a key is missing": (
        with_parts({}, {}, {"pth": ()}, b"", {}),
        "start is missing or of the wrong type",
    ),
    "a column is missing": (
        with_parts({}, {}, {}, b"\na\t1.0", {}),
        "it is damaged: a distribution without its 7 columns",
    ),
}


@pytest.mark.parametrize(("data", "problem"), INVALID.values(), ids=INVALID)
def test_damaged(data: bytes, problem: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        DispatchTable.decode(data, "/venv/.multisite/table")
    assert caught.value.problems == (problem,)
    assert str(caught.value) == f"/venv/.multisite/table: not a valid dispatch table: {problem}"
    assert caught.value.hint == "multisite sync"


def test_unknown_format() -> None:
    with pytest.raises(UnsupportedFormat, match=r"table: dispatch table has format 9; this multisite knows format 3"):
        DispatchTable.decode(WHOLE[:8] + (9).to_bytes(4, "little") + WHOLE[12:], "table")


KEY: dict[str, Any] = {
    "lock_sha256": "a",
    "extras": ["x"],
    "groups": None,
    "python": "cpython-3.11",
    "builds": {"a": "1/b"},
}


@pytest.mark.parametrize(
    "change",
    [{"lock_sha256": "b"}, {"extras": []}, {"groups": []}, {"python": "cpython-3.12"}, {"builds": {}}],
    ids=lambda change: next(iter(change)),
)
def test_the_key_depends_on_everything(change: dict[str, Any]) -> None:
    assert table_key(**KEY) != table_key(**{**KEY, **change})


def test_the_key_depends_on_the_rules_of_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    before = table_key(**KEY)
    monkeypatch.setattr("multisite.manifest.FORMAT", 99)
    assert table_key(**KEY) != before


def test_the_key_does_not_depend_on_order() -> None:
    assert table_key(**{**KEY, "extras": ["a", "b"]}) == table_key(**{**KEY, "extras": ["b", "a"]})

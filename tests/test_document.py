from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.document import Fields, dump_document, load_document
from multisite.errors import InvalidDocument, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Callable

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def load(data: bytes) -> dict[str, Any]:
    return load_document(data, kind="thing", format=1, where="thing.json")


@given(st.dictionaries(st.text(), values))
def test_round_trip(value: dict[str, Any]) -> None:
    data = dump_document(value, format=1)
    assert load(data) == {**value, "format": 1}
    assert dump_document(dict(reversed(value.items())), format=1) == data
    assert data.endswith(b"\n")


@given(st.dictionaries(st.text(), values), st.data())
def test_a_truncated_document_is_invalid(value: dict[str, Any], data: st.DataObject) -> None:
    whole = dump_document(value, format=1)
    cut = data.draw(st.integers(0, len(whole) - 2))
    with pytest.raises(InvalidDocument):
        load(whole[:cut])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"\xff{}", "not UTF-8 at byte 0"),
        (b'{"format": 1', "not JSON at line 1, column 13: Expecting ',' delimiter"),
        (b"[]", "expected an object, found a list"),
        (b"null", "expected an object, found null"),
        (b'"x"', "expected an object, found text"),
        (b"1.5", "expected an object, found 1.5"),
        (b"{}", "format: missing"),
        (b'{"format": null}', "format: expected an integer, found null"),
        (b'{"format": true}', "format: expected an integer, found true"),
        (b'{"format": 1.0}', "format: expected an integer, found 1.0"),
        (b'{"format": "1"}', "format: expected an integer, found text"),
    ],
)
def test_what_is_no_document(data: bytes, problem: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load(data)
    assert str(caught.value) == f"thing.json: not a valid thing: {problem}"


@pytest.mark.parametrize("data", [b"[" * 1_000_000, b'{"format": ' + b"1" * 5000 + b"}"])
def test_what_is_too_much(data: bytes) -> None:
    with pytest.raises((InvalidDocument, UnsupportedFormat)):
        load(data)


@pytest.mark.parametrize("found", [0, 2, -1])
def test_another_format(found: int) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        load(json.dumps({"format": found}).encode())
    assert str(caught.value) == f"thing.json: thing has format {found}; this multisite knows format 1"
    assert caught.value.hint == "upgrade multisite: pip install --upgrade multisite"


SOUND = {
    "text": "x",
    "integer": 3,
    "boolean": True,
    "digest": "0f" * 32,
    "texts": ["a", "b"],
    "text_map": {"a": "b"},
    "mapping": {"text": "y"},
    "mappings": [{"text": "z"}],
    "mapping_map": {"k": {"text": "w"}},
    "null": None,
}


def test_what_is_sound_is_read() -> None:
    fields = Fields(SOUND)
    assert (fields.text("text"), fields.integer("integer"), fields.boolean("boolean")) == ("x", 3, True)
    assert fields.digest("digest") == "0f" * 32
    assert fields.texts("texts") == ("a", "b")
    assert fields.text_map("text_map") == {"a": "b"}
    assert fields.mapping("mapping").text("text") == "y"
    assert [item.text("text") for item in fields.mappings("mappings")] == ["z"]
    assert {key: item.text("text") for key, item in fields.mapping_map("mapping_map").items()} == {"k": "w"}
    assert "text" in fields
    assert "absent" not in fields
    fields.finish("thing", "thing.json")


@pytest.mark.parametrize("key", ["null", "absent"])
def test_what_may_be_absent(key: str) -> None:
    fields = Fields(SOUND)
    assert fields.optional_text(key) is None
    assert fields.optional_integer(key) is None
    assert fields.optional_texts(key) is None
    assert fields.optional_mapping(key) is None
    fields.finish("thing", "thing.json")


def test_what_may_be_absent_and_is_there() -> None:
    fields = Fields(SOUND)
    assert fields.optional_text("text") == "x"
    assert fields.optional_integer("integer") == 3
    assert fields.optional_texts("texts") == ("a", "b")
    nested = fields.optional_mapping("mapping")
    assert nested is not None
    assert nested.text("text") == "y"


@pytest.mark.parametrize(
    ("value", "read", "problem"),
    [
        ({}, lambda f: f.text("a"), "a: missing"),
        ({"a": 1}, lambda f: f.text("a"), "a: expected text, found 1"),
        ({"a": None}, lambda f: f.text("a"), "a: expected text, found null"),
        ({"a": True}, lambda f: f.integer("a"), "a: expected an integer, found true"),
        ({"a": 0}, lambda f: f.boolean("a"), "a: expected true or false, found 0"),
        ({"a": 1.5}, lambda f: f.integer("a"), "a: expected an integer, found 1.5"),
        ({"a": {}}, lambda f: f.texts("a"), "a: expected a list, found an object"),
        ({"a": ["x", 1]}, lambda f: f.texts("a"), "a[1]: expected text, found 1"),
        ({"a": {"b.c": []}}, lambda f: f.text_map("a"), "a.b.c: expected text, found a list"),
        ({"a": {}}, lambda f: f.mapping("a").text("b"), "a.b: missing"),
        (
            {"a": [{}, {"b": 1}]},
            lambda f: [i.optional_text("b") for i in f.mappings("a")],
            "a[1].b: expected text, found 1",
        ),
        ({"a": [[]]}, lambda f: f.mappings("a"), "a[0]: expected an object, found a list"),
        ({"a": {"k": {}}}, lambda f: f.mapping_map("a")["k"].text("b"), "a.k.b: missing"),
        ({"a": {"k": 1}}, lambda f: f.mapping_map("a"), "a.k: expected an object, found 1"),
        ({"a": "0F" * 32}, lambda f: f.digest("a"), f"a: expected 64 hexadecimal digits, found {'0F' * 32!r}"),
        ({"a": 1}, lambda f: f.optional_text("a"), "a: expected text, found 1"),
        ({"a": {}}, lambda f: f.mapping("a").problem("b", "wrong"), "a.b: wrong"),
        ({"a": {}}, lambda f: f.mapping("a").problem("", "wrong"), "a: wrong"),
    ],
)
def test_what_is_wrong_with_a_field(value: dict[str, Any], read: Callable[[Fields], object], problem: str) -> None:
    fields = Fields(value)
    read(fields)
    with pytest.raises(InvalidDocument) as caught:
        fields.finish("thing", "thing.json", hint="mend it")
    assert caught.value.problems == (problem,)
    assert caught.value.hint == "mend it"


def test_every_fault_is_reported() -> None:
    fields = Fields({"a": 1})
    assert (fields.text("a"), fields.integer("b"), fields.texts("c")) == ("", 0, ())
    with pytest.raises(InvalidDocument) as caught:
        fields.finish("thing", "thing.json")
    assert str(caught.value) == (
        "thing.json: not a valid thing\n  - a: expected text, found 1\n  - b: missing\n  - c: missing"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"format": 1, "a": NaN}', "not JSON that can be read: NaN is no number"),
        ('{"format": 1, "a": -Infinity}', "not JSON that can be read: -Infinity is no number"),
        ('{"format": 1, "format": 2}', "not JSON that can be read: the key 'format' is there twice in one object"),
        (
            '{"format": 1, "a": [{"b": 1, "b": 1}]}',
            "not JSON that can be read: the key 'b' is there twice in one object",
        ),
        ('{"format": 1, "a": "\\ud800"}', "half of a character in it (\\ud800 to \\udfff) is no text"),
        ('{"format": 1, "\\udbff": 1}', "half of a character in it (\\ud800 to \\udfff) is no text"),
        ('\ufeff{"format": 1}', "not JSON at line 1, column 1: Unexpected UTF-8 BOM (decode using utf-8-sig)"),
    ],
)
def test_what_readers_of_json_disagree_about(text: str, problem: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_document(text.encode(), kind="note", format=1, where="x")
    assert caught.value.problems == (problem,)


def test_a_number_that_no_system_call_takes() -> None:
    fields = Fields(load_document(b'{"format": 1, "size": 9223372036854775808}', kind="note", format=1, where="x"))
    fields.integer("size")
    with pytest.raises(InvalidDocument) as caught:
        fields.finish("note", "x")
    assert caught.value.problems == ("size: expected an integer, found one of more than 64 bits",)


def test_a_path_that_is_no_text_is_one() -> None:
    text = load_document(b'{"format": 1, "path": "/srv/\\udcff \\ud83d\\ude00"}', kind="note", format=1, where="x")[
        "path"
    ]
    assert text == "/srv/\udcff \U0001f600"

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.errors import InvalidDocument
from multisite.record import RecordEntry, format_record, parse_record

EMPTY = hashlib.sha256(b"").hexdigest()
SIGNED = "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(b"").digest()).decode().rstrip("=")

# A path is any text in one line: what a backslash means is settled, and a NUL is in no file's name.
paths = st.text(st.characters(exclude_characters="\\\r\n\0", exclude_categories=["Cs"]), min_size=1)
hashes = st.sampled_from(["sha256", "sha384", "sha512", "blake2b"]).flatmap(
    lambda name: st.binary().map(lambda data: (name, hashlib.new(name, data).hexdigest()))
)
entries = st.builds(
    lambda path, signed, size: RecordEntry(path=path, algorithm=signed[0], digest=signed[1], size=size),
    paths,
    hashes | st.just((None, None)),
    st.none() | st.integers(min_value=0, max_value=10**18 - 1),
)


@given(st.lists(entries))
def test_round_trip(rows: list[RecordEntry]) -> None:
    text = format_record(rows)
    assert parse_record(text, where="RECORD") == sorted(rows, key=lambda row: row.path)
    assert parse_record(text.replace("\n", "\r\n"), where="RECORD") == parse_record(text, where="RECORD")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"a.py,{SIGNED},0", RecordEntry(path="a.py", algorithm="sha256", digest=EMPTY, size=0)),
        (f"a.py,{SIGNED}=,0", RecordEntry(path="a.py", algorithm="sha256", digest=EMPTY, size=0)),
        ("a.py,,", RecordEntry(path="a.py")),
        ("a.py,,7", RecordEntry(path="a.py", size=7)),
        ('"a, ""b"".py",,', RecordEntry(path='a, "b".py')),
        ("a\\b.py,,", RecordEntry(path="a/b.py")),
        ("../../../bin/a,,", RecordEntry(path="../../../bin/a")),
        ("a\u2028b.py,,", RecordEntry(path="a\u2028b.py")),
    ],
)
def test_a_line(line: str, expected: RecordEntry) -> None:
    assert parse_record(f"{line}\n", where="RECORD") == [expected]


@pytest.mark.parametrize("text", ["", "\n", "\r\n\n"])
def test_nothing(text: str) -> None:
    assert parse_record(text, where="RECORD") == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a.py", "line 1: expected path, hash and size, found 1 fields"),
        ("a.py,,,", "line 1: expected path, hash and size, found 4 fields"),
        (",,", "line 1: the path is empty"),
        ("a.py,,-1", "line 1: a.py: the size is '-1'"),
        ("a.py,,٣", "line 1: a.py: the size is '٣'"),
        ("a.py,,1.5", "line 1: a.py: the size is '1.5'"),
        ("a.py,sha256,1", "line 1: a.py: the hash is 'sha256'"),
        ("a.py,sha256=,1", "line 1: a.py: the hash is 'sha256='"),
        ("a.py,sha256=AAAA,1", "line 1: a.py: the hash is 'sha256=AAAA'"),
        ("a.py,sha256=A,1", "line 1: a.py: the hash is 'sha256=A'"),
        ("a.py,sha256=a/b+,1", "line 1: a.py: the hash is 'sha256=a/b+'"),
        ("a.py,crc32=AAAA,1", "line 1: a.py: the hash is 'crc32=AAAA'"),
        ('a.py,"x"y,1', "line 1: ',' expected after '\"'"),
    ],
)
def test_what_is_no_line(line: str, problem: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_record(f"{line}\n", where="x/RECORD")
    assert str(caught.value) == f"x/RECORD: not a valid RECORD: {problem}"


def test_every_fault_is_reported() -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_record("a\nb.py,,\nc,,x\n", where="RECORD")
    assert caught.value.problems == (
        "line 1: expected path, hash and size, found 1 fields",
        "line 3: c: the size is 'x'",
    )


def test_an_unfinished_quote_is_reported() -> None:
    with pytest.raises(InvalidDocument, match="unexpected end of data"):
        parse_record('"a.py,,\n', where="RECORD")


def test_only_sha256_is_given_as_such() -> None:
    other = RecordEntry(path="a", algorithm="sha512", digest="00" * 64)
    assert (other.sha256, RecordEntry(path="a").sha256) == (None, None)
    assert RecordEntry(path="a", algorithm="sha256", digest=EMPTY).sha256 == EMPTY

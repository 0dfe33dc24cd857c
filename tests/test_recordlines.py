"""Lines of RECORD as environment.json keeps them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.record import RecordEntry, format_record
from multisite.recordlines import by_folder, files_of, lines_of

SHA256 = "0123456789abcdef" * 4
HASH = "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8"


def line(path: str, size: int = 4) -> str:
    return format_record([RecordEntry(path=path, algorithm="sha256", digest=SHA256, size=size)]).rstrip("\n")


@pytest.mark.parametrize(
    ("path", "kept", "file"),
    [
        ("../../../bin/foo", {"../../../bin": [f"foo,{HASH},4"]}, "bin/foo"),
        ("../../pkgconfig/foo.pc", {"../../pkgconfig": [f"foo.pc,{HASH},4"]}, None),
        ("../foo.txt", {"..": [f"foo.txt,{HASH},4"]}, None),
        ("../../../../x", {"../../../..": [f"x,{HASH},4"]}, None),
        ("../../../x", {"../../..": [f"x,{HASH},4"]}, "x"),
        ("../../../share/a b/\u00e9", {"../../../share/a b": [f"\u00e9,{HASH},4"]}, "share/a b/\u00e9"),
        ("../../../share/a,b", {"": [f'"../../../share/a,b",sha256={HASH},4']}, None),
        ("x.txt", {"": [f"x.txt,sha256={HASH},4"]}, None),
        ("foo/x.txt", {"": [f"foo/x.txt,sha256={HASH},4"]}, None),
    ],
)
def test_a_line(path: str, kept: dict[str, list[str]], file: str | None) -> None:
    assert by_folder([line(path)]) == kept
    assert lines_of(kept) == (line(path),)
    assert list(files_of([line(path)])) == ([] if file is None else [(file, SHA256, 4)])


TEXT = st.text(st.sampled_from('a.b/,"\n\u00e9-= ')) | st.text()
ROWS = st.builds(line, st.builds("{}{}".format, st.sampled_from(["", "../", "../../../", "../../../share/"]), TEXT))


@given(st.lists(ROWS | TEXT | st.builds("{},sha256={},{}".format, TEXT, st.just(HASH), st.integers())))
def test_all_that_is_kept_comes_back(lines: list[str]) -> None:
    assert lines_of(by_folder(lines)) == tuple(sorted(lines))
    assert lines_of(by_folder(sorted(lines, reverse=True))) == tuple(sorted(lines))

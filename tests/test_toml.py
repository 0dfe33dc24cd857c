from __future__ import annotations

import pytest

from multisite.toml import NotToml, load_toml


def test_what_it_says() -> None:
    assert load_toml('a = "ü"\n[b]\nc = 1\n'.encode()) == {"a": "ü", "b": {"c": 1}}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"a = \n", "Invalid value (at line 1, column 5)"),
        (b"a = 1\nb = '\xff'\n", "line 2: not UTF-8"),
        (b"\xef\xbb\xbfa = 1\n", "line 1: it begins with a byte order mark (BOM), which TOML has not; save it as"),
        (b"a = " + b"{a = " * 2000, "it is nested too deep to be read"),
        (b"a = " + b"[" * 2000, "it is nested too deep to be read"),
        (b"[" + b"a." * 20000 + b"a]\n", "it is nested too deep to be read"),
        (b"a." * 20000 + b"a = 1\n", "it is nested too deep to be read"),
        (b"a = " + b"1" * 5000, "a number in it has too many digits to be read"),
    ],
)
def test_what_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(NotToml) as caught:
        load_toml(data)
    assert str(caught.value).startswith(sentence)

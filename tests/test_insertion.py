"""Settings in somebody's configuration: put in, all else as it was, and taken out again without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from multisite.insertion import IniSyntax, JsonSyntax, Syntax, TomlSyntax, insert, take_out

TOML, INI, JSON = TomlSyntax(), IniSyntax(), JsonSyntax()
MYPY = ("tool", "mypy")

# id: syntax, table, text before, settings, text after
CASES: dict[str, tuple[Syntax, tuple[str, ...], str, dict[str, Any], str]] = {
    "toml: a new table": (TOML, MYPY, "a = 1 # why\n", {"k": "v"}, 'a = 1 # why\n\n[tool.mypy]\nk = "v"\n'),
    "toml: an empty file": (TOML, MYPY, "", {"k": "v"}, '[tool.mypy]\nk = "v"\n'),
    "toml: no table": (TOML, (), "# me\n[a]\nb = 1\n", {"k": "v"}, 'k = "v"\n# me\n[a]\nb = 1\n'),
    "toml: a table that is there": (
        TOML,
        MYPY,
        "[tool.mypy]  # strict\nstrict = true\n[tool.other]\nx=1\n",
        {"k": "v"},
        '[tool.mypy]  # strict\nk = "v"\nstrict = true\n[tool.other]\nx=1\n',
    ),
    "toml: a header with spaces, at the very end": (
        TOML,
        MYPY,
        "[ tool . mypy ]",
        {"k": "v"},
        '[ tool . mypy ]\nk = "v"\n',
    ),
    "toml: a header in a text comes first": (
        TOML,
        MYPY,
        't = """\n[tool.mypy]\n"""\n[tool.mypy]\nx = 1\n',
        {"k": "v"},
        't = """\n[tool.mypy]\n"""\n[tool.mypy]\nk = "v"\nx = 1\n',
    ),
    "toml: line ends of Windows": (
        TOML,
        MYPY,
        "[a]\r\nb = 1\r\n",
        {"k": "v"},
        '[a]\r\nb = 1\r\n\r\n[tool.mypy]\r\nk = "v"\r\n',
    ),
    "toml: quotes": (TOML, MYPY, "", {"k": 'a"\\b'}, '[tool.mypy]\nk = "a\\"\\\\b"\n'),
    "ini: a section that is there": (
        INI,
        ("mypy",),
        "[a]\nb=1\n[mypy]\n; no\nc = 1\n",
        {"k": "v"},
        "[a]\nb=1\n[mypy]\nk = v\n; no\nc = 1\n",
    ),
    "ini: a new section": (INI, ("mypy",), "[a]\nb=1\n", {"k": "v"}, "[a]\nb=1\n\n[mypy]\nk = v\n"),
    "json: a new file": (JSON, (), "", {"a": 1, "b": [2]}, '{\n    "a": 1,\n    "b": [2]\n}\n'),
    "json: members on lines": (JSON, (), '{\n  "x": 1\n}\n', {"a": "v"}, '{\n  "a": "v",\n  "x": 1\n}\n'),
    "json: comments and a last comma": (
        JSON,
        (),
        '// {"no": 1}\n{ // here\n\t"x": "// {", /* { */\n}\n',
        {"a": "v"},
        '// {"no": 1}\n{"a": "v",  // here\n\t"x": "// {", /* { */\n}\n',
    ),
    "json: one line": (JSON, (), '{"x": {"y": 1}}', {"a": 1, "b": 2}, '{"a": 1, "b": 2, "x": {"y": 1}}'),
    "json: an empty object": (JSON, (), "{}\n", {"a": 1}, '{"a": 1}\n'),
    "json: line ends of Windows": (JSON, (), '{\r\n  "x": 1\r\n}', {"a": 1}, '{\r\n  "a": 1,\r\n  "x": 1\r\n}'),
}


@pytest.mark.parametrize("case", CASES)
def test_put_in_and_taken_out(case: str) -> None:
    syntax, table, before, settings, after = CASES[case]
    assert insert(syntax, before, table, settings) == after
    left = take_out(syntax, after, table, settings)
    assert left == before or (before == "[ tool . mypy ]" and left == "[ tool . mypy ]\n")


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (MYPY, "tool = { mypy = { strict = true } }\n"),
        (MYPY, "[tool]\nmypy.strict = true\n"),
        (MYPY, "tool = 1\n"),
    ],
)
def test_a_table_that_is_written_otherwise_is_left_alone(table: tuple[str, ...], text: str) -> None:
    assert insert(TOML, text, table, {"k": "v"}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"x": 1, "a": [\n"p", "q"\n]}', '{"x": 1}'),
        ('{"a": [ "p","q", ], "x": 1}', '{"x": 1}'),
        ('{"x": 1, "a": ["p"]}', '{"x": 1, "a": ["p"]}'),
        ('{"s": "\\"a\\": [\\"p\\", \\"q\\"]", "a": ["p", "q"]}', '{"s": "\\"a\\": [\\"p\\", \\"q\\"]"}'),
    ],
)
def test_taken_out_however_it_is_laid_out(text: str, expected: str) -> None:
    assert take_out(JSON, text, (), {"a": ["p", "q"]}) == expected


def test_what_cannot_be_found_as_text_is_left_alone() -> None:
    assert take_out(TOML, "[tool]\nmypy = { k = 'v' }\n", MYPY, {"k": "v"}) is None


@pytest.mark.parametrize(("syntax", "text"), [(TOML, "a ="), (INI, "no section"), (JSON, "{"), (JSON, "[1]")])
def test_what_cannot_be_read(syntax: Syntax, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - three libraries' own
        insert(syntax, text, ("t",) if syntax is not JSON else (), {"k": "v"})

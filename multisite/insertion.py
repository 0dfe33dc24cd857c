"""Settings put into somebody's configuration file as text, so that all else in it stays as it is, and taken out again.

Nothing is written by a serialiser: comments, order and layout are people's. A line or member is inserted, the result
is parsed, and it counts only if it says what the file said before and the new settings. What cannot be inserted so,
because of how the file is written, is refused with None.
"""

from __future__ import annotations

import configparser
import json
import re
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from multisite.toml import load_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["IniSyntax", "JsonSyntax", "Syntax", "TomlSyntax", "insert", "look_up", "take_out"]

Table = tuple[str, ...]


class Syntax(Protocol):
    """How a kind of file is read and added to."""

    new: ClassVar[str]

    def parse(self, text: str) -> dict[str, Any]:
        """Return what *text* says. Raises ValueError."""

    def with_settings(self, text: str, table: Table, settings: Mapping[str, Any]) -> Iterator[str]:
        """Yield ways to write *text* with *settings* in *table*, the best first; none need be right."""

    def without(self, text: str, table: Table, key: str, value: Any) -> Iterator[str]:
        """Yield ways to write *text* without one setting, the best first."""

    def tidied(self, text: str, table: Table) -> str:
        """Return *text* without what only held the settings that were taken out."""


def look_up(document: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """Return the table of a parsed document, empty where there is none."""
    found: Any = document
    for key in table:
        found = found.get(key, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def insert(syntax: Syntax, text: str, table: Table, settings: Mapping[str, Any]) -> str | None:
    """Return *text* with *settings*, which it has not got, in *table*; None where that is not safe.

    Raises ValueError for a file that cannot be parsed.
    """
    wanted = _changed(syntax.parse(text), table, settings, ())
    return _first(syntax, syntax.with_settings(text, table, settings), wanted)


def take_out(syntax: Syntax, text: str, table: Table, settings: Mapping[str, Any]) -> str | None:
    """Return *text* without those of *settings* that it has with these values; None where that is not safe.

    Raises ValueError for a file that cannot be parsed.
    """
    for key, value in settings.items():
        document = syntax.parse(text)
        if look_up(document, table).get(key) == value:
            wanted = _changed(document, table, {}, (key,))
            found = _first(syntax, syntax.without(text, table, key, value), wanted)
            if found is None:
                return None
            text = found
    return text if look_up(syntax.parse(text), table) else syntax.tidied(text, table)


def _first(syntax: Syntax, texts: Iterator[str], wanted: dict[str, Any]) -> str | None:
    for text in texts:
        try:
            if syntax.parse(text) == wanted:
                return text
        except ValueError:
            continue
    return None


def _changed(
    document: Mapping[str, Any], table: Table, settings: Mapping[str, Any], gone: Sequence[str]
) -> dict[str, Any]:
    changed = dict(document)
    if table:
        inner = changed.get(table[0], {})
        changed[table[0]] = _changed(inner if isinstance(inner, dict) else {}, table[1:], settings, gone)
        return changed
    return {key: value for key, value in {**changed, **settings}.items() if key not in gone}


class _Lines:
    """What TOML and INI have in common: headers and ``key = value`` lines; ``written`` is how a value is written."""

    new: ClassVar[str] = ""
    written: Callable[[Any], str]

    def with_settings(self, text: str, table: Table, settings: Mapping[str, Any]) -> Iterator[str]:
        """Yield *text* with lines under the table's header, or with the table at its end."""
        end = "\r\n" if "\r\n" in text else "\n"
        lines = "".join(f"{key} = {self.written(value)}{end}" for key, value in settings.items())
        if not table:
            yield lines + text
            return
        for header in self._header(table).finditer(text):
            start = header.group(0) if header.group(0).endswith("\n") else f"{header.group(0)}{end}"
            yield f"{text[: header.start()]}{start}{lines}{text[header.end() :]}"
        gap = "" if not text else end if text.endswith("\n") else end * 2
        yield f"{text}{gap}[{'.'.join(table)}]{end}{lines}"

    def without(self, text: str, table: Table, key: str, value: Any) -> Iterator[str]:  # noqa: ARG002
        """Yield *text* without a line that is the setting's."""
        line = re.compile(rf"(?m)^[ \t]*{re.escape(key)}[ \t]*=[ \t]*{re.escape(self.written(value))}[ \t]*\r?\n?")
        for found in line.finditer(text):
            yield text[: found.start()] + text[found.end() :]

    def tidied(self, text: str, table: Table) -> str:
        """Return *text* without an empty table at its end."""
        return re.sub(rf"(?:\A|\r?\n)\[{re.escape('.'.join(table))}\]\r?\n\Z", "", text)

    def _header(self, table: Table) -> re.Pattern[str]:
        inner = r"[ \t]*\.[ \t]*".join(map(re.escape, table))
        return re.compile(rf"(?m)^[ \t]*\[[ \t]*{inner}[ \t]*\][^\n]*(?:\n|\Z)")


class TomlSyntax(_Lines):
    """TOML."""

    # JSON's strings are TOML's as well.
    written = staticmethod(json.dumps)

    def parse(self, text: str) -> dict[str, Any]:
        """Return what *text* says; NotToml is a ValueError."""
        return load_toml(text.encode())


class IniSyntax(_Lines):
    """What ``configparser`` reads."""

    written = staticmethod(str)

    def parse(self, text: str) -> dict[str, Any]:
        """Return the sections of *text*."""
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error as error:
            raise ValueError(str(error)) from error
        return {name: dict(parser.items(name)) for name in parser.sections()}


class JsonSyntax:
    """JSON with comments and commas after the last item, as editors and pyright read it. There is only one table."""

    new: ClassVar[str] = "{\n}\n"

    _TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
    _COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)

    def parse(self, text: str) -> dict[str, Any]:
        """Return the object that *text* holds; none in an empty file."""
        plain = self._TOKEN.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)
        plain = self._COMMA.sub(lambda found: found[1] or "", plain)
        value = json.loads(plain) if plain.strip() else {}
        if not isinstance(value, dict):
            raise ValueError("it holds no object")  # noqa: TRY004 - the file's fault, as a comma too many is
        return value

    def with_settings(self, text: str, table: Table, settings: Mapping[str, Any]) -> Iterator[str]:
        """Yield *text* with members after the opening brace, on lines of their own where the others are."""
        assert not table
        members = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in settings.items()]
        # The first that is not in a comment: parsing the result tells.
        for brace in re.finditer(r"\{", text or self.new):
            before, after = (text or self.new)[: brace.end()], (text or self.new)[brace.end() :]
            comma = "" if after.lstrip().startswith("}") else ","
            if line := re.match(r"[^\S\r\n]*(\r?\n)([ \t]*)", after):
                indent = line[2] if comma else "    "
                yield before + ",".join(f"{line[1]}{indent}{member}" for member in members) + comma + after
                continue
            yield before + ", ".join(members) + (", " if comma else "") + after

    def without(self, text: str, table: Table, key: str, value: Any) -> Iterator[str]:
        """Yield *text* without the member, with the comma behind it or before it."""
        assert not table
        if isinstance(value, list):
            inner = r"\s*,\s*".join(re.escape(json.dumps(item)) for item in value)
            member = rf"{re.escape(json.dumps(key))}\s*:\s*\[\s*{inner}\s*,?\s*\]"
        else:
            member = rf"{re.escape(json.dumps(key))}\s*:\s*{re.escape(json.dumps(value))}"
        for pattern in (
            rf"\r?\n[ \t]*{member},",
            rf"{member}, ?",
            rf",\s*{member}",
            rf"\r?\n[ \t]*{member}",
            member,
        ):
            for found in re.finditer(pattern, text):
                yield text[: found.start()] + text[found.end() :]

    def tidied(self, text: str, table: Table) -> str:  # noqa: ARG002
        """Return nothing for a file that was made only for the settings."""
        return "" if text == self.new else text

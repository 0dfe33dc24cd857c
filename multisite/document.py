"""JSON documents of multisite's own: each states its format, and is read with every fault reported."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from multisite.errors import InvalidDocument, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Fields", "dump_document", "load_document"]

_Value = TypeVar("_Value")
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
# Paths that are no text in the locale's encoding have some of these; all others could not be written anywhere.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LARGEST = 1 << 63  # what the system's calls, and other programs, take
_KINDS = {str: "text", int: "an integer", bool: "true or false", list: "a list", dict: "an object"}


def load_document(
    data: bytes,
    *,
    kind: str,
    format: int,  # noqa: A002
    where: str | Path,
    oldest: int | None = None,
) -> dict[str, Any]:
    """Return the top-level object of a document of the wanted *kind* and *format*, or one from the *oldest* on.

    Raises InvalidDocument for what is no JSON object with a format, UnsupportedFormat for a format that is another.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except UnicodeDecodeError as error:
        raise InvalidDocument(kind, where, [f"not UTF-8 at byte {error.start}"]) from error
    except json.JSONDecodeError as error:
        problem = f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise InvalidDocument(kind, where, [problem if data.strip() else "it is empty"]) from error
    except UnicodeEncodeError as error:
        raise InvalidDocument(kind, where, ["half of a character in it (\\ud800 to \\udfff) is no text"]) from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, brackets nested as deep
        raise InvalidDocument(kind, where, [f"not JSON that can be read: {error}"]) from error
    if not isinstance(value, dict):
        raise InvalidDocument(kind, where, [f"expected an object, found {_named(value)}"])
    found = value.get("format")
    if type(found) is not int:
        problem = f"expected an integer, found {_named(found)}" if "format" in value else "missing"
        raise InvalidDocument(kind, where, [f"format: {problem}"])
    if not (format if oldest is None else oldest) <= found <= format:
        raise UnsupportedFormat(kind, where, found=found, known=format)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, none of whose keys is there twice: readers differ in which one counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice in one object")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def dump_document(value: Mapping[str, Any], *, format: int, dense: bool = False) -> bytes:  # noqa: A002
    """Return the bytes of a document: the same for equal values, one line for each of them; *dense* without spaces."""
    layout: dict[str, Any] = {"indent": 0, "separators": (",", ":")} if dense else {"indent": 1}
    return json.dumps({**value, "format": format}, sort_keys=True, allow_nan=False, **layout).encode() + b"\n"


def _named(value: object) -> str:
    if value is None:
        return "null"
    if _is_huge(value):
        return "one of more than 64 bits"
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return _KINDS[type(value)]


class Fields:
    """A typed reader of an object that collects every fault with its key path, as in ``artifacts[0].size: missing``.

    After a fault a method returns an empty value of its type, so that reading goes on; ``finish`` then raises.
    """

    def __init__(self, value: Mapping[str, Any], *, at: str = "", problems: list[str] | None = None) -> None:
        self._value = value
        self._at = at
        self._problems: list[str] = [] if problems is None else problems

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def text(self, key: str) -> str:
        """Return the text under *key*."""
        return self._typed(key, str, "")

    def integer(self, key: str) -> int:
        """Return the integer under *key*; ``true`` is none."""
        return self._typed(key, int, 0)

    def natural(self, key: str) -> int:
        """Return the integer under *key*, which is not below zero."""
        value = self.integer(key)
        if value < 0:
            self.problem(key, f"expected a number from 0 on, found {value}")
        return max(value, 0)

    def boolean(self, key: str) -> bool:
        """Return the truth value under *key*."""
        return self._typed(key, bool, False)

    def digest(self, key: str) -> str:
        """Return the SHA-256 under *key*: 64 hexadecimal digits in lower case."""
        return self._digest(key, self.text(key))

    def optional_digest(self, key: str) -> str | None:
        """Return the SHA-256 under *key*, None for ``null`` or nothing."""
        value = self.optional_text(key)
        return None if value is None else self._digest(key, value)

    def digests(self, key: str) -> tuple[str, ...]:
        """Return the SHA-256 that the array under *key* holds."""
        return tuple(self._digest(key, value) for value in self.texts(key))

    def _digest(self, key: str, value: str) -> str:
        if value and not _DIGEST.fullmatch(value):
            self.problem(key, f"expected 64 hexadecimal digits, found {value!r}")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return the text under *key*, None where it is null or absent."""
        return None if self._value.get(key) is None else self.text(key)

    def optional_integer(self, key: str) -> int | None:
        """Return the integer under *key*, None where it is null or absent."""
        return None if self._value.get(key) is None else self.integer(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts under *key*."""
        return tuple(text for at, text in enumerate(self._typed(key, list, [])) if self._is(f"{key}[{at}]", text, str))

    def optional_texts(self, key: str) -> tuple[str, ...] | None:
        """Return the list of texts under *key*, None where it is null or absent."""
        return None if self._value.get(key) is None else self.texts(key)

    def text_map(self, key: str) -> dict[str, str]:
        """Return the object under *key* whose values are all texts."""
        items = self._typed(key, dict, {}).items()
        return {name: text for name, text in items if self._is(_joined(key, name), text, str)}

    def texts_map(self, key: str) -> dict[str, tuple[str, ...]]:
        """Return the object *key*, whose values are arrays of strings."""
        value = self._typed(key, dict, {})
        found = self._nested(key, value)
        return {name: found.texts(name) for name in value}

    def mapping(self, key: str) -> Fields:
        """Return a reader of the object under *key* that reports to this one."""
        return self._nested(key, self._typed(key, dict, {}))

    def optional_mapping(self, key: str) -> Fields | None:
        """Return a reader of the object under *key*, None where it is null or absent."""
        return None if self._value.get(key) is None else self.mapping(key)

    def mappings(self, key: str) -> tuple[Fields, ...]:
        """Return readers of the list of objects under *key*."""
        items = [(f"{key}[{at}]", item) for at, item in enumerate(self._typed(key, list, []))]
        return tuple(self._nested(at, item) for at, item in items if self._is(at, item, dict))

    def mapping_map(self, key: str) -> dict[str, Fields]:
        """Return readers of the object under *key* whose values are all objects, by key."""
        items = self._typed(key, dict, {}).items()
        return {
            name: self._nested(_joined(key, name), item)
            for name, item in items
            if self._is(_joined(key, name), item, dict)
        }

    def problem(self, key: str, text: str) -> None:
        """Add a fault found by the caller in what stands under *key*."""
        self._problems.append(f"{_joined(self._at, key) if key else self._at}: {text}")

    def finish(self, kind: str, where: str | Path, *, hint: str | None = None) -> None:
        """Raise InvalidDocument with all faults; return when there are none."""
        if self._problems:
            raise InvalidDocument(kind, where, self._problems, hint=hint)

    def _nested(self, key: str, value: Mapping[str, Any]) -> Fields:
        return Fields(value, at=_joined(self._at, key), problems=self._problems)

    def _typed(self, key: str, kind: type[_Value], empty: _Value) -> _Value:
        if key not in self._value:
            self.problem(key, "missing")
            return empty
        value = self._value[key]
        return value if self._is(key, value, kind) else empty

    def _is(self, key: str, value: object, kind: type) -> bool:
        # Exactly: JSON's true is an int to Python.
        if type(value) is kind and not (kind is int and _is_huge(value)):
            return True
        self.problem(key, f"expected {_KINDS[kind]}, found {_named(value)}")
        return False


def _is_huge(value: object) -> bool:
    return isinstance(value, int) and abs(value) >= _LARGEST


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key

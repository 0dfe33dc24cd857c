"""The text of a lockfile: the same bytes for the same content, one table for each distribution, a line for each file.

tomli_w decides by length between an inline table and one of its own; a lockfile is read, and compared line by line in
version control, most easily when each file is one line. So the layout is ours, scalars and names are tomli_w's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from multisite.addresses import strip_credentials

if TYPE_CHECKING:
    from packaging.pylock import Pylock

__all__ = ["format_pylock", "without_credentials"]

_ADDRESSES = frozenset({"url", "index"})


def format_pylock(pylock: Pylock) -> str:
    """Format a lockfile in the order of PEP 751's keys, distributions by name, addresses without credentials."""
    document = dict(_without_credentials(pylock.to_dict()))
    packages = sorted(document.pop("packages"), key=lambda item: (item["name"], item.get("version", ""), str(item)))
    tool = document.pop("tool", None)
    sections = ["".join(_lines(document))]
    sections += ["[[packages]]\n" + "".join(_lines(_ordered_files(item))) for item in packages]
    if not packages:
        sections[0] += "packages = []\n"
    if tool:
        sections.append(_toml({"tool": tool}))
    return "\n".join(sections)


def without_credentials(data: bytes, pylock: Pylock) -> tuple[bytes, tuple[str, ...]]:
    """Take users and passwords out of a lockfile's text; return that, and the addresses that had some.

    ``pylock`` is what the text says. But for these addresses the text stays as it is, unless it spells one of them
    with escapes.
    """
    addresses = tuple(dict.fromkeys(url for url in _addresses(pylock.to_dict()) if strip_credentials(url) != url))
    for url in addresses:
        data = data.replace(url.encode(), strip_credentials(url).encode())
        if url.encode() in data or strip_credentials(url).encode() not in data:
            return format_pylock(pylock).encode(), addresses
    return data, addresses


def _addresses(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _addresses(item, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _addresses(item, key)
    elif key in _ADDRESSES and isinstance(value, str):
        yield value


def _without_credentials(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _without_credentials(item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_credentials(item, key) for item in value]
    return strip_credentials(value) if key in _ADDRESSES and isinstance(value, str) else value


def _ordered_files(package: Mapping[str, Any]) -> dict[str, Any]:
    ordered = {key: _in_order(value) if key in {"sdist", "archive"} else value for key, value in package.items()}
    if wheels := ordered.get("wheels"):
        ordered["wheels"] = sorted(map(_in_order, wheels), key=str)
    return ordered


def _in_order(file: Mapping[str, Any]) -> dict[str, Any]:
    return {key: dict(sorted(value.items())) if key == "hashes" else value for key, value in file.items()}


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}\n" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return "[\n" + "".join(f"    {_inline(item)},\n" for item in value) + "]"
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {_inline(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return _toml({"x": value}).removeprefix("x = ").rstrip("\n")


def _key(key: str) -> str:
    return _toml({key: 0}).removesuffix(" = 0\n")


def _toml(table: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(table)

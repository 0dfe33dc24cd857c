"""The text of a lockfile: the same bytes for the same content, one table for each distribution, a line for each file.

tomli_w decides by length between an inline table and one of its own; a lockfile is read, and compared line by line in
version control, most easily when each file is one line. So the layout is ours, scalars and names are tomli_w's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from packaging.pylock import Pylock

__all__ = ["format_pylock", "strip_credentials"]

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


def strip_credentials(url: str) -> str:
    """Take user and password out of an address; the user of an ssh address is part of it and stays."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all; whoever uses it will say so
        return url
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url
    user = userinfo.partition(":")[0]
    kept = f"{user}@{host}" if user and parts.scheme.rpartition("+")[2] == "ssh" else host
    return urlunsplit(parts._replace(netloc=kept))


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

"""TOML documents as people and tools hand them in: read, or refused with one sentence."""

from __future__ import annotations

from typing import Any

__all__ = ["NotToml", "load_toml"]

_BOM = b"\xef\xbb\xbf"


class NotToml(ValueError):
    """Bytes are no TOML, or none that can be read; the text says where and why."""


def load_toml(data: bytes) -> dict[str, Any]:
    """Return what a document says. Raises NotToml."""
    import tomli

    if data.startswith(_BOM):
        problem = "line 1: it begins with a byte order mark (BOM), which TOML has not; save it as UTF-8 without one"
        raise NotToml(problem)
    try:
        return tomli.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotToml(f"line {line}: not UTF-8") from error
    except tomli.TOMLDecodeError as error:
        raise NotToml(str(error)) from error
    except RecursionError as error:
        raise NotToml("it is nested too deep to be read") from error
    except ValueError as error:  # Python reads no integers of more than 4300 digits
        raise NotToml("a number in it has too many digits to be read") from error

"""The module index of a folder of the store: what its folders list, for the start-up code to find modules by."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FORMAT", "NAME", "module_index"]

FORMAT = 1
NAME = "modules.txt"
# What interpreters find modules by; a finder whose loaders know other suffixes does not use the index.
_SUFFIXES = (".py", ".pyw", ".pyc", ".so", ".pyd")
# A name has these bytes in each locale's encoding. What has others is looked for on the disk.
_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-+")


def module_index(paths: Iterable[str]) -> bytes:
    """Return the index of a site-packages folder with the files *paths* (docs/formats.md, "Module index")."""
    folders: dict[str, set[str]] = {"": set()}
    for path in paths:
        folder, _, name = path.rpartition("/")
        parts = folder.split("/") if folder else []
        if _is_module(name) and all(map(_is_plain, parts)) and "__pycache__" not in parts:
            for depth in range(len(parts)):
                folders.setdefault("/".join(parts[: depth + 1]), set())
            folders[folder].add(name)
    lines = [f"{folder}\t{'/'.join(sorted(names))}\n" for folder, names in sorted(folders.items())]
    return f"multisite modules {FORMAT} {len(lines)}\n{''.join(lines)}".encode("ascii")


def _is_module(name: str) -> bool:
    return name.endswith(_SUFFIXES) and _is_plain(name.replace(".", "_"))


def _is_plain(name: str) -> bool:
    """Tell whether *name* can be a module's, and is the same in all encodings."""
    return bool(name) and _CHARACTERS.issuperset(name)

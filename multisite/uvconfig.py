"""uv's configuration: the files that decide what it resolves, and the users and passwords in them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite.requirements_file import RequirementsFiles, addresses_in
from multisite.toml import NotToml, load_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "configuration_digests",
    "configured_addresses",
    "configured_places",
    "credentials_variables",
    "settings_digests",
]

_PROJECT = "pyproject.toml"
# Variables that name requirements files, with spaces between them.
_NAMING_FILES = ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE")
_FALSE = frozenset({"", "0", "false", "no", "off"})


def configured_addresses(environ: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Yield every address in the configuration files that uv reads in *folder*, what counts most last.

    Those of named indexes carry the user and the password that ``UV_INDEX_<NAME>_USERNAME`` and ``_PASSWORD`` give.
    """
    for settings in _settings(environ, folder):
        yield from addresses_in(str(settings))
        indexes = settings.get("index")
        for index in indexes if isinstance(indexes, list) else ():
            if isinstance(index, dict) and isinstance(index.get("name"), str) and isinstance(index.get("url"), str):
                yield from credentials_variables(index["name"], index["url"], environ)


def configuration_digests(environ: Mapping[str, str], folder: Path) -> dict[Path, str | None]:
    """Return each file that uv would read in *folder* unasked with its SHA-256, None where there is none.

    That is its configuration, and what its variables name, with all that is included there.
    """
    named = RequirementsFiles()
    paths = [folder / word for name in _NAMING_FILES for word in environ.get(name, "").split()]
    for path in paths:
        named.read(path, shown=str(path), constraints=True)  # what is wrong there is uv's to say
    return {**{path: _digest(path) for path in _files(environ, folder)}, **dict.fromkeys(paths), **named.digests}


def settings_digests(environ: Mapping[str, str], folder: Path) -> dict[Path, str]:
    """Return each file that tells uv something in *folder*, with a digest that changes when that does.

    A pyproject.toml is mostly about other things: of that, only what it says to uv counts.
    """
    files = {path: digest for path, digest in configuration_digests(environ, folder).items() if digest}
    projects = {path: _said(path) for path in files if path.name == _PROJECT}
    texts = {path: json.dumps(said, sort_keys=True, default=str) for path, said in projects.items() if said}
    told = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}
    return {**{path: digest for path, digest in files.items() if path not in projects}, **told}


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def configured_places(environ: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Yield every place, address or folder, where those files say that distributions are looked for."""
    for settings in _settings(environ, folder):
        for table in (settings, _table(settings, "pip")):
            indexes = table.get("index")
            tables = indexes if isinstance(indexes, list) else []
            yield from (str(index.get("url", "")) for index in tables if isinstance(index, dict))
            for key in ("index-url", "extra-index-url", "find-links"):
                value = table.get(key, [])
                yield from map(str, value if isinstance(value, list) else [value])


def _settings(environ: Mapping[str, str], folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what the configuration files say, what counts most last."""
    yield from map(_said, reversed(list(_files(environ, folder))))


def _said(path: Path) -> Mapping[str, Any]:
    """Return what a file says to uv; nothing where it cannot be read, which is uv's to say."""
    try:
        document = load_toml(path.read_bytes())
    except (OSError, NotToml):
        return {}
    return _table(_table(document, "tool"), "uv") if path.name == _PROJECT else document


def credentials_variables(name: str, address: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the *address* of the index called *name* with the user and the password of its variables, if there are."""
    from urllib.parse import quote

    key = re.sub(r"[^A-Z0-9]", "_", name.upper())
    user, password = (environ.get(f"UV_INDEX_{key}_{part}", "") for part in ("USERNAME", "PASSWORD"))
    scheme, separator, rest = address.partition("://")
    if separator and (user or password):
        host = rest.rpartition("@")[2] if "@" in rest.partition("/")[0] else rest
        yield f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{host}"


def _files(environ: Mapping[str, str], folder: Path) -> Iterator[Path]:
    if environ.get("UV_NO_CONFIG", "").lower() not in _FALSE:
        return
    if named := environ.get("UV_CONFIG_FILE"):
        yield Path(named)
        return
    for above in (folder, *folder.parents):
        yield from (above / "uv.toml", above / "pyproject.toml")
    home = Path(environ.get("HOME", "~")).expanduser()
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "uv", "uv.toml")
    for place in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        yield Path(place, "uv", "uv.toml")
    yield Path("/etc/uv/uv.toml")


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}

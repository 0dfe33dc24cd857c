"""Which user and password go with an address: the ones given in an address of the same origin, else netrc's."""

from __future__ import annotations

import netrc
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from multisite.addresses import address_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Credentials"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PORTS = {"http": 80, "https": 443}


class Credentials:
    """Look up users and passwords; nothing of this is ever shown or written.

    ``addresses`` are those that a person gave, perhaps with a user and a password: a lockfile keeps none, so what an
    index was asked with serves its files as well. ``${NAME}`` in them is a variable of *environ*, as in requirements
    files. ``netrc_problem`` says why the netrc file could not be read.
    """

    def __init__(self, addresses: Iterable[str] = (), *, environ: Mapping[str, str] | None = None) -> None:
        expanded = [_expanded(address, environ or {}) for address in addresses]
        usable = [urlsplit(address) for address in expanded if address_problem(address) is None]
        self._given = {_origin(parts): found for parts in usable if (found := _userinfo(parts))}
        self.netrc_problem: str | None = None
        self._netrc = None if environ is None else self._read_netrc(environ)

    def find(self, url: str) -> tuple[str, str] | None:
        """Return user and password for an address: its own, else those of its origin, else those of its host."""
        parts = urlsplit(url)
        found = _userinfo(parts) or self._given.get(_origin(parts))
        if found or self._netrc is None or parts.hostname is None:
            return found
        entry = self._netrc.authenticators(parts.hostname)
        return None if entry is None else (entry[0] or "", entry[2] or "")

    def _read_netrc(self, environ: Mapping[str, str]) -> netrc.netrc | None:
        named = environ.get("NETRC")
        path = Path(named) if named else Path(environ.get("HOME", "~")).expanduser() / ".netrc"
        try:
            return netrc.netrc(path)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, netrc.NetrcParseError) as error:
            # Most files need no credentials: reported with the refusal of one that does.
            self.netrc_problem = f"{path}: {error}"
            return None


def _expanded(address: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environ.get(found[1], found[0]), address)


def _userinfo(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)

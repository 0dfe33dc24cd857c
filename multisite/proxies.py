"""Proxies: which one serves an address, according to this machine's variables (``http_proxy`` and its like)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from multisite.addresses import address_problem, strip_credentials
from multisite.credentials import Credentials

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Proxy", "ProxyNotUsable"]

_KINDS = frozenset({"http", "https"})


class ProxyNotUsable(ValueError):
    """A variable names a proxy that cannot be used; ``variable`` is its name."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"the proxy of the variable {variable} cannot be used: {reason}")
        self.variable = variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy: ``address`` without credentials, ``login`` its user and password."""

    address: str
    login: tuple[str, str] | None

    @classmethod
    def serving(cls, url: str) -> Self | None:
        """Return the proxy for an address, None where it is asked directly. Raises ProxyNotUsable.

        The variable of the address's own kind counts before ``all_proxy``; ``no_proxy`` makes exceptions.
        """
        parts, proxies = urlsplit(url), getproxies()
        kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
        if kind is None or proxy_bypass(parts.netloc):
            return None
        named = proxies[kind].strip()
        address = named if "://" in named else f"http://{named}"
        if objection := _objection(address):
            raise ProxyNotUsable(_variable(kind), objection)
        return cls(address=strip_credentials(address), login=Credentials([address]).find(address))


def _objection(address: str) -> str | None:
    if problem := address_problem(address):
        return problem
    parts = urlsplit(address)
    if parts.scheme not in _KINDS:
        return f"it is of the kind {parts.scheme!r}, and only http and https are spoken"
    return None if parts.hostname else "it names no host"


def _variable(kind: str) -> str:
    """Return the variable's name as it is spelt here; elsewhere the system's settings may say the same."""
    return next((name for name in (f"{kind}_proxy", f"{kind}_proxy".upper()) if name in os.environ), f"{kind}_proxy")

"""Addresses: what is wrong with one, and what of it may be shown or written. Users and passwords never are.

Who forgets to quote a ``/`` or ``?`` in a password gets an address whose end of the password is, by RFC 3986, part of
the path. Just those addresses are shown in errors, so what looks like a password there is treated as one.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

__all__ = ["address_problem", "is_local", "mask_credentials", "strip_credentials"]

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^\s'\"<>`]+)")
_MASK = "****@"


def address_problem(url: str) -> str | None:
    """Say why *url* is not an address, without a word of what it holds; None for a good one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "not an address"
    if not url.isprintable() or (parts.scheme == "file" and "%00" in parts.path):
        return "not an address: it has unprintable characters"
    if " " in parts.netloc:
        return "not an address: its host has a space"
    if not _has_port(parts):
        return "not an address: its port is not a number up to 65535"
    return None if parts.scheme else "not an address"


def is_local(place: str) -> bool:
    """Tell whether a place is on this machine: a path, or a ``file:`` address."""
    return "://" not in place or place[:5].lower() == "file:"


def strip_credentials(url: str) -> str:
    """Take user and password out of an address; the user of an ssh address is part of it and stays."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all; whoever uses it will say so
        return mask_credentials(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url if _has_port(parts) else mask_credentials(url)
    user = userinfo.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user and _is_ssh(parts.scheme) else host))


def mask_credentials(text: str) -> str:
    """Replace user and password of every address in *text*, whatever else it says."""
    return _ADDRESS.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    scheme, rest = found["scheme"], found["rest"]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    userinfo, at, _ = authority.rpartition("@")
    port = authority.rpartition("]")[2].partition(":")[2]
    if at:
        kept = rest[len(userinfo) + 1 :]
        secret = not _is_ssh(scheme) or ":" in userinfo
    else:
        kept = rest.rpartition("@")[2]
        secret = "@" in rest and bool(port) and not port.isdecimal()
    return f"{scheme}://{_MASK}{kept}" if secret else found[0]


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port >= 0
    except ValueError:
        return False


def _is_ssh(scheme: str) -> bool:
    return scheme.rpartition("+")[2] == "ssh"

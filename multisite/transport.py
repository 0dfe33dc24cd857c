"""Transport: files from servers over http and https, with this machine's certificates, proxies and credentials."""

from __future__ import annotations

import base64
import re
import ssl
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urljoin, urlsplit

from multisite.addresses import address_problem, strip_credentials
from multisite.connections import impatient
from multisite.credentials import Credentials
from multisite.errors import DownloadFailed
from multisite.proxies import Proxy, ProxyNotUsable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import BaseHTTPResponse, PoolManager, Timeout

__all__ = ["Sink", "Transport", "Trouble"]

_REDIRECTS = 20
_LONGEST_WAIT = 60.0
_WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504})
_PASSWORD = "give user and password in the index's address, or in ~/.netrc"  # noqa: S105 -- advice
_GONE = "lock anew what the index has now: multisite lock --upgrade"
_ADVICE = {401: _PASSWORD, 403: _PASSWORD, 404: _GONE, 410: _GONE}
# What no file of an index has, where the lockfile does not say how large it is.
_LARGEST = 1 << 36
_SIZED = "lock it with its size: multisite lock"
# A server that sends a byte now and then keeps a connection from timing out; a modem sent this in a second.
_WINDOW, _LEAST = 120.0, 4096
_SIZE = re.compile(r"\d{1,18}", re.ASCII)
_PART = re.compile(r"bytes (\d+)-\d+/(\d+|\*)", re.ASCII)


class Sink(Protocol):
    """What takes the bytes of a file, and may raise at any of them. ``pieced`` is set where they are continued."""

    pieced: bool

    @property
    def count(self) -> int:
        """How many bytes it has: the beginning of the file."""

    @property
    def is_short(self) -> bool:
        """Whether some are known to be missing."""

    def restart(self) -> None:
        """Forget them."""

    def announce(self, size: int | None) -> None:
        """Take note of the whole file's size according to the server."""

    def room(self) -> int:
        """Return how many bytes to read at most; none is the end."""

    def receive(self, chunk: bytes) -> None:
        """Take a chunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a file should be tried again, and after how many seconds if the server said so.

    ``version`` is what the server tells this version of the file by, for the next request (RFC 9110, If-Range).
    """

    reason: str
    wait: float | None = None
    version: str | None = None


class _Unanswered(Exception):
    """No answer came; ``address`` is whose, where it is not the one that was asked first. The cause is urllib3's."""

    def __init__(self, address: str | None) -> None:
        super().__init__(address)
        self.address = address


class Transport:
    """Speak with servers; safe to share between threads.

    ``tries`` is how often a file is asked for, ``backoff`` the seconds before the second time (doubled each time),
    ``timeout`` the seconds without a byte after which a connection counts as broken, ``patience`` those until the head
    of an answer has come.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        tries: int = 4,
        backoff: float = 0.5,
        timeout: float = 30.0,
        patience: float = _WINDOW,
        connections: int = 8,
        user_agent: str = "multisite",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tries = tries
        self._clock = clock
        self.backoff = backoff
        self._credentials = credentials or Credentials()
        self._timeout = timeout
        self._patience = patience
        self._connections = connections
        self._manager = lru_cache(maxsize=None)(self._new_manager)
        # Bytes as they lie there: a hash is of the file, not of what a decoder made of it.
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity", "Accept": "*/*"}

    def transfer(self, url: str, filename: str, sink: Sink, *, version: str | None = None) -> Trouble | None:
        """Bring what the sink has not got of a file; return what is worth another try, None when it is complete.

        *version* is what the last trouble with this address said. Raises DownloadFailed for what would not go better a
        second time, and whatever the sink raises.
        """
        import urllib3

        try:
            response = self._open(url, filename, _range(sink, version))
        except _Unanswered as unanswered:
            return self._judge(unanswered.__cause__, url, filename, redirected=unanswered.address)
        try:
            return self._take(response, url, filename, sink)
        except urllib3.exceptions.HTTPError as error:
            return replace(self._judge(error, url, filename), version=_version(response))
        finally:
            response.close()

    def _take(self, response: BaseHTTPResponse, url: str, filename: str, sink: Sink) -> Trouble | None:
        if response.status in _WORTH_REPEATING:
            return Trouble(reason=_status(response), wait=_retry_after(response))
        asked_for_rest = sink.count > 0
        if response.status == HTTPStatus.PARTIAL_CONTENT and asked_for_rest:
            part = _PART.match(response.headers.get("Content-Range", ""))
            if part is None or _number(part[1]) != sink.count:
                sink.restart()
                return Trouble(reason="the server sent another part than was asked for")
            sink.pieced = True
            sink.announce(_number(part[2]))
        elif response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and asked_for_rest:
            sink.restart()
            return Trouble(reason=_status(response))
        elif response.status == HTTPStatus.OK:
            sink.restart()
            sink.announce(_number(response.headers.get("Content-Length", "")))
        else:
            hint = _ADVICE.get(response.status)
            raise DownloadFailed(filename, strip_credentials(url), self._refusal(response), hint=hint)
        begun, before = self._clock(), sink.count
        while (room := sink.room()) and (chunk := response.read1(room, decode_content=False)):
            sink.receive(chunk)
            if sink.count > _LARGEST:
                raise DownloadFailed(
                    filename, strip_credentials(url), f"it has more than {_LARGEST} bytes", hint=_SIZED
                )
            if self._clock() - begun > _WINDOW:
                if sink.count - before < _LEAST:
                    return Trouble(reason="the server sends next to nothing", version=_version(response))
                begun, before = self._clock(), sink.count
        announced = response.headers.get("Transfer-Encoding") or _number(response.headers.get("Content-Length", ""))
        if sink.is_short and announced is None:
            # Where nothing is announced, the end of the file and of the connection look the same.
            return Trouble(reason="the connection broke off", version=_version(response))
        return None

    def _open(self, url: str, filename: str, wanted: Mapping[str, str]) -> BaseHTTPResponse:
        """Follow redirects up to an answer of another kind."""
        address = url
        for _ in range(_REDIRECTS):
            response = self._request(address, url, filename, wanted)
            location = response.get_redirect_location()
            if not location:
                return response
            response.close()
            if objection := _objection(location, base=address):
                raise DownloadFailed(filename, strip_credentials(url), f"a redirect: {objection}")
            address = urljoin(address, location)
        raise DownloadFailed(filename, strip_credentials(url), f"more than {_REDIRECTS} redirects")

    def _request(self, address: str, url: str, filename: str, wanted: Mapping[str, str]) -> BaseHTTPResponse:
        import urllib3

        if objection := _objection(address):
            raise DownloadFailed(filename, strip_credentials(url), objection)
        headers = {**self._headers, **wanted, **_authorization("Authorization", self._credentials.find(address))}
        bare = strip_credentials(address)
        pool = self._pool(bare, url, filename)
        try:
            return pool.request("GET", bare, headers=headers, preload_content=False, redirect=False, retries=False)
        except urllib3.exceptions.HTTPError as error:
            raise _Unanswered(None if address == url else bare) from error

    def _pool(self, address: str, url: str, filename: str) -> PoolManager:
        try:
            return self._manager(Proxy.serving(address))
        except ProxyNotUsable as error:
            hint = f"correct {error.variable}, or unset it"
            raise DownloadFailed(filename, strip_credentials(url), str(error), hint=hint) from error

    def _new_manager(self, proxy: Proxy | None) -> PoolManager:
        import urllib3

        common: dict[str, Any] = {
            "maxsize": self._connections,
            "timeout": self._limits,
            "ssl_context": _system_certificates(),
        }
        if proxy is None:
            return impatient(urllib3.PoolManager(**common), self._patience)
        manager = urllib3.ProxyManager(
            proxy.address,
            **common,
            proxy_ssl_context=_system_certificates(),
            proxy_headers=_authorization("Proxy-Authorization", proxy.login),
        )
        return impatient(manager, self._patience)

    @property
    def _limits(self) -> Timeout:
        import urllib3

        return urllib3.Timeout(connect=min(self._timeout, 15.0), read=self._timeout)

    def _judge(self, error: BaseException | None, url: str, filename: str, *, redirected: str | None = None) -> Trouble:
        import urllib3

        reason = _reason(error)
        if redirected is not None:
            parts = urlsplit(redirected)  # the rest may hold a signature, which is as good as a password
            reason = f"it leads to {parts.scheme}://{parts.netloc}: {reason}"
        if isinstance(error, (urllib3.exceptions.SSLError, urllib3.exceptions.LocationValueError)):
            raise DownloadFailed(filename, strip_credentials(url), reason) from error
        return Trouble(reason=reason)

    def _refusal(self, response: BaseHTTPResponse) -> str:
        if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and self._credentials.netrc_problem:
            return f"{_status(response)}; credentials could not be read: {self._credentials.netrc_problem}"
        return _status(response)


def _objection(address: str, *, base: str = "") -> str | None:
    """Say what is wrong with going to an address, from ``base`` if it is a redirect."""
    try:
        joined = urljoin(base, address)
    except ValueError:
        return "not an address"
    if problem := address_problem(joined):
        return problem
    parts = urlsplit(joined)
    if parts.scheme not in {"http", "https"}:
        return f"addresses of the kind {parts.scheme!r} are not fetched"
    if parts.hostname is None:
        return "the address names no host"
    if parts.scheme == "http" and urlsplit(base).scheme == "https":
        return "it leads from https to http"
    return None


def _range(sink: Sink, version: str | None) -> dict[str, str]:
    """Ask for what is missing. Without a version the hash will tell whether it was of the same file."""
    if not sink.count:
        return {}
    return {"Range": f"bytes={sink.count}-", **({"If-Range": version} if version else {})}


def _version(response: BaseHTTPResponse) -> str | None:
    """Return what If-Range may hold: a strong entity tag, else the time of the last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified")


def _number(digits: str) -> int | None:
    """Return a size that a header states, None where that is no number that a file could have."""
    return int(digits) if _SIZE.fullmatch(digits) else None


def _authorization(header: str, login: tuple[str, str] | None) -> dict[str, str]:
    """Return the header for a user and a password, in UTF-8 as pip, uv and browsers send them (RFC 7617)."""
    if login is None:
        return {}
    return {header: f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"}


def _system_certificates() -> ssl.SSLContext:
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _status(response: BaseHTTPResponse) -> str:
    return f"{response.status} {response.reason or ''}".rstrip()


def _retry_after(response: BaseHTTPResponse) -> float | None:
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), _LONGEST_WAIT) if seconds.isascii() and seconds.isdecimal() else None


def _reason(error: BaseException | None) -> str:
    """Say what a person can use of an error of urllib3's: its own words show objects and addresses."""
    import urllib3.exceptions as kinds

    cause = None if error is None else error.__cause__ or error.__context__
    if isinstance(error, kinds.ProxyError):
        return f"the proxy does not answer: {_reason(error.original_error)}"
    # The first that applies: a NewConnectionError is a ConnectTimeoutError too.
    sentences: tuple[tuple[type[Exception], str], ...] = (
        (kinds.SSLError, f"no secure connection: {error}"),
        (kinds.NameResolutionError, "the host is not known"),
        (kinds.NewConnectionError, getattr(cause, "strerror", None) or "no connection"),
        (kinds.ConnectTimeoutError, "the host does not answer"),
        (kinds.ReadTimeoutError, "the server stopped sending"),
        (kinds.ProtocolError, "the connection broke off"),
    )
    return next((sentence for kind, sentence in sentences if isinstance(error, kind)), str(error))

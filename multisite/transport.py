"""Transport: files from servers over http and https, with this machine's certificates, proxies and credentials."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from multisite.credentials import Credentials
from multisite.errors import DownloadFailed
from multisite.locktext import strip_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse, PoolManager, Timeout

__all__ = ["Sink", "Transport", "Trouble"]

_REDIRECTS = 20
_LONGEST_WAIT = 60.0
_WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504})
_PASSWORD = "give user and password in the index's address, or in ~/.netrc"  # noqa: S105 -- advice
_GONE = "lock anew what the index has now: multisite lock --upgrade"
_ADVICE = {401: _PASSWORD, 403: _PASSWORD, 404: _GONE, 410: _GONE}
_PART = re.compile(r"bytes (\d+)-\d+/(\d+|\*)", re.ASCII)


class Sink(Protocol):
    """What takes the bytes of a file, and may raise at any of them. ``pieced`` is set where they are continued."""

    pieced: bool

    @property
    def count(self) -> int:
        """How many bytes it has: the beginning of the file."""

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


class Transport:
    """Speak with servers; safe to share between threads.

    ``tries`` is how often a file is asked for, ``backoff`` the seconds before the second time (doubled each time),
    ``timeout`` the seconds without a byte after which a connection counts as broken.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        tries: int = 4,
        backoff: float = 0.5,
        timeout: float = 30.0,
        connections: int = 8,
        user_agent: str = "multisite",
    ) -> None:
        self.tries = tries
        self.backoff = backoff
        self._credentials = credentials or Credentials()
        self._timeout = timeout
        self._connections = connections
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
        except urllib3.exceptions.HTTPError as error:
            return self._judge(error, url, filename)
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
            if part is None or int(part[1]) != sink.count:
                sink.restart()
                return Trouble(reason="the server sent another part than was asked for")
            sink.pieced = True
            sink.announce(int(part[2]) if part[2] != "*" else None)
        elif response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and asked_for_rest:
            sink.restart()
            return Trouble(reason=_status(response))
        elif response.status == HTTPStatus.OK:
            sink.restart()
            length = response.headers.get("Content-Length", "")
            sink.announce(int(length) if length.isdecimal() else None)
        else:
            hint = _ADVICE.get(response.status)
            raise DownloadFailed(filename, strip_credentials(url), self._refusal(response), hint=hint)
        while (room := sink.room()) and (chunk := response.read(room, decode_content=False)):
            sink.receive(chunk)
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
        headers = {**self._headers, **wanted}
        if login := self._credentials.find(address):
            headers |= urllib3.make_headers(basic_auth=":".join(login))
        bare = strip_credentials(address)
        return self._manager(bare).request(
            "GET", bare, headers=headers, preload_content=False, redirect=False, retries=False
        )

    def _manager(self, address: str) -> PoolManager:
        parts = urlsplit(address)
        if parts.scheme not in self._proxies or proxy_bypass(parts.netloc):
            return self._direct
        return self._proxies[parts.scheme]

    @cached_property
    def _direct(self) -> PoolManager:
        import urllib3

        return urllib3.PoolManager(maxsize=self._connections, timeout=self._limits, ssl_context=_system_certificates())

    @cached_property
    def _proxies(self) -> dict[str, PoolManager]:
        import urllib3

        found: dict[str, PoolManager] = {}
        for scheme, address in getproxies().items():
            if scheme in {"http", "https"}:
                address = address if "://" in address else f"http://{address}"
                login = Credentials([address]).find(address)
                found[scheme] = urllib3.ProxyManager(
                    strip_credentials(address),
                    maxsize=self._connections,
                    timeout=self._limits,
                    ssl_context=_system_certificates(),
                    proxy_ssl_context=_system_certificates(),
                    proxy_headers=urllib3.make_headers(proxy_basic_auth=":".join(login)) if login else None,
                )
        return found

    @property
    def _limits(self) -> Timeout:
        import urllib3

        return urllib3.Timeout(connect=min(self._timeout, 15.0), read=self._timeout)

    def _judge(self, error: Exception, url: str, filename: str) -> Trouble:
        import urllib3

        reason = _reason(error)
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
        parts = urlsplit(urljoin(base, address))
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"not an address: {error}"
    if parts.scheme not in {"http", "https"} or host is None:
        return f"addresses of the kind {parts.scheme!r} are not fetched"
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


def _system_certificates() -> ssl.SSLContext:
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _status(response: BaseHTTPResponse) -> str:
    return f"{response.status} {response.reason or ''}".rstrip()


def _retry_after(response: BaseHTTPResponse) -> float | None:
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), _LONGEST_WAIT) if seconds.isdecimal() else None


def _reason(error: Exception) -> str:
    """Say what a person can use of an error of urllib3's: its own words show objects and addresses."""
    import urllib3.exceptions as kinds

    cause = error.__cause__ or error.__context__
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

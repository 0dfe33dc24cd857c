"""A package index on 127.0.0.1, real enough for pip and uv, that can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote, urlsplit

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Fault", "LocalIndex"]

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class Fault:
    """What the index does wrong with one file or page, for the next ``times`` requests (None: for ever).

    Pages are named ``simple/<name>``.
    ``status`` answers with that status, ``headers`` are added, ``content`` is sent in the file's place, and
    ``break_after`` closes the connection after so many bytes of what was promised. ``unannounced`` sends no length.
    ``hold`` lets the answer wait until it is set, after ``arrived`` was.
    """

    times: int | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    break_after: int | None = None
    unannounced: bool = False
    hold: threading.Event | None = None
    arrived: threading.Event = field(default_factory=threading.Event)


class LocalIndex:
    """Serve a folder of wheels and sdists by PEP 503, 691 and 658; files may be added while it runs.

    ``requests`` counts the paths asked for, ``ranges`` are the parts of files that were. With ``user`` and
    ``password``, everything needs them. ``hashes`` and ``metadata`` say whether the pages give them, ``partial``
    whether files are also served in parts, ``tagged`` whether they come with entity tags. With ``tls`` it speaks https.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hashes: bool = True,
        metadata: bool = True,
        partial: bool = True,
        tagged: bool = True,
        user: str | None = None,
        password: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.folder = folder
        self.hashes = hashes
        self.metadata = metadata
        self.partial = partial
        self.tagged = tagged
        self.credentials = None if user is None else f"{user}:{password}"
        self.faults: dict[str, Fault] = {}
        self.requests: Counter[str] = Counter()
        self.ranges: list[str] = []
        self.user_agents: set[str] = set()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # The handshake is the handler's thread's, at its first read: a client that says nothing holds up nobody.
            listening = self._server.socket
            self._server.socket = tls.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
        self._server.index = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def origin(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The address to give as ``--index-url``."""
        return f"{self.origin}/simple"

    def with_credentials(self) -> str:
        return self.url.replace("://", f"://{self.credentials}@")

    def file_url(self, filename: str) -> str:
        return f"{self.origin}/files/{quote(filename)}"

    def fail(self, filename: str, fault: Fault) -> None:
        self.faults[filename] = fault

    def sha256(self, filename: str) -> str:
        return hashlib.sha256((self.folder / filename).read_bytes()).hexdigest()

    def fault(self, filename: str) -> Fault:
        fault = self.faults.get(filename, Fault())
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.faults.pop(filename, None)
        return fault

    def page(self, name: str) -> list[dict[str, Any]]:
        return [self._entry(path) for path in sorted(self.folder.iterdir()) if _project(path.name) == name]

    def _entry(self, path: Path) -> dict[str, Any]:
        content = path.read_bytes()
        entry: dict[str, Any] = {"filename": path.name, "url": f"/files/{quote(path.name)}", "size": len(content)}
        entry["hashes"] = {"sha256": hashlib.sha256(content).hexdigest()} if self.hashes else {}
        if metadata := wheel_metadata(path):
            entry["requires-python"] = BytesHeaderParser().parsebytes(metadata).get("Requires-Python")
            if self.metadata:
                entry["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
        return {key: value for key, value in entry.items() if value is not None}


def wheel_metadata(path: Path) -> bytes | None:
    if path.suffix != ".whl":
        return None
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1]
        return archive.read(names[0]) if names else None


def _project(filename: str) -> str | None:
    if filename.endswith(".whl"):
        return parse_wheel_filename(filename)[0]
    if filename.endswith((".tar.gz", ".zip")):
        return parse_sdist_filename(filename)[0]
    return None


class _Server(ThreadingHTTPServer):
    index: LocalIndex
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        index = cast("_Server", self.server).index
        path = unquote(urlsplit(self.path).path)
        index.requests[path] += 1
        index.user_agents.add(self.headers.get("User-Agent", ""))
        if index.credentials is not None and not self._authorized(index.credentials):
            self._answer(401, b"", {"WWW-Authenticate": 'Basic realm="index"'})
        elif (name := path.strip("/")) in index.faults:
            fault = index.fault(name)
            self._answer(fault.status, fault.content or b"", fault.headers, fault)
        elif path.startswith("/simple/"):
            self._project_page(index, path.removeprefix("/simple/").strip("/"))
        elif path.startswith("/files/"):
            self._file(index, path.removeprefix("/files/"))
        else:
            self._answer(404, b"not found")

    do_HEAD = do_GET  # noqa: N815

    def _authorized(self, credentials: str) -> bool:
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(credentials.encode()).decode()

    def _project_page(self, index: LocalIndex, name: str) -> None:
        entries = index.page(canonicalize_name(name))
        if not entries:
            self._answer(404, b"no such project")
        elif JSON in self.headers.get("Accept", ""):
            document = {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": entries}
            self._answer(200, json.dumps(document).encode(), {"Content-Type": JSON})
        else:
            links = "".join(_link(entry) for entry in entries)
            self._answer(200, f"<!DOCTYPE html><body>{links}</body>".encode(), {"Content-Type": "text/html"})

    def _file(self, index: LocalIndex, name: str) -> None:
        fault = index.fault(name)
        fault.arrived.set()
        if fault.hold is not None:
            fault.hold.wait(30)
        content = fault.content if fault.content is not None else _content(index.folder, name)
        if content is None:
            self._answer(404, b"no such file")
        elif fault.status == 200:
            tag = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'} if index.tagged else {}
            status, part, headers = self._part(index, content, tag.get("ETag"))
            self._answer(status, part, {**tag, **headers, **fault.headers}, fault)
        else:
            self._answer(fault.status, content, fault.headers, fault)

    def _part(self, index: LocalIndex, content: bytes, tag: str | None) -> tuple[int, bytes, dict[str, str]]:
        """Return what of a file was asked for (RFC 9110, range requests)."""
        asked = self.headers.get("Range")
        if asked is None or not index.partial:
            return 200, content, {}
        index.ranges.append(asked)
        if self.headers.get("If-Range", tag) != tag:
            return 200, content, {}
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            return 416, b"", {"Content-Range": f"bytes */{len(content)}"}
        return 206, content[start:], {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, fault: Fault = Fault()) -> None:  # noqa: B008
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if fault.unannounced:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: fault.break_after])
        if fault.break_after is not None or fault.unannounced:
            self.close_connection = True


def _content(folder: Path, name: str) -> bytes | None:
    path = folder / Path(name).name
    if path.is_file():
        return path.read_bytes()
    wheel = path.with_name(path.name.removesuffix(".metadata"))
    return wheel_metadata(wheel) if path.name.endswith(".metadata") and wheel.is_file() else None


def _link(entry: dict[str, Any]) -> str:
    digest = entry["hashes"].get("sha256")
    fragment = f"#sha256={digest}" if digest else ""
    attributes = ""
    if requires := entry.get("requires-python"):
        attributes += f' data-requires-python="{requires.replace("<", "&lt;").replace(">", "&gt;")}"'
    if metadata := entry.get("core-metadata"):
        attributes += f' data-core-metadata="sha256={metadata["sha256"]}"'
    return f'<a href="{entry["url"]}{fragment}"{attributes}>{entry["filename"]}</a><br>\n'

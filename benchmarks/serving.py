"""A server on 127.0.0.1 that hands out the wheels, in a process of its own."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["serving"]


class Handler(SimpleHTTPRequestHandler):
    """Files of one folder, with connections that are kept open."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder for as long as the context lasts; yield its address."""
    command = [sys.executable, "-m", "benchmarks.serving", str(folder)]
    root = Path(__file__).parents[1]
    pipes = (subprocess.PIPE, subprocess.PIPE)
    with subprocess.Popen(command, stdin=pipes[0], stdout=pipes[1], text=True, cwd=root) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


def main() -> None:
    """Serve the folder that is named on the command line, until standard input ends: with who started this, at last."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()

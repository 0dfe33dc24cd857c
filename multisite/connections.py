"""Connections that do not wait for ever for the head of an answer.

A time limit for a socket is one for each read: a server that sends a byte now and then never reaches it. What comes
after the head is the transport's to count.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager

__all__ = ["impatient"]


def impatient(manager: PoolManager, seconds: float) -> PoolManager:
    """Have each connection of *manager* count as broken when the head of an answer has not come after *seconds*."""
    kinds = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _pool(kind, seconds) for scheme, kind in kinds.items()}
    return manager


def _pool(kind: type[HTTPConnectionPool], seconds: float) -> type[HTTPConnectionPool]:
    base: Any = kind.ConnectionCls

    class Connection(base):  # type: ignore[misc]
        def getresponse(self) -> BaseHTTPResponse:
            with _limited(self.sock, seconds):
                response: BaseHTTPResponse = super().getresponse()
            return response

    return type("Pool", (kind,), {"ConnectionCls": Connection})


@contextlib.contextmanager
def _limited(sock: socket.socket, seconds: float) -> Any:
    """Close *sock* when the block takes longer than *seconds*. Raises TimeoutError."""
    late = threading.Event()

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError):  # it has been closed meanwhile
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:  # whatever a cut connection raises; what was not late is raised again
        if late.is_set():
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
        raise
    finally:
        timer.cancel()
    if late.is_set():  # an end in the middle of the head is taken for its end
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

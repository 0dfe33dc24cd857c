"""Who wrote something down, and whether that process still runs: for what holds only as long as its writer lives.

A process is told from a later one with its number by its start, and can be looked for only from the same host, and the
same namespace of process numbers; elsewhere only the time tells.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

    from multisite.document import Fields

__all__ = ["Writer"]

_HAS_ENDED = "ended"
_ENDED = frozenset("ZX")  # a zombie in a container may wait for ever for somebody to take notice of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A process. ``started`` is compared, not read; ``time`` is when it wrote, in seconds."""

    host: str
    pid: int
    started: str | None
    time: int

    @classmethod
    def this_process(cls) -> Self:
        """Return the running process."""
        return cls(host=_host(), pid=os.getpid(), started=_started(os.getpid()), time=int(time.time()))

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read the process that a document names; faults are the reader's to report."""
        writer = cls(
            host=fields.text("host"),
            pid=fields.integer("pid"),
            started=fields.optional_text("started"),
            time=fields.integer("time"),
        )
        if writer.pid < 0:  # to the kernel those are groups of processes
            fields.problem("pid", f"expected a process, found {writer.pid}")
        return writer

    def plain(self) -> dict[str, Any]:
        """Return what a document says of it."""
        return {"host": self.host, "pid": self.pid, "started": self.started, "time": self.time}

    @property
    def can_be_seen(self) -> bool:
        """Whether it can be told from here if it lives."""
        return sys.platform != "win32" and self.host == _host()

    def lives(self, now: float, *, unseen: float) -> bool:
        """Tell whether it lives at the time *now*; one that cannot be seen, for *unseen* seconds from its word on."""
        if not self.can_be_seen:
            return now - self.time < unseen
        return _is_running(self.pid) and self.started == _started(self.pid) != _HAS_ENDED


def _host() -> str:
    # Containers may share a host's name, but not its process numbers.
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str | None:
    """Return when a process began, as text that no later one has; None where that cannot be told.

    One that has ended and that nobody has asked about began never.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # proc(5): the program's name, in brackets, may hold anything; the state is the third field, the start the 22nd.
    after = facts.rpartition(")")[2].split()
    return _HAS_ENDED if after[0] in _ENDED else f"{boot} {after[19]}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""Pins: what running commands have published or chosen and not registered yet (docs/formats.md, "Pins").

A pin holds while its process lives. A process is told from a later one with its number by its start time, and can be
looked for only from the same host, and the same namespace of process numbers; elsewhere a pin holds for a day.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.document import Fields, dump_document, load_document
from multisite.files import write_atomic
from multisite.names import BuildId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Pin", "PinRecord", "pins"]

FORMAT = 1
_KIND = "pin"
_HINT = "remove the file when no multisite runs"
_HOLDS = 24 * 3600  # seconds
# Another account's store: nothing can be published there either, and who collects its garbage is warned (registry).
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Pin:
    """Keep entries from garbage collection while the ``with`` block runs. Threads may share it."""

    def __init__(self, store_root: Path) -> None:
        self._path = store_root / "pins" / f"{secrets.token_hex(16)}.json"
        self._lock = threading.Lock()
        self._builds: set[BuildId] = set()
        self._shared: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def add(self, *builds: BuildId) -> None:
        """Pin entries; they are safe when this returns."""
        self._add(set(builds), set())

    def add_shared(self, *digests: str) -> None:
        """Pin shared folders; they are safe when this returns."""
        self._add(set(), set(digests))

    def _add(self, builds: set[BuildId], shared: set[str]) -> None:
        with self._lock:
            if builds <= self._builds and shared <= self._shared:
                return
            self._builds |= builds
            self._shared |= shared
            record = PinRecord.of_this_process(builds=self._builds, shared=self._shared)
            try:
                self._path.parent.mkdir(exist_ok=True)
                write_atomic(self._path, record.to_document())
            except OSError as error:
                if error.errno not in _READ_ONLY:
                    raise


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRecord:
    """A pin as it is written. ``started`` is compared, not read; ``time`` is in seconds."""

    host: str
    pid: int
    started: str | None
    time: int
    builds: tuple[BuildId, ...] = ()
    shared: tuple[str, ...] = ()

    @classmethod
    def of_this_process(cls, *, builds: set[BuildId], shared: set[str]) -> PinRecord:
        """Return the pin of the running process on these entries."""
        return cls(
            host=_host(),
            pid=os.getpid(),
            started=_started(os.getpid()),
            time=int(time.time()),
            builds=tuple(sorted(builds)),
            shared=tuple(sorted(shared)),
        )

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> PinRecord:
        """Read a pin. Raises InvalidDocument with every fault, UnsupportedFormat."""
        fields = Fields(load_document(document, kind=_KIND, format=FORMAT, where=where))
        builds = []
        for text in fields.texts("builds"):
            try:
                builds.append(BuildId.parse(text))
            except ValueError as error:
                fields.problem("builds", str(error))
        record = cls(
            host=fields.text("host"),
            pid=fields.integer("pid"),
            started=fields.optional_text("started"),
            time=fields.integer("time"),
            builds=tuple(builds),
            shared=fields.texts("shared"),
        )
        if record.pid < 0:  # to the kernel those are groups of processes
            fields.problem("pid", f"expected a process, found {record.pid}")
        fields.finish(_KIND, where, hint=_HINT)
        return record

    def to_document(self) -> bytes:
        """Return the pin as it is written."""
        value = {
            "host": self.host,
            "pid": self.pid,
            "started": self.started,
            "time": self.time,
            "builds": [str(build) for build in self.builds],
            "shared": list(self.shared),
        }
        return dump_document(value, format=FORMAT)

    def holds(self, now: float) -> bool:
        """Tell whether the pin is in force at the time *now* (seconds)."""
        if sys.platform == "win32" or self.host != _host():
            return now - self.time < _HOLDS
        return _is_running(self.pid) and self.started == _started(self.pid)


def pins(store_root: Path) -> Iterator[tuple[Path, PinRecord]]:
    """Yield each pin of a store with its file, sorted. Raises InvalidDocument, UnsupportedFormat."""
    for path in sorted((store_root / "pins").glob("[!.]*.json")):
        try:
            document = path.read_bytes()
        except FileNotFoundError:
            continue  # its process has ended since it was listed
        yield path, PinRecord.from_document(document, path)


def _host() -> str:
    # Containers may share a host's name, but not its process numbers.
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str | None:
    """Return when a process began, as text that no later one has; None where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # proc(5): the name of the program, in brackets, may hold anything; the start is the 22nd field.
    return f"{boot} {facts.rpartition(')')[2].split()[19]}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

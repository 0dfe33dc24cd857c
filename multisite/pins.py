"""Pins: what running commands have published or chosen and not registered yet (docs/formats.md, "Pins").

A pin holds while its process lives. A process is told from a later one with its number by its start time, and can be
looked for only from the same host, and the same namespace of process numbers; elsewhere a pin holds for a day.

The file is a document in its first line, then a line for each entry, appended: a sync that finds hundreds of entries
pins each of them before it relies on it. A line that is not ended yet is not relied on.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.document import Fields, load_document
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.files import naming, write_atomic
from multisite.names import BuildId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Pin", "PinRecord", "pins", "sweep"]

FORMAT = 1
_KIND = "pin"
_SHARED = "shared/"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HINT = "remove the file when no multisite runs"
_HOLDS = 24 * 3600  # seconds
# Another account's store: nothing can be published there either, and who collects its garbage is warned (registry).
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Pin:
    """Keep entries from garbage collection while the ``with`` block runs. Threads may share it."""

    def __init__(self, store_root: Path) -> None:
        self._path = store_root / "pins" / f"{secrets.token_hex(16)}.pin"
        self._lock = threading.Lock()
        self._lines: set[str] = set()
        self._file: int | None = None
        self._read_only = False

    def __enter__(self) -> Self:
        sweep(self._path.parent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._path.unlink(missing_ok=True)

    def add(self, *builds: BuildId) -> None:
        """Pin entries; they are safe when this returns."""
        self._add(str(build) for build in builds)

    def add_shared(self, *digests: str) -> None:
        """Pin shared folders; they are safe when this returns."""
        self._add(f"{_SHARED}{digest}" for digest in digests)

    def _add(self, lines: Iterable[str]) -> None:
        with self._lock:
            new = sorted(set(lines) - self._lines)
            if not new or self._read_only:
                return
            try:
                self._append("".join(f"{line}\n" for line in new).encode())
            except OSError as error:
                if error.errno not in _READ_ONLY:
                    raise
                self._read_only = True
            self._lines.update(new)

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._path.parent.mkdir(exist_ok=True)
            write_atomic(self._path, PinRecord.of_this_process().to_document())
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        with naming(self._path):
            if os.write(self._file, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


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
    def of_this_process(cls) -> PinRecord:
        """Return a pin of the running process on nothing yet."""
        return cls(host=_host(), pid=os.getpid(), started=_started(os.getpid()), time=int(time.time()))

    @classmethod
    def from_document(cls, document: bytes, where: str | Path) -> PinRecord:
        """Read a pin. Raises InvalidDocument with every fault, UnsupportedFormat."""
        head, *lines = document.split(b"\n")
        fields = Fields(load_document(head, kind=_KIND, format=FORMAT, where=where))
        builds, shared = [], []
        for number, line in enumerate(lines[:-1], start=2):
            text = line.decode("utf-8", "replace")
            try:
                if text.startswith(_SHARED):
                    shared.append(_digest(text[len(_SHARED) :]))
                else:
                    builds.append(BuildId.parse(text))
            except ValueError as error:
                fields.problem(f"line {number}", str(error))
        record = cls(
            host=fields.text("host"),
            pid=fields.integer("pid"),
            started=fields.optional_text("started"),
            time=fields.integer("time"),
            builds=tuple(sorted(builds)),
            shared=tuple(sorted(shared)),
        )
        if record.pid < 0:  # to the kernel those are groups of processes
            fields.problem("pid", f"expected a process, found {record.pid}")
        fields.finish(_KIND, where, hint=_HINT)
        return record

    def to_document(self) -> bytes:
        """Return the pin as it is written."""
        value = {"format": FORMAT, "host": self.host, "pid": self.pid, "started": self.started, "time": self.time}
        lines = [json.dumps(value), *map(str, self.builds), *(f"{_SHARED}{digest}" for digest in self.shared)]
        return "".join(f"{line}\n" for line in lines).encode()

    def holds(self, now: float) -> bool:
        """Tell whether the pin is in force at the time *now* (seconds)."""
        if sys.platform == "win32" or self.host != _host():
            return now - self.time < _HOLDS
        return _is_running(self.pid) and self.started == _started(self.pid)


def pins(store_root: Path) -> Iterator[tuple[Path, PinRecord]]:
    """Yield each pin of a store with its file, sorted. Raises InvalidDocument, UnsupportedFormat."""
    for path in sorted((store_root / "pins").glob("[!.]*.pin")):
        try:
            document = path.read_bytes()
        except FileNotFoundError:
            continue  # its process has ended since it was listed
        yield path, PinRecord.from_document(document, path)


def sweep(folder: Path) -> None:
    """Remove the pins in *folder* that hold nothing any more, since their processes were killed."""
    for path in folder.glob("[!.]*.pin"):
        try:
            is_dead = not PinRecord.from_document(path.read_bytes(), path).holds(time.time())
        except (OSError, InvalidDocument, UnsupportedFormat):
            continue  # its process has ended, or garbage collection will ask about it
        if is_dead:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(f"not a shared folder's digest: {text!r}")
    return text


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

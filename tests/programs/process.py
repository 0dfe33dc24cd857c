"""Processes: run to their end, or kept running, waited for, talked to, stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Server", "finished", "free_port", "running", "until"]

# For a machine that has ten times as much to do as it can; nothing is waited for that does not come.
PATIENCE = 900.0
Found = TypeVar("Found")


def free_port() -> int:
    """Return a port that nobody listens on."""
    # Not one that the system gives to clients: asking a server that is not there yet could then find itself.
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as listening, contextlib.suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port


def until(ask: Callable[[], Found | None], what: str) -> Found:
    """Ask again and again until there is an answer."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise TimeoutError(f"waited {PATIENCE:.0f} seconds for {what}")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A process with all that it started, and what they have written."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def log(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def says(self, text: str, *, times: int = 1) -> None:
        """Wait until *text* stands in the output, *times* times."""
        self._until(lambda: self.log.count(text) >= times, repr(text))

    def get(self, url: str, **options: Any) -> str:
        """Return what is at *url* as soon as it answers; other *options* are those of ``Request``."""
        return self._until(lambda: _answer(url, **options), url)

    def changed(self, url: str, before: str, change: Callable[[], None]) -> str:
        """Make *change* until there is another answer than *before* at *url*, and return that.

        Once is not always enough: servers answer a little earlier than they begin to look for changes.
        """
        made = 0.0

        def ask() -> str | None:
            nonlocal made
            if time.monotonic() - made > 5:
                change()
                made = time.monotonic()
            answer = _answer(url)
            return answer if answer != before else None

        return self._until(ask, f"another answer at {url}")

    def json(self, url: str, **options: Any) -> Any:
        """Return the document at *url*."""
        return json.loads(self.get(url, **options))

    def _until(self, ask: Callable[[], Found | None], what: str) -> Found:
        def alive() -> Found | None:
            answer = ask()
            if not answer and self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode} before {what}:\n{self.log}")
            return answer

        try:
            return until(alive, what)
        except TimeoutError as late:
            raise TimeoutError(f"{late}:\n{self.log}") from None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal, to the first process alone, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def _answer(url: str, **options: Any) -> str | None:
    request = urllib.request.Request(url, **options)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as answer:
            return str(answer.read().decode()) or None
    except urllib.error.HTTPError as refused:
        return f"{refused.code} {refused.reason}"
    except (OSError, http.client.HTTPException):
        return None


def finished(command: list[str], *, folder: Path, environ: Mapping[str, str], told: str) -> tuple[int, str, str]:
    """Run *command* to its end with *told* as its input; return exit code and output. Nothing of it is left running."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = _started(command, folder, environ, text=True, errors="replace", **streams)
    try:
        out, err = process.communicate(told, timeout=1800)
    finally:
        _kill(process)
    return process.returncode, out, err


@contextlib.contextmanager
def running(command: list[str], *, folder: Path, environ: Mapping[str, str], output: Path) -> Iterator[Server]:
    """Run *command* in a session of its own; whatever is left of it in the end is killed."""
    with output.open("wb") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        process = _started(command, folder, environ, **streams)
    try:
        yield Server(process=process, output=output)
    finally:
        _kill(process)


def _started(command: list[str], folder: Path, environ: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:
    """Start *command* in a session of its own, which can be interrupted."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        start_new_session=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 nothing here has threads
        **options,
    )


def _heed_interrupts() -> None:
    # What a shell starts in the background ignores interrupts, and passes that on: a server would not stop by one.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _kill(process: subprocess.Popen[Any]) -> None:
    # The session that it leads: whatever it started is in it, unless it took care not to be.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

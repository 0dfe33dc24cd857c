"""Questions to processes of an interpreter, a line each; one that ends its process is told from the others.

What reads foreign code objects, or compiles foreign sources, may take its interpreter along (a stack that overflows, a
bug of the compiler). So it runs in processes of their own, which get several lines at a time and answer each.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections import deque
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from multisite.processes import end

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

__all__ = ["ask"]

_AT_ONCE = 16  # so many lines, and their answers, fit into any pipe
_FLAGS = ("-I", "-S", "-X", "utf8")
# A command that ends early closes their input and asks them to end. Ctrl-C reaches them as well, and is its business.
_LOOP = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=True)
"""


def ask(
    python: Path, program: str, questions: Sequence[Sequence[Any]], environ: Mapping[str, str], *, processes: int
) -> Generator[tuple[int, Any], None, None]:
    """Yield the number of each of *questions*, in any order, with its answer; None where it ended the process.

    *program* is the source of a module in which ``answer`` takes the parts of a question and returns the answer, both
    as JSON can tell them. Whoever closes the generator, or is interrupted, ends the processes. Raises OSError where
    *python* cannot be run.
    """
    work = _Asking([str(python), *_FLAGS, "-c", program + _LOOP], questions, environ)
    threads = [
        threading.Thread(target=work.carry_out, name=f"multisite-ask_{number}", daemon=True)
        for number in range(max(1, min(processes, -(-len(questions) // _AT_ONCE))))
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in questions:
            found = work.answers.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        work.stop()
        for thread in filter(threading.Thread.is_alive, threads):
            thread.join()


class _Asking:
    """What is still to be asked; each thread that carries it out has a process of its own."""

    def __init__(self, command: Sequence[str], questions: Sequence[Sequence[Any]], environ: Mapping[str, str]) -> None:
        self.answers: SimpleQueue[tuple[int, Any] | BaseException] = SimpleQueue()
        self._command = command
        self._environ = environ
        self._waiting = deque(enumerate(questions))
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def stop(self) -> None:
        """End the processes."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        self._waiting.clear()
        for process in running:
            end(process)

    def carry_out(self) -> None:
        """Ask until nothing is left."""
        try:
            while self._waiting and self._asked():
                pass
        except BaseException as error:  # noqa: BLE001 -- raised in the thread that waits for the answers
            self.answers.put(error)

    def _asked(self) -> bool:
        """Ask one process until it ends or nothing is left; tell whether to go on with another."""
        with self._lock:
            if self._ended:
                return False
            process = subprocess.Popen(
                self._command,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._running.add(process)
        try:
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                while batch := self._next():
                    count = self._exchanged(batch, process.stdin, process.stdout)
                    if count < len(batch):
                        self._left_over(batch[count:])
                        return not self._ended
        finally:
            with self._lock:
                self._running.discard(process)
        return False

    def _next(self) -> list[tuple[int, Sequence[Any]]]:
        batch: list[tuple[int, Sequence[Any]]] = []
        with self._lock:
            while self._waiting and len(batch) < _AT_ONCE:
                batch.append(self._waiting.popleft())
        return batch

    def _exchanged(self, batch: Sequence[tuple[int, Sequence[Any]]], given: IO[bytes], said: IO[bytes]) -> int:
        """Ask a batch; return how many of it were answered."""
        try:
            given.write("".join(f"{json.dumps(question)}\n" for _, question in batch).encode())
            given.flush()
        except BrokenPipeError:
            return 0
        for count, (number, _) in enumerate(batch):
            line = said.readline()
            if not line.endswith(b"\n"):
                return count
            self.answers.put((number, json.loads(line)))
        return len(batch)

    def _left_over(self, batch: Sequence[tuple[int, Sequence[Any]]]) -> None:
        """Take note that the first of *batch* ended a process, and have the others asked again."""
        with self._lock:
            if not self._ended:
                self._waiting.extendleft(reversed(batch[1:]))
                self.answers.put((batch[0][0], None))

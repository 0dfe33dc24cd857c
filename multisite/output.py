"""How results are drawn: text for people on the two standard streams, or JSON."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from multisite.report import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.progress import Progress as Bars

    from multisite.errors import MultisiteError
    from multisite.fetching import Progress
    from multisite.report import Finding

__all__ = ["Output"]

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


class Output:
    """The streams of one command. Results go to stdout; what is said about the way there goes to stderr.

    ``verbosity`` is -1 for ``-q``, 0, or 1 for ``-v``. With *as_json* stdout carries one JSON document and no text.
    """

    def __init__(
        self, *, verbosity: int = 0, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.verbosity = verbosity
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr

    def say(self, text: str, *, level: int = 0) -> None:
        """Write a line of progress to stderr, where the verbosity is at least *level*."""
        if self.verbosity >= level:
            self._err.write(text + "\n")

    def print(self, text: str) -> None:
        """Write a line of the result to stdout."""
        self._out.write(text + "\n")

    def document(self, value: Any) -> None:
        """Write the result as JSON."""
        json.dump(value, self._out, indent=2, ensure_ascii=False)
        self._out.write("\n")

    def error(self, error: MultisiteError) -> None:
        """Write what went wrong, and what to type next, to stderr."""
        self._err.write(self._coloured("error", "red") + f": {error}\n")
        if error.hint:
            self._err.write(self._coloured("next", "cyan") + f": {error.hint}\n")

    def findings(self, findings: Iterable[Finding], *, to_stderr: bool = False) -> None:
        """Write findings, each with its check, and the command that mends it below."""
        stream = self._err if to_stderr else self._out
        for finding in findings:
            severity = self._coloured(finding.severity.value, _COLOURS[finding.severity], stream)
            stream.write(f"{severity} [{finding.check}] {finding.message}\n")
            if finding.fix:
                stream.write(f"    {finding.fix}\n")

    def columns(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows of text with aligned columns to stdout."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.print("  ".join(cells).rstrip())

    @contextmanager
    def downloading(self) -> Iterator[Progress]:
        """Show files on their way: bars where stderr is a terminal, else a line for each file that has come."""
        if self.verbosity < 0:
            yield _Lines(None)
        elif not self._err.isatty():
            yield _Lines(self)
        else:
            with _bars() as bars:
                yield _Drawn(bars)

    def _coloured(self, text: str, colour: str, stream: TextIO | None = None) -> str:
        from rich.console import Console
        from rich.text import Text

        console = Console(file=stream or self._err, highlight=False)
        if not console.is_terminal or console.no_color:
            return text
        with console.capture() as captured:
            console.print(Text(text, style=f"bold {colour}"), end="")
        return captured.get()


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


class _Drawn:
    """Files on their way, as bars; rich's own lock makes it safe for threads."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def started(self, name: str, total: int | None) -> None:
        self._tasks[name] = self._bars.add_task(name, total=total)

    def advanced(self, name: str, count: int) -> None:
        self._bars.advance(self._tasks[name], count)

    def restarted(self, name: str) -> None:
        self._bars.reset(self._tasks[name])

    def finished(self, name: str) -> None:
        self._bars.remove_task(self._tasks.pop(name))


class _Lines:
    """Files on their way, as a line for each that has come; nothing at all without an output."""

    def __init__(self, output: Output | None) -> None:
        self._output = output

    def started(self, name: str, total: int | None) -> None:
        pass

    def advanced(self, name: str, count: int) -> None:
        pass

    def restarted(self, name: str) -> None:
        pass

    def finished(self, name: str) -> None:
        if self._output is not None:
            self._output.say(f"fetched {name}")

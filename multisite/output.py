"""How results are drawn: text for people on the two standard streams, or JSON."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from multisite.addresses import mask_credentials
from multisite.report import Severity
from multisite.streams import lead_nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import Console

    from multisite.auditing import Watches
    from multisite.errors import MultisiteError
    from multisite.fetching import Progress
    from multisite.report import Finding

__all__ = ["Output", "printable"]

_LONG = 5.0  # seconds of waiting that a person wants to know of
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
# What has a terminal do things; texts of servers, wheels and programs may hold it.
# Those of the last row turn the order of letters around, or end a line.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"
    r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_C1 = re.compile(r"[\x7f-\x9f]")


def printable(text: str) -> str:
    """Return what of a text may be shown: no user and password of an address, no control characters."""
    return _CONTROL.sub(_escape, mask_credentials(text))


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


class Output:
    """The streams of one command. Results go to stdout; what is said about the way there goes to stderr.

    ``verbosity`` is -1 for ``-q``, 0, or 1 for ``-v``. With *as_json* stdout carries one JSON document and no text.
    ``has_noticed`` tells whether there was something to say besides what came of it.
    """

    def __init__(
        self, *, verbosity: int = 0, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.verbosity = verbosity
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._warned: set[str] = set()
        self.has_noticed = False
        self._write_line: Callable[[str], object] = self._tell

    def say(self, text: str, *, level: int = 0) -> None:
        """Write a line of progress to stderr, where the verbosity is at least *level*."""
        self._say("", text, level)

    def _say(self, heading: str, text: str, level: int = 0) -> None:
        if self.verbosity >= level:
            self._write_line(heading + printable(text))

    def notice(self, text: str) -> None:
        """Write a line of progress that the same command would not always write."""
        self.has_noticed = True
        self.say(text)

    def warn(self, text: str) -> None:
        """Write a warning to stderr, each only once, unless ``-q`` is given."""
        self.has_noticed = True
        if text not in self._warned:
            self._warned.add(text)
            self._say(f"{self._coloured('warning', 'yellow')}: ", text)

    def print(self, text: str) -> None:
        """Write a line of the result to stdout."""
        self._give_line(printable(text))

    def document(self, value: Any) -> None:
        """Write the result as JSON."""
        text = json.dumps(value, indent=2, ensure_ascii=not _is_unicode(self._out))
        # JSON leaves these as they are, and terminals that are not told otherwise act on them.
        self._give(_C1.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")

    def error(self, error: MultisiteError) -> None:
        """Write what went wrong, and what to type next, to stderr; with ``-v`` all that is known of it."""
        self.problem(str(error), error.hint)
        whole = getattr(error, "explanation", None)
        if self.verbosity > 0 and whole is not None and whole not in str(error):
            self.say(f"\n{whole}")

    def problem(self, text: str, hint: str | None = None) -> None:
        """Write a sentence about what went wrong, and what to type next, to stderr."""
        self._say(f"{self._coloured('error', 'red')}: ", text, level=-1)
        if hint:
            self._say(f"{self._coloured('next', 'cyan')}: ", hint, level=-1)

    def findings(self, findings: Iterable[Finding], *, to_stderr: bool = False) -> None:
        """Write findings, each with its check, and the command that mends it below."""
        stream = self._err if to_stderr else self._out
        write = self._tell if to_stderr else self._give_line
        for finding in findings:
            severity = self._coloured(finding.severity.value, _COLOURS[finding.severity], stream)
            write(f"{severity} [{finding.check}] {printable(finding.message)}")
            if finding.fix:
                write(f"    {printable(finding.fix)}")

    def columns(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows of text with aligned columns to stdout."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.print("  ".join(cells).rstrip())

    def _tell(self, line: str) -> None:
        """Write a line to stderr; where that takes no more (a full disk, a reader that left), the work goes on."""
        try:
            self._err.write(f"{line}\n")
        except OSError:
            lead_nowhere(self._err)

    def _give_line(self, line: str) -> None:
        self._give(f"{line}\n")

    def _give(self, text: str) -> None:
        """Write some of the result. Raises OSError that names the stream."""
        try:
            self._out.write(text)
        except OSError as error:
            lead_nowhere(self._out)
            raise OSError(error.errno, error.strerror, "standard output") from error

    @contextmanager
    def downloading(self) -> Iterator[Progress]:
        """Show files on their way: bars where stderr is a terminal, else a line for each file that has come."""
        if self.verbosity < 0:
            yield _Lines(None)
        elif not self._is_terminal():
            yield _Lines(self)
        else:
            from multisite.bars import Bars

            console = self._console()
            with Bars(console, waits=_Lines(self).waiting) as bars, self._above(console):
                yield bars

    @contextmanager
    def stepping(self) -> Iterator[Watches]:
        """Show how far a command is: a bar where stderr is a terminal, else a line for each part of the work."""
        if self.verbosity < 0 or not self._is_terminal():
            yield _Parts(self)
            return
        from multisite.bars import Steps

        console = self._console()
        with Steps(console) as steps, self._above(console):
            yield steps

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Show that something is being done which may take a while: a line, or something moving on a terminal."""
        if self.verbosity < 0 or not self._is_terminal():
            self.say(text)
            yield
            return
        console = self._console()
        with console.status(_escaped(printable(text))), self._above(console):
            yield

    @contextmanager
    def _above(self, console: Console) -> Iterator[None]:
        """Have lines written above what is drawn on *console*, instead of through it."""
        from rich.text import Text

        before = self._write_line
        self._write_line = lambda line: console.print(Text.from_ansi(line), soft_wrap=True)
        try:
            yield
        finally:
            self._write_line = before

    def _is_terminal(self) -> bool:
        # A terminal that cannot move its cursor is one for lines.
        return self._err.isatty() and not self._console().is_dumb_terminal

    def _console(self, stream: TextIO | None = None) -> Console:
        from rich.console import Console

        return Console(file=stream or self._err, highlight=False)

    def _coloured(self, text: str, colour: str, stream: TextIO | None = None) -> str:
        if not (stream or self._err).isatty():
            return text
        from rich.text import Text

        console = self._console(stream)
        if console.no_color:
            return text
        with console.capture() as captured:
            console.print(Text(text, style=f"bold {colour}"), end="")
        return captured.get()


def _is_unicode(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


class _Parts:
    """The parts of a command's work, as a line for each."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def begin(self, what: str, total: int) -> None:
        if total:
            self._output.say(what)

    def advance(self) -> None:
        pass


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

    def waiting(self, name: str, seconds: float, reason: str) -> None:
        if self._output is not None:
            long = seconds >= _LONG
            self._output.say(f"{name}: {reason}; trying again in {seconds:.0f} s", level=0 if long else 1)

    def finished(self, name: str) -> None:
        if self._output is not None:
            self._output.say(f"fetched {name}")

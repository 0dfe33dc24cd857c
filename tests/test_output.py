"""How results are drawn."""

from __future__ import annotations

import io
import os
import pty
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from multisite.errors import NotAnEnvironment, ResolutionFailed
from multisite.logged import warnings_led_to
from multisite.output import Output
from multisite.report import Finding, Severity
from multisite.result import Change, SyncResult

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@contextmanager
def terminal() -> Iterator[tuple[io.TextIOWrapper, list[str]]]:
    """Yield a pseudo-terminal to write to, and a list that holds what was written once the block has ended."""
    reading, writing = pty.openpty()
    written: list[str] = []
    reader = threading.Thread(target=lambda: written.append(b"".join(_chunks(reading)).decode()))
    reader.start()
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as stream:
            yield stream, written
    finally:
        reader.join()
        os.close(reading)


def _chunks(reading: int) -> Iterator[bytes]:
    """Yield what comes; once the other end is closed, Linux says that there is an error."""
    with suppress(OSError):
        while chunk := os.read(reading, 1 << 16):
            yield chunk


@pytest.fixture(autouse=True)
def _a_terminal_of_known_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)


def plain(**options: object) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out=out, err=err, **options), out, err  # type: ignore[arg-type]


def test_bars_on_a_terminal() -> None:
    with terminal() as (stream, written):
        output = Output(out=io.StringIO(), err=stream)
        with output.downloading() as progress:
            progress.started("[alpha].whl", 1000)
            progress.advanced("[alpha].whl", 400)
            progress.restarted("[alpha].whl")
            progress.advanced("[alpha].whl", 1000)
            progress.started("beta.whl", None)
            output.say("building gamma")
        output.say("done")
    text = ESCAPES.sub("", written[0])
    assert "[alpha].whl" in text
    assert "1.0/1.0 kB" in text
    assert "beta.whl" in text
    assert text.count("building gamma\r\n") == 1
    assert text.endswith("done\r\n")
    assert written[0].count("\x1b[?25l") == written[0].count("\x1b[?25h")  # the cursor is there again


def test_lines_elsewhere() -> None:
    output, out, err = plain()
    with output.downloading() as progress, output.working("locking"):
        progress.started("alpha.whl", 10)
        progress.advanced("alpha.whl", 10)
        progress.restarted("alpha.whl")
        progress.finished("alpha.whl")
    assert (out.getvalue(), err.getvalue()) == ("", "locking\nfetched alpha.whl\n")


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with terminal() as (stream, written), Output(out=io.StringIO(), err=stream).downloading() as progress:
        progress.finished("alpha.whl")
    assert written == ["fetched alpha.whl\r\n"]


def test_nothing_when_quiet() -> None:
    output, _, err = plain(verbosity=-1)
    with output.downloading() as progress, output.working("locking"):
        progress.finished("alpha.whl")
    output.warn("careful")
    assert err.getvalue() == ""
    output.problem("broken", "mend it")
    assert err.getvalue() == "error: broken\nnext: mend it\n"


@pytest.mark.parametrize(
    ("no_colour", "expected"), [(False, "\x1b[1;31merror\x1b[0m: broken\r\n"), (True, "error: broken\r\n")]
)
def test_colours(monkeypatch: pytest.MonkeyPatch, no_colour: bool, expected: str) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    with terminal() as (stream, written):
        Output(out=io.StringIO(), err=stream).problem("broken")
    assert written == [expected]


def test_errors() -> None:
    output, _, err = plain(verbosity=1)
    output.error(NotAnEnvironment("/venv", "it is no environment"))
    output.error(ResolutionFailed("because\nof\nthis", shortened="because"))
    assert err.getvalue() == (
        "error: /venv: it is no environment\n"
        "next: make one: multisite lock --venv DIR\n"
        "error: no set of versions satisfies what was asked for:\nbecause\n"
        "next: loosen a requirement, or let locked versions move: --upgrade\n"
        "\nbecause\nof\nthis\n"
    )


def test_warnings_are_given_once() -> None:
    import logging

    output, _, err = plain()
    with warnings_led_to(output.warn, "packaging"):
        for _ in range(2):
            logging.getLogger("packaging.pylock").warning("minor %s", 9)
            logging.getLogger("packaging.pylock").info("nothing")
    assert err.getvalue() == "warning: minor 9\n"
    assert logging.getLogger("packaging").handlers == []


def test_what_is_shown_neither_tells_secrets_nor_moves_the_cursor() -> None:
    output, out, err = plain()
    output.problem("451 \x1b]0;title\x07\x1b[31mred from https://me:secret@host/x\n  next line", "a\rb")
    output.print("\x9b2Jname\tversion")
    output.findings([Finding(check="a", severity=Severity.NOTE, message="\x1bc", fix="rm 'a\x08'")])
    shown = "error: 451 \\x1b]0;title\\x07\\x1b[31mred from https://****@host/x\n  next line\nnext: a\\x0db\n"
    assert err.getvalue() == shown
    assert out.getvalue() == "\\x9b2Jname\tversion\nnote [a] \\x1bc\n    rm 'a\\x08'\n"


def test_long_waits_are_told_and_short_ones_with_v() -> None:
    output, _, err = plain()
    with output.downloading() as progress:
        progress.waiting("a.whl", 1, "503 Busy")
        progress.waiting("a.whl", 60, "503 Busy")
    assert err.getvalue() == "a.whl: 503 Busy; trying again in 60 s\n"


def test_findings() -> None:
    output, out, err = plain()
    finding = Finding(check="files", severity=Severity.WARNING, message="bin/x: changed", fix="multisite sync")
    output.findings([finding])
    output.findings([Finding(check="a", severity=Severity.NOTE, message="b")], to_stderr=True)
    assert out.getvalue() == "warning [files] bin/x: changed\n    multisite sync\n"
    assert err.getvalue() == "note [a] b\n"


def test_documents_are_safe_for_any_stream() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Output(out=stream, err=io.StringIO()).document({"name": "ü"})
    stream.seek(0)
    assert stream.read() == '{\n  "name": "\\u00fc"\n}\n'


def test_columns() -> None:
    output, out, _ = plain()
    output.columns([("a", "b"), ("long", "")])
    assert out.getvalue() == "a     b\nlong\n"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change(name="a", before=None, after="1"), "+ a 1"),
        (Change(name="a", before="1", after=None), "- a 1"),
        (Change(name="a", before="1", after="2"), "~ a 1 -> 2"),
    ],
)
def test_changes(change: Change, expected: str) -> None:
    assert str(change) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({}, "unchanged; 2 distributions"),
        ({"written": True}, "mended; 2 distributions"),
        ({"written": True, "changes": 1, "total": 1, "fetched": 1}, "changed; 1 distribution, 1 fetched"),
        ({"created": True, "written": True, "changes": 1, "built": 3}, "made; 2 distributions, 3 built"),
    ],
)
def test_results(result: dict[str, int], expected: str) -> None:
    change = Change(name="a", before=None, after="1")
    said = SyncResult(
        environment=Path("/v"),
        lockfile=Path("/v/pylock.toml"),
        changes=(change,) * result.get("changes", 0),
        total=result.get("total", 2),
        fetched=result.get("fetched", 0),
        built=result.get("built", 0),
        written=bool(result.get("written")),
        created=bool(result.get("created")),
    )
    assert str(said) == f"/v: {expected}"

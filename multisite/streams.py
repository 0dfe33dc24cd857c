"""The standard streams: all three are there, and one that takes nothing more does not end in a traceback."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # without the import of typing, which takes as long as all that is here
if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["finish", "lead_nowhere", "make_ready", "tell"]

_UNREAD = 1
_FAILED = 3


def make_ready() -> None:
    """Give the process those standard streams that it was started without, as daemons are; they lead nowhere.

    Else the next files that are opened would get their numbers, and what the programs that are run say would end up in
    these files.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            _occupy(number)
    # Without a descriptor the interpreter made none of these. They stay open as long as it lives.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 -- pathlib is slow
    if hasattr(sys.stdout, "reconfigure"):
        # Names of files may be what the locale has no letters for.
        sys.stdout.reconfigure(errors="backslashreplace")


def lead_nowhere(stream: TextIO) -> None:
    """Have what was written to *stream*, which cannot take it, go nowhere: the interpreter would try it again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def finish(code: int, *, lost: OSError | None = None) -> int:
    """Write what is left in the buffers; return the exit code, which is *code* unless the result could not be written.

    *lost* is how writing it has failed already. What nobody reads any more (as ``multisite list | head -1``) is 1,
    without a word.
    """
    lost = lost or _failure(sys.stdout)
    if lost is not None and not isinstance(lost, BrokenPipeError):
        tell(f"error: standard output: {lost.strerror}\n")
    _failure(sys.stderr)
    if lost is None:
        return code
    return _UNREAD if isinstance(lost, BrokenPipeError) else _FAILED


def tell(text: str) -> None:
    """Write *text* to stderr; where that cannot take it, it goes nowhere: nothing ends for that."""
    try:
        sys.stderr.write(text)
    except OSError:
        lead_nowhere(sys.stderr)


def _failure(stream: TextIO) -> OSError | None:
    try:
        stream.flush()
    except OSError as error:
        lead_nowhere(stream)
        return error
    return None


def _occupy(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
    os.set_inheritable(number, True)

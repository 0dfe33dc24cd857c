"""The command line: what is typed becomes a command, and what comes of it an exit code."""

from __future__ import annotations

import errno
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.ending import Terminable, Terminated
from multisite.errors import MultisiteError
from multisite.output import Output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["run"]

_FAILED = 3
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_INTERRUPTED = 128 + signal.SIGINT


def run(arguments: Sequence[str]) -> int:
    """Run the command line with *arguments*; return the exit code.

    0 is success, 1 that something was found or failed, 2 wrong usage, 3 that it could not be done or checked, 129, 130
    and 143 that it was interrupted (SIGHUP, SIGINT, SIGTERM).
    """
    from multisite.arguments import parser

    parsing = parser()
    options = parsing.parse_args(arguments)
    options.arguments = tuple(arguments)
    if options.version:
        from multisite import __version__

        sys.stdout.write(f"multisite {__version__}\n")
        return 0
    if options.command is None:
        parsing.print_help(sys.stderr)
        return 2
    output = Output(verbosity=options.verbosity, as_json=options.json)
    try:
        with Terminable():
            return _run(options, output)
    except BrokenPipeError:
        return 1  # nobody reads any more what is written (as ``multisite list | head -1``)
    except KeyboardInterrupt:
        output.say("interrupted", level=-1)
        return _INTERRUPTED
    except Terminated as ended:
        output.say("terminated", level=-1)
        return 128 + ended.number


def _run(options: argparse.Namespace, output: Output) -> int:
    from multisite.commands import COMMANDS
    from multisite.logged import warnings_led_to

    try:
        Path.cwd()
    except OSError as error:
        output.problem(f"the current folder cannot be used: {error.strerror}", "cd to one that is there, and try again")
        return _FAILED
    try:
        with warnings_led_to(output.warn, "packaging"):
            return COMMANDS[options.command](options, output)
    except MultisiteError as error:
        output.error(error)
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        output.problem(f"{error.filename or 'the system'}: {error.strerror or error}", _advice(error))
        return _FAILED


def _advice(error: OSError) -> str:
    if error.errno in _FULL:
        return "make room there, then run the same command again"
    if error.errno in _FORBIDDEN:
        return "run it as somebody who may, or choose other folders: --venv DIR, --store DIR"
    return "mend that, then run the same command again"

"""``python -m multisite`` and the console script."""

from __future__ import annotations

import sys

__all__ = ["main"]

# Allocated objects after which the garbage collector looks for cycles. What a command imports and makes lives until
# it ends, and with the usual 700 all of that is looked at a hundred times.
_COLLECTED_AFTER = 50_000


def main() -> int:
    """Run the command line; return its exit code."""
    from multisite.streams import finish, make_ready

    make_ready()
    try:
        code = _run()
    except SystemExit as ending:  # argparse has said why, or who was terminated
        code = ending.code if isinstance(ending.code, int) else 0
    except OSError as error:  # of an unbuffered stream; whatever else fails has been told
        return finish(0, lost=error)
    return finish(code)


def _run() -> int:
    if sys.argv[1:] == ["--version"]:  # without argparse, whose import takes longer than all the rest
        from multisite import __version__

        sys.stdout.write(f"multisite {__version__}\n")
        return 0
    try:
        if _is_answered(sys.argv[1:]):
            return 0
        import gc

        gc.set_threshold(_COLLECTED_AFTER, *gc.get_threshold()[1:])
        from multisite.cli import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # what was begun has been put away
        sys.stderr.write("interrupted\n")
        return 130


def _is_answered(arguments: list[str]) -> bool:
    """Tell whether the command is one that is answered before anything is loaded, and what it says is said."""
    if arguments[:1] not in (["sync"], ["lock"]):
        return False
    from multisite.quick import answered
    from multisite.streams import tell

    said = answered(arguments)
    if said is None:
        return False
    tell("".join(f"{line}\n" for line in said))
    return True


if __name__ == "__main__":
    sys.exit(main())

"""Run commands, each in a fork of this process: what takes longest in a command is loading its modules.

``python -m tests.faults.server FOLDER``; each line of standard input is a command (``words``), the file that is to hold
what it says (``said``) and the ``state`` to share with the preloaded library. The answer is a line with its exit code.
A first word that is a path is another program, which the fork becomes.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
from pathlib import Path
from typing import Any

import multisite
from multisite.__main__ import main as run
from tests.faults.below import State

_ENDS = 600  # seconds, for what hangs


def _load() -> None:
    for module in pkgutil.walk_packages(multisite.__path__, "multisite."):
        if "_runtime" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("filelock", "installer", "packaging.metadata", "rich.console", "tomli", "truststore", "urllib3"):
        importlib.import_module(name)


def _begin(order: dict[str, Any]) -> None:
    """Become the command."""
    os.setsid()
    signal.alarm(_ENDS)
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(source, target)
    state = State.mapped(Path(order["state"]))
    state.main = os.getpid()
    state.armed = 1


def main() -> None:
    os.chdir(sys.argv[1])
    _load()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _begin(order)
            words = order["words"]
            if os.path.isabs(words[0]):
                os.execv(words[0], words)
            sys.argv[1:] = words
            sys.exit(run())
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()

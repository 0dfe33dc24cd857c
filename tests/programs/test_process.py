"""Processes: what is started in the background can be interrupted all the same."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.programs.process import finished, running

WAITS = "import time; print('waits', flush=True); time.sleep(600)"
ASKS = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_interrupts_are_heeded_where_the_tests_ignore_them(tmp_path: Path) -> None:
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asked = finished([sys.executable, "-c", ASKS], folder=tmp_path, environ=os.environ, told="")
        command = [sys.executable, "-c", WAITS]
        with running(command, folder=tmp_path, environ=os.environ, output=tmp_path / "output") as server:
            server.says("waits")
            code = server.stop(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, former)
    assert asked == (0, "True\n", "")
    assert code == -signal.SIGINT

"""A delay for each call on some folders, as on a network file system.

A library is loaded before the C library (delay.c) and waits in the calls themselves. strace can inject delays as well,
but picks paths only one by one, and stops a process twice in each call that it traces, which costs a tenth of the delay
again; so it would measure itself. What the library does not see is said in delay.c.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.workbench import Workbench

__all__ = ["Delay"]

NANOSECONDS = 500_000


class Delay:
    """The library, compiled, and the environment variables that switch it on for the folders."""

    def __init__(self, bench: Workbench, folders: Sequence[Path]) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise FileNotFoundError("no C compiler is installed")
        self.library = bench.folder / "delay.so"
        self.counted = bench.folder / "delayed"
        source = Path(__file__).with_name("delay.c")
        bench.done([compiler, "-O2", "-shared", "-fPIC", "-o", str(self.library), str(source), "-ldl"])
        self.environ = {
            "LD_PRELOAD": str(self.library),
            "DELAY_FOLDERS": ":".join(map(str, folders)),
            "DELAY_NS": str(NANOSECONDS),
            "DELAY_COUNT": str(self.counted),
        }
        self.forget()

    def forget(self) -> None:
        """Count from nothing again."""
        self.counted.write_bytes(bytes(8))

    @property
    def calls(self) -> int:
        """How many calls were delayed since."""
        return int.from_bytes(self.counted.read_bytes(), "little")

"""Why a goal is not met, by the id of the row: found with a profiler. Said on the page while the row is not met."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REASONS"]

REASONS: Mapping[str, str] = {
    "new-environment-hardlink": (
        "by cProfile half of the time within the command is copying 485 files of prefix data (18 MB, mostly "
        "jupyterlab's), a fifth looks at the folders of 173 entries that are relied on (1,845 lstat), and the "
        "interpreter's own start is about 12 ms; each process of multisite has that, where uv has none."
    ),
    "new-environment-without-jupyterlab": (
        "the interpreter's own start, about 12 ms, and the looks at the folders of the entries that are relied on "
        "(1,845 lstat for 173 distributions, by cProfile) do not shrink with the files that uv need not link."
    ),
    "cold": (
        "both sides spend most of it compiling and running the same modules (rusage: 24.4 s of the processor's time "
        "beside uv's 21.8 s); filling the store, in Python, takes 9 s of that, where uv unpacks by compiled code."
    ),
    "hundredth-kilobytes": (
        "environment.json has a line for each file of prefix data, which are many for jupyterlab; the table, and "
        "the start-up code with its bytecode, are each environment's own."
    ),
    "hundredth-inodes": (
        "the start-up code and its bytecode are files of each environment's own, beside the links and activation "
        "scripts that any virtual environment has."
    ),
}

"""Why a goal is not met, by the id of the row: found with a profiler. Said on the page while the row is not met."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REASONS"]

REASONS: Mapping[str, str] = {
    "new-environment-hardlink": (
        "nearly all of it is making 485 files of prefix data (18 MB, mostly jupyterlab's), and this row removes the "
        "former environment just before: ext4 passes over inodes that were freed within the last minutes, one by one. "
        "Making as many empty files took 0.38 s of the processor's time just after as many had been removed, and "
        "0.013 s elsewhere; copying them 0.38 s and 0.03 s. Hard links need no inodes."
    ),
    "new-environment-without-jupyterlab": (
        "the interpreter's own start, about 12 ms, and the looks at the folders of the entries that are "
        "relied on (1,845 lstat for 173 distributions, by cProfile) do not shrink with the files that uv need "
        "not link."
    ),
    "cold": (
        "both sides spend most of it compiling and running the same modules (rusage: 24.4 s of the "
        "processor's time beside uv's 21.8 s); filling the store, in Python, takes 9 s of that, where uv "
        "unpacks by compiled code."
    ),
    "start-up-empty": (
        "by callgrind it is about three million instructions more than the 35.6 million of an empty "
        "environment: the line of the .pth file, the start-up code's bytecode, and the table."
    ),
    "start-up-plain": (
        "by callgrind a plain environment of these distributions takes 37.6 million instructions, ours about "
        "one million more: the start-up code's bytecode, and the table."
    ),
    "idle-lock": (
        "uv takes as long as it does alone; before it is asked multisite imports for some 80 ms "
        "(-X importtime), and afterwards reads its answer, selects from it and compares that with "
        "the environment."
    ),
    "file-calls": (
        "of 3,993 calls 2,704 open bytecode and 223 native modules; 323 ask whether a folder of site-packages "
        "is what it was, 193 open an index of an entry, and 248 look in vain for entry_points.txt when a "
        "package asks for entry points as it is imported (strace)."
    ),
    "hundredth-kilobytes": (
        "environment.json has a line for each file of prefix data, which are many for jupyterlab (260 KB); "
        "the start-up code with its bytecode (30 files, about 300 KB in blocks) and the table (44 KB) are "
        "each environment's own."
    ),
    "hundredth-inodes": (
        "the start-up code and its bytecode are some 30 files of each environment's own, beside the links and "
        "activation scripts that any virtual environment has."
    ),
    "metadata-entry-points": (
        "of 4.3 million instructions (callgrind; a plain environment takes 36.5) two make what is returned, as a "
        "second call shows: 146 entry points and 49 distributions in the standard library's classes, sorted by group. "
        "One million is the paths of these distributions and their lines in the table, half a million loading the "
        "entry points, as much the rules that every question for metadata follows."
    ),
    "metadata-version": (
        "of 0.7 million instructions (callgrind; a plain environment takes 15.1) most are the standard library's way "
        "to a distribution, and a look at the time of each folder on the path; listing site-packages once, and the "
        "line in the table, are the rest."
    ),
}

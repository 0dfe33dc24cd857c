"""Why a goal is not met, by the id of the row: found with a profiler. Said on the page while the row is not met."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REASONS"]

REASONS: Mapping[str, str] = {
    "new-environment-hardlink": (
        "485 files of prefix data (18 MB, mostly jupyterlab's) have to be copies: of some 30 ms of the "
        "processor's time after the imports, on a file system in memory, 18 are for that, by two threads, 2.6 for "
        "what the next sync compares of them, 2.4 for the looks at the folders of the store (time.thread_time). "
        "The goal was set beside uv where a former environment had just been removed, which costs uv more than "
        "us: the last two rows."
    ),
    "new-environment-without-jupyterlab": (
        "of some 22 ms of the processor's time 12 are the interpreter's own start and end, 2 the imports of ten "
        "small modules, 1.3 reading the blueprint, 2 writing a hundred files, 1.4 the looks at four folders for "
        "each distribution (time.thread_time, in memory); of 66 million instructions 38 are the interpreter's "
        "(callgrind). The goal was set beside uv where a former environment had just been removed, which costs uv "
        "more than us: the last two rows."
    ),
    "cold": (
        "both sides spend most of it compiling and running the same modules (rusage: 24.4 s of the "
        "processor's time beside uv's 21.8 s); filling the store, in Python, takes 9 s of that, where uv "
        "unpacks by compiled code."
    ),
    "start-up-empty": (
        "by callgrind it is 1.9 million instructions more than the 35.5 million of an empty environment (1.053): "
        "half of that is the .pth file, which site reads twice and compiles each time, the rest the start-up code's "
        "bytecode, the table, and freeing both at the end."
    ),
    "start-up-plain": (
        "by callgrind ours takes 37.4 million instructions and a plain environment of these distributions 37.5; "
        "what is left are six calls that name a file: the .pth file twice, the start-up code's bytecode, the "
        "table, a look at the lockfile and one at the store."
    ),
    "failed-imports": (
        "by callgrind each takes 254,800 instructions and 244,800 in an empty environment: importlib's lock around one "
        "more finder on sys.meta_path, and a frame of ours there and at site-packages; the first of them decodes the "
        "names that are locked."
    ),
    "idle-lock": (
        "before uv is asked multisite imports 270 modules, nearly all of 695 million instructions until then "
        "(callgrind), as many as 18 starts of the interpreter: about a fifth of the time each makes the methods "
        "of 68 dataclasses and compiles 146 regular expressions (cProfile). The present lockfile, and what is "
        "needed afterwards, is read while uv resolves."
    ),
    "file-calls": (
        "of 3,993 calls 2,704 open bytecode and 223 native modules; 323 ask whether a folder of site-packages "
        "is what it was, 193 open an index of an entry, and 248 look in vain for entry_points.txt when a "
        "package asks for entry points as it is imported (strace)."
    ),
    "hundredth-kilobytes": (
        "each environment has a start-up code of its own, with its bytecode, environment.json (74 KB for these: "
        "hashes and names of prefix data 48 KB, mostly jupyterlab's, and 173 builds 26 KB) and the table (43 KB)."
    ),
    "hundredth-inodes": (
        "the start-up code and its bytecode are 38 files of each environment's own (find), beside the links and "
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

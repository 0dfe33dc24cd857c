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
        "of some 22 ms of the processor's time 12 are the interpreter's own start and end, 2 the imports of eight "
        "small modules of ours and up to four of the interpreter's, 1.3 reading the blueprint, 2 writing a hundred "
        "files, 1.4 the looks at four folders for each distribution (time.thread_time, in memory); of 66 million "
        "instructions 38 are the interpreter's (callgrind). The goal was set beside uv where a former environment had "
        "just been removed, which costs uv more than us: the last two rows."
    ),
    "cold": (
        "of the processor's time until the import 36 % are the interpreter, 28 the kernel, 25 zlib, 7 hashing (perf, "
        "on a file system in memory; it writes some 30,000 files): uv does the interpreter's part by compiled code, "
        "and hashes no file. The import then takes as long as uv's. In former runs, in which each side also paid "
        "for the files that had just been removed, it was 0.88."
    ),
    "warm-import": (
        "by callgrind these imports take 20.61 thousand million instructions, and 20.76 in the plain environment "
        "(0.993), and what is called of the disk is a quarter (strace, the row below): what is executed is the "
        "modules' own code, in both alike, and the difference is that of two runs."
    ),
    "growth-100-files": (
        "by callgrind it takes 55.0 million instructions with ten files in each, 54.9 with a hundred, 55.0 with a "
        "thousand, and what is looked at does not depend on their number (tests/test_raising.py counts it): the "
        "difference is that of two runs."
    ),
    "growth-start-up-files": (
        "a plain environment of twenty distributions starts as an empty one: what is said there holds here, with ten "
        "files in each as with a thousand (the curve)."
    ),
    "growth-import-files": (
        "0.5 ms are the start's (above), as much again is reading the rest of the start-up code and the index of the "
        "entry with the first name that is locked, which the three modules of this import cannot make up for; it does "
        "not grow (the curve: 11.7, 11.6, 11.9 ms)."
    ),
    "filling-sympy": (
        "of 1,575 files each is hashed (33 ms), each name checked against RECORD and what a folder may hold (24 ms), "
        "and all flushed (59 ms; cProfile): unzipping, which took 171 ms in all, does nothing of that."
    ),
    "network-start-up": (
        "20 calls on these folders beside 15 (strace): the .pth file twice, the start-up code's bytecode, the table, a "
        "look at the lockfile and one at the store."
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
        "until uv is asked multisite takes 454 million instructions (callgrind), as many as 12 starts of the "
        "interpreter, nearly all for imports: a quarter of the time compiles 97 regular expressions, a seventh makes "
        "the methods of 27 dataclasses (cProfile). The present lockfile, and what is needed afterwards, is read while "
        "uv resolves."
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
        "the start-up code and its bytecode are 36 files and two folders of each environment's own (find), beside the "
        "links and activation scripts that any virtual environment has. As one archive they would make the first "
        "locked import slower (docs/architecture.md, How an import travels)."
    ),
    "metadata-entry-points": (
        "of 4.7 million instructions (callgrind; a plain environment takes 36.5) two and a half make what is "
        "returned, as a second call shows: 146 entry points and 49 distributions in the standard library's classes, "
        "sorted by group. One million is the paths of these distributions and their lines in the table, the rest "
        "loading the entry points and the rules that every question for metadata follows."
    ),
    "metadata-version": (
        "of 1.1 million instructions (callgrind; a plain environment takes 15.1) most are the standard library's way "
        "to a distribution, its listings of the other folders on the path, and one of site-packages; the line in the "
        "table is the rest."
    ),
}

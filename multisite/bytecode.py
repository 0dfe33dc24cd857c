"""Bytecode against its source: whether an interpreter would run what it does not compile itself.

The import system believes bytecode whose hash is not to be checked, and bytecode with the time and size of its source.
So the interpreter that it is for compiles the source again, and the code objects are compared, in everything that a
program could notice but the file's name. What that interpreter would not use (another magic number, another time) is
harmless: it writes it again. Foreign code objects are only ever read in a process of their own, which they may end.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.asking import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CompiledFile", "check_bytecode", "unfinished"]

_NAME = re.compile(r"(?P<stem>.+)\.(?P<tag>(?!opt-)[a-z]+-\d+[a-z]*)(?:\.opt-(?P<level>[12]))?\.pyc", re.ASCII)
# What writes bytecode names it so until it is whole: interpreters and our loader by numbers, who compiles at random.
_UNFINISHED = re.compile(r".+\.pyc\.\d+(\.\d+)?|\..+\.pyc\.[0-9a-f]{16}\.tmp", re.ASCII | re.DOTALL)
_PROGRAM = r"""
import importlib.util, marshal, os, types, warnings
warnings.simplefilter("ignore")
ATTRIBUTES = [name for name in (
    "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals", "co_stacksize", "co_flags", "co_code",
    "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_name", "co_qualname", "co_firstlineno",
    "co_exceptiontable", "co_consts") if hasattr(types.CodeType, name)]
def trusted(data, source, facts):
    if len(data) < 16 or data[:4] != importlib.util.MAGIC_NUMBER:
        return False
    flags = int.from_bytes(data[4:8], "little")
    if flags & ~3:
        return False
    if flags & 1:
        return not flags & 2 or data[8:16] == importlib.util.source_hash(source)
    fields = int(facts.st_mtime) & 0xFFFFFFFF, facts.st_size & 0xFFFFFFFF
    return fields == (int.from_bytes(data[8:12], "little"), int.from_bytes(data[12:16], "little"))
def lines(code):
    if not hasattr(code, "co_lines"):
        return code.co_lnotab
    found = []
    for start, end, line in code.co_lines():
        if found and found[-1][1] == line:
            continue
        found.append((start, line))
    return found
def same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, types.CodeType):
        return all(same(getattr(one, name), getattr(other, name)) for name in ATTRIBUTES) and lines(one) == lines(other)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, frozenset):
        rest = list(other)
        for item in one:
            found = [at for at, candidate in enumerate(rest) if same(item, candidate)]
            if not found:
                return False
            del rest[found[0]]
        return not rest
    if isinstance(one, (float, complex)):
        return repr(one) == repr(other)
    return one == other
def answer(path, source, level):
    try:
        with open(path, "rb") as file:
            data = file.read()
        with open(source, "rb") as file:
            text, facts = file.read(), os.fstat(file.fileno())
    except OSError:
        return ""
    if not trusted(data, text, facts):
        return ""
    try:
        code = marshal.loads(data[16:])
    except Exception as error:
        return "it cannot be read: %s" % error
    try:
        wanted = compile(text, source, "exec", dont_inherit=True, optimize=level)
    except Exception:
        return "its source cannot be compiled"
    return "" if same(code, wanted) else "it is not what its source compiles to"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledFile:
    """A bytecode file that some import system finds for ``source``; ``tag`` is that of its interpreter's cache."""

    path: Path
    source: Path
    tag: str
    level: int = 0

    @classmethod
    def of(cls, path: Path) -> CompiledFile | None:
        """Return what a file in a ``__pycache__`` folder is; None for what no interpreter looks for (PEP 3147)."""
        match = _NAME.fullmatch(path.name)
        if match is None:
            return None
        source = path.parent.parent / f"{match['stem']}.py"
        return cls(path=path, source=source, tag=match["tag"], level=int(match["level"] or 0))


def check_bytecode(
    files: Sequence[CompiledFile], python: Path, environ: Mapping[str, str], *, processes: int
) -> dict[Path, str]:
    """Return what is wrong with *files*, by path, according to the interpreter *python*, which they are for."""
    questions = [(str(file.path), str(file.source), file.level) for file in files]
    found: dict[Path, str] = {}
    with contextlib.closing(ask(python, _PROGRAM, questions, environ, processes=processes)) as answers:
        for number, problem in answers:
            if problem is None:
                found[files[number].path] = "reading it ends the interpreter"
            elif problem:
                found[files[number].path] = problem
    return found


def unfinished(folder: Path) -> Iterator[Path]:
    """Yield the bytecode below *folder* that somebody is writing, or was killed while writing. No link is followed."""
    for above, folders, names in os.walk(folder):
        if os.path.basename(above) == "__pycache__":  # noqa: PTH119 -- there are thousands of folders
            folders.clear()
            yield from (Path(above, name) for name in names if _UNFINISHED.fullmatch(name))

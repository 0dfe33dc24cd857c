"""Bytecode of what an environment imports from its stores, compiled before it is asked for.

An interpreter compiles a module when it is first imported, and keeps that in the store for everybody. Where nobody who
imports may write there, or the first import is not to wait, all modules are compiled at once: by the interpreter that
they are for, with hashes that are not checked at import (PEP 552), for files of a store do not change. Levels other
than 0 are made when they are asked for (``-O``). Nothing is written into the store of another account.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from multisite.asking import ask
from multisite.errors import InvalidRequest
from multisite.turns import Errand, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from multisite.interpreter import Interpreter
    from multisite.layers import Layers
    from multisite.store import Store

__all__ = ["Compiler", "Watches", "is_wanted"]

VARIABLE = "MULTISITE_COMPILE"
_CHOICES = ("all", "none")
# A file with that header is believed whatever its source is; so the hash is compared here, once.
_PROGRAM = r"""
import importlib.util, marshal, os, warnings
warnings.simplefilter("ignore")
def is_right(path, head):
    try:
        with open(path, "rb") as file:
            return file.read(16) == head
    except OSError:
        return False
def write(path, data):
    folder, name = os.path.split(path)
    try:
        os.mkdir(folder, 0o755)
    except FileExistsError:
        pass
    temporary = os.path.join(folder, ".%s.%s.tmp" % (name[:100], os.urandom(8).hex()))
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
def answer(source):
    path = importlib.util.cache_from_source(source, optimization="")
    try:
        with open(source, "rb") as file:
            text = file.read()
        head = importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + importlib.util.source_hash(text)
        if is_right(path, head):
            return "kept", ""
        try:
            code = compile(text, source, "exec", dont_inherit=True, optimize=0)
        except Exception:
            return "no source", ""
        write(path, head + marshal.dumps(code))
    except OSError as error:
        return "failed", error.strerror
    return "made", ""
"""


class Watches(Protocol):
    """Who wants to know how far the work is."""

    def begin(self, what: str, total: int) -> None:
        """Note what is done from now on, and how many steps that has."""

    def advance(self) -> None:
        """Note that a step is done."""


def is_wanted(option: str | None, environ: Mapping[str, str]) -> bool:
    """Tell whether everything is to be compiled, by the command's *option* or else by MULTISITE_COMPILE.

    Raises InvalidRequest.
    """
    chosen = option or environ.get(VARIABLE) or "none"
    if chosen not in _CHOICES:
        raise InvalidRequest(f"{VARIABLE} is {chosen!r}: neither all nor none", hint=f"unset {VARIABLE}")
    return chosen == "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """Compile for *interpreter* what lies in *layers*; the programs are run with *environ*."""

    interpreter: Interpreter
    layers: Layers
    environ: Mapping[str, str]
    notice: Callable[[str], None]
    watch: Watches

    def compile(self, roots: Iterable[str]) -> int:
        """Compile the modules in *roots*, folders of the stores as a table has them; return how many were compiled.

        What is there and right is kept, what is no Python is passed over, and where bytecode cannot be written that is
        said: it only saves work. Of commands that want the same folder compiled at once one does it. The caller sees to
        it that garbage collection takes none of them away.
        """
        places = dict(self._places(roots))
        sources = {root: list(_sources(store.root / root)) for root, store in places.items()}
        self.watch.begin(f"compiling for {self.interpreter.cache_tag}", sum(map(len, sources.values())))
        turns: Turns[str] = Turns(self.notice)
        made = 0
        while places:
            errands = [(root, self._errand(root, store)) for root, store in places.items()]
            with turns.taken(errands) as mine:
                found = self._compiled([source for root in mine for source in sources[root]])
                if found is None:
                    return made
                made += found
                for root in mine:
                    del places[root]
        return made

    def _places(self, roots: Iterable[str]) -> Iterator[tuple[str, Store]]:
        """Yield those of *roots* that lie in this account's stores, each with its store."""
        told = set()
        for root in sorted(set(roots)):
            store = next((store for store in self.layers.stores if (store.root / root).is_dir()), None)
            if store is None:
                continue
            if store.is_ours_to_write and _is_own(store.root):
                yield root, store
            elif store.root not in told:
                told.add(store.root)
                self.notice(f"{store.root}: nothing is compiled there, which is for its owner to do")

    def _errand(self, root: str, store: Store) -> Errand:
        name = hashlib.sha256(f"{self.interpreter.cache_tag} {root}".encode()).hexdigest()
        return Errand(label=f"bytecode of {root}", places=(store.root / "locks" / f"{name}.turn",))

    def _compiled(self, sources: Sequence[str]) -> int | None:
        """Return how many of *sources* were compiled; None where the work is of no use."""
        made, questions = 0, [(source,) for source in sources]
        asking = ask(self.interpreter.executable, _PROGRAM, questions, self.environ, processes=_processors())
        with contextlib.closing(asking) as answers:
            for number, answer in answers:
                what, reason = answer or ("no source", "")  # one that ends the compiler is not imported either
                if what == "failed":
                    self.notice(f"bytecode is not kept: {sources[number]}: {reason}")
                    return None
                made += what == "made"
                self.watch.advance()
        return made


def _sources(folder: Path) -> Iterator[str]:
    """Yield the files with Python's source below *folder*, by the paths that imports know them by."""
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        yield from (f"{path}{os.sep}{name}" for name in sorted(names) if name.endswith(".py"))


def _is_own(folder: Path) -> bool:
    return os.name == "nt" or folder.stat().st_uid == os.geteuid()


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

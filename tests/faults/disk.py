"""What a disk may hold after a power failure, from a journal of all changes (``below.c``).

Only what was flushed is sure to be there: with fsync of a file its content, with fsync of a folder the names in it,
with syncfs all that came before. Of the rest, two kinds of file system are played:

* ``ordered``: changes of names reach the disk in their order, and with any fsync all that came before. What was written
  to a file without fsync may be missing or cut off even where its name is there (ext4 and XFS with their journals).
* ``weak``: any changes of names may be missing that no fsync of their folder covers, and of each file any writes, which
  leave zeros. A rename happens as a whole, and renames of one file or folder stay in order. No file system in use is
  worse.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

__all__ = ["KINDS", "Change", "Disk", "Journal"]

_UP = 8  # links followed in a path
_ALL = -1  # what syncfs(2) is about


@dataclass
class Node:
    """A file, a folder with its ``names``, or a link."""

    kind: str
    mode: int = 0o644
    content: bytes = b""
    mtime: int | None = None
    names: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Node:
        return replace(self, names=dict(self.names))


@dataclass(frozen=True)
class Change:
    """One change. ``names``: what a name in a folder leads to then; ``node`` is what it is about.

    ``kind`` is ``names``, ``data`` (with ``start``, ``data``; a cut has the ``size`` that is left) or ``sync``.
    """

    kind: str
    node: int
    names: tuple[tuple[int, str, int | None], ...] = ()
    start: int = 0
    data: bytes = b""
    size: int | None = None
    mode: int | None = None
    mtime: int | None = None

    def applied(self, content: bytes) -> bytes:
        """Return *content* after the change."""
        if self.size is not None:
            return content[: self.size].ljust(self.size, b"\0")
        return content[: self.start].ljust(self.start, b"\0") + self.data + content[self.start + len(self.data) :]


class Disk:
    """Folders of the disk, below *root*: ``parts`` are the names there that count."""

    def __init__(self, root: Path, parts: Sequence[str]) -> None:
        self.root = root
        self.parts = tuple(parts)
        self.nodes: dict[int, Node] = {0: Node("folder")}
        self.inodes: dict[int, int] = {root.stat().st_ino: 0}
        for name in parts:
            if (root / name).exists():
                self.nodes[0].names[name] = self._scanned(root / name)

    def _scanned(self, path: Path) -> int:
        facts = path.lstat()
        if facts.st_ino in self.inodes:
            return self.inodes[facts.st_ino]
        number = self.inodes[facts.st_ino] = len(self.nodes)
        mode = stat.S_IMODE(facts.st_mode)
        if stat.S_ISLNK(facts.st_mode):
            self.nodes[number] = Node("link", content=os.fsencode(path.readlink()))
        elif stat.S_ISDIR(facts.st_mode):
            self.nodes[number] = Node("folder", mode)
            self.nodes[number].names = {item.name: self._scanned(item) for item in path.iterdir()}
        else:
            self.nodes[number] = Node("file", mode, path.read_bytes(), facts.st_mtime_ns)
        return number

    def copy(self) -> Disk:
        disk = object.__new__(Disk)
        disk.root, disk.parts, disk.inodes = self.root, self.parts, dict(self.inodes)
        disk.nodes = {number: node.copy() for number, node in self.nodes.items()}
        return disk

    def apply(self, change: Change) -> None:
        """Carry out a change."""
        for folder, name, number in change.names:
            if number is None:
                self.nodes[folder].names.pop(name, None)
            else:
                self.nodes[folder].names[name] = number
        if change.kind == "data":
            node = self.nodes[change.node]
            if change.data or change.size is not None:
                node.content = change.applied(node.content)
            node.mode = node.mode if change.mode is None else change.mode
            node.mtime = node.mtime if change.mtime is None else change.mtime

    def located(self, path: str) -> tuple[int, str]:
        """Return the folder of *path*, by its number, and the last name."""
        parts = list(Path(path).relative_to(self.root).parts)
        here = [0]
        links = 0
        while len(parts) > 1:
            name = parts.pop(0)
            if name == "..":
                here.pop()
                continue
            node = self.nodes[here[-1]].names[name]
            if self.nodes[node].kind == "link":
                links += 1
                assert links < _UP, path
                parts[:0] = Path(os.fsdecode(self.nodes[node].content)).parts
            else:
                here.append(node)
        return here[-1], parts[0]

    def found(self, path: str) -> int:
        folder, name = self.located(path)
        return self.nodes[folder].names[name]

    def write(self) -> None:
        """Make the folders on the real disk what they are here."""
        for name in self.parts:
            _emptied(self.root / name, keep=name in self.nodes[0].names)
        made: dict[int, Path] = {}
        for name, number in self.nodes[0].names.items():
            self._write(number, self.root / name, made)

    def _write(self, number: int, path: Path, made: dict[int, Path]) -> None:
        node = self.nodes[number]
        if number in made:
            os.link(made[number], path)
            return
        made[number] = path
        if node.kind == "link":
            path.symlink_to(os.fsdecode(node.content))
        elif node.kind == "folder":
            path.mkdir(exist_ok=True)
            for name, inner in node.names.items():
                self._write(inner, path / name, made)
            path.chmod(node.mode)
        else:
            path.write_bytes(node.content)
            path.chmod(node.mode)
            if node.mtime is not None:
                os.utime(path, ns=(node.mtime, node.mtime))


def _emptied(folder: Path, *, keep: bool) -> None:
    """Empty *folder*, in which somebody may be working, or remove it."""
    for path in list(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    if folder.exists() and not keep:
        folder.rmdir()


class Journal:
    """The changes that a command made, from the *log* of the library, to what *disk* was before."""

    def __init__(self, disk: Disk, log: bytes) -> None:
        self.before = disk.copy()
        self._disk = disk
        self.changes = [change for change in self._read(log) if change is not None]
        # What comes later knows of more nodes; empty ones do no harm before.
        for number, node in disk.nodes.items():
            self.before.nodes.setdefault(number, Node(node.kind, self._modes.get(number, node.mode), b"", None))
            if node.kind == "link" and number in self._modes:
                self.before.nodes[number].content = node.content

    def _read(self, log: bytes) -> Iterator[Change | None]:
        self._modes: dict[int, int] = {}
        at = 0
        while at < len(log):
            end = log.index(b"\n", at)
            name, *words = os.fsdecode(log[at:end]).split("\t")
            at = end + 1
            if name == "write":
                size = int(words[2])
                change = self._written(words, log[at : at + size])
                at += size + 1
            else:
                change = getattr(self, f"_{name}")(*words)
            if change is not None:
                self._disk.apply(change)
            yield change

    def _node(self, inode: str) -> int | None:
        return self._disk.inodes.get(int(inode))

    def _new(self, inode: str, node: Node) -> int:
        number = len(self._disk.nodes)
        self._disk.nodes[number] = node
        self._disk.inodes[int(inode)] = number
        self._modes[number] = node.mode
        return number

    def _create(self, path: str, inode: str, mode: str) -> Change:
        number = self._new(inode, Node("file", int(mode, 8)))
        return Change("names", number, ((*self._disk.located(path), number),))

    def _mkdir(self, path: str, inode: str, mode: str) -> Change:
        number = self._new(inode, Node("folder", int(mode, 8)))
        return Change("names", number, ((*self._disk.located(path), number),))

    def _symlink(self, path: str, inode: str, target: str) -> Change:
        number = self._new(inode, Node("link", content=os.fsencode(target)))
        return Change("names", number, ((*self._disk.located(path), number),))

    def _link(self, path: str, other: str) -> Change:
        number = self._disk.found(path)
        return Change("names", number, ((*self._disk.located(other), number),))

    def _rename(self, path: str, other: str) -> Change | None:
        number = self._disk.found(path)
        return Change("names", number, ((*self._disk.located(path), None), (*self._disk.located(other), number)))

    def _unlink(self, path: str) -> Change:
        return Change("names", self._disk.found(path), ((*self._disk.located(path), None),))

    _rmdir = _unlink

    def _written(self, words: Sequence[str], data: bytes) -> Change | None:
        inode, start, _, mtime = words
        number = self._node(inode)
        return None if number is None else Change("data", number, start=int(start), data=data, mtime=int(mtime))

    def _truncate(self, inode: str, size: str, mtime: str) -> Change | None:
        number = self._node(inode)
        return None if number is None else Change("data", number, size=int(size), mtime=int(mtime))

    def _facts(self, inode: str, mode: str, mtime: str) -> Change | None:
        number = self._node(inode)
        return None if number is None else Change("data", number, mode=int(mode, 8), mtime=int(mtime))

    def _sync(self, inode: str) -> Change | None:
        number = self._node(inode)
        return None if number is None else Change("sync", number)

    def _everything(self) -> Change:
        return Change("sync", _ALL)

    # What is left of it.

    def state(self, cut: int, kind: str, chance: random.Random) -> Disk:
        """Return what the disk may hold when the power fails after *cut* changes."""
        happened = self.changes[:cut]
        sure = self._sure(happened, ordered=kind.startswith("ordered"))
        disk = self.before.copy()
        for change in _chosen(happened, sure, kind, chance):
            disk.apply(change)
        return disk

    def _sure(self, happened: Sequence[Change], *, ordered: bool) -> set[int]:
        """Return which of the changes were flushed, by their place."""
        sure: set[int] = set()
        for at, change in enumerate(happened):
            if change.kind == "sync":
                for before, earlier in enumerate(happened[:at]):
                    if _is_flushed(earlier, change.node, ordered=ordered):
                        sure.add(before)
        # Names of one node change in order.
        later: set[int] = set()
        for at in range(len(happened) - 1, -1, -1):
            if happened[at].kind == "names":
                if at in sure:
                    later.add(happened[at].node)
                elif happened[at].node in later:
                    sure.add(at)
        return sure


def _is_flushed(change: Change, node: int, *, ordered: bool) -> bool:
    if node == _ALL:
        return True
    if change.kind == "names":
        return ordered or any(folder == node for folder, _, _ in change.names)
    return change.kind == "data" and change.node == node


KINDS = ("ordered-least", "ordered-names", "ordered", "weak-least", "weak-names", "weak-data", "weak")


def _chosen(happened: Sequence[Change], sure: set[int], kind: str, chance: random.Random) -> Iterable[Change]:
    """Yield what reached the disk: all that is *sure*, and of the rest some."""
    order, _, what = kind.partition("-")
    names = {"least": 0.0, "names": 1.0, "data": 0.0}.get(what, chance.random())
    data = {"least": 0.0, "names": 0.0, "data": 1.0}.get(what, chance.random())
    last = max((at for at in sure if happened[at].kind == "names"), default=-1)
    reached = last + round((len(happened) - last) * names)
    lost: set[int] = set()  # nodes whose later changes are lost as well
    for at, change in enumerate(happened):
        if change.kind == "sync":
            continue
        if at in sure:
            yield change
        elif change.kind == "names":
            is_there = at < reached if order == "ordered" else change.node not in lost and chance.random() < names
            if is_there:
                yield change
            else:
                lost.add(change.node)
        elif change.node not in lost or order == "weak":
            if chance.random() < data:
                yield change
            elif order == "ordered":
                lost.add(change.node)
                yield replace(change, data=change.data[: chance.randrange(len(change.data) + 1)] if data else b"")

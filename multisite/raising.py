"""A new environment, made by its blueprint: beside its place, and put there by one rename.

All that start-up and imports need is on the disk before it has its name. Programs and data files are not flushed: what
is torn of them after a power failure is written again by the next ``sync``, which looks at every file then, for what it
knew counts in one boot alone. One thread flushes, and another one copies, while the rest is written and looked at.

Whatever is not as it should be is left to the ordinary way, which begins anew and says what there is to say.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from multisite import blueprint, settled, wholesale
from multisite.aside import Aside
from multisite.settled import INPUT, THROUGH, take
from multisite.writing import Copies, OtherwiseError, flush, write

TYPE_CHECKING = False  # the import of typing takes longer than much of what is done here
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

__all__ = ["raised"]

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+")
_LONGEST = 124  # of an interpreter's path in the first line of a program, so that any kernel reads it
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_FLUSHERS = 8
_MARSHAL = 4
_ENOUGH = 32  # data files that are worth a second thread


def raised(
    arguments: Sequence[str],
    *,
    lockfile: str,
    folder: str,
    python: str | None,
    store: str,
    cache: str,
    environ: Mapping[str, str],
    own: tuple[Any, ...],
) -> tuple[str, ...] | None:
    """Make the environment *folder* of a *lockfile*; return what there is to say, None where nothing was made.

    Nothing has that name. *python* is what was asked for, *store* the folder of the store, *own* what this program is
    known by. The *cache* notes that the command with these *arguments* has nothing to do then.
    """
    program = blueprint.asked_for(python, environ)
    if program is None or sys.platform != "linux":
        return None
    inputs = [(lockfile, INPUT), *([] if python is None else [(program, THROUGH)])]
    read = [(os.path.dirname(path), kind, (os.path.basename(path),)) for path, kind in inputs]  # noqa: PTH119, PTH120
    try:
        if not stat.S_ISREG(os.stat(lockfile).st_mode):  # noqa: PTH116 -- see blueprint
            return None  # what is read of a pipe is gone
        known = settled.print_of(read)
        with open(lockfile, "rb") as file:  # noqa: PTH123 -- see blueprint
            data = file.read()
        drawn = blueprint.read(cache, blueprint.key(data, program, store, environ, own))
        if drawn is None:
            return None
        command = settled.command_key(arguments, environ)
        raising = _Raising(drawn, data, folder, store)
        raising.carry_out()
    except (OtherwiseError, OSError):
        return None
    count = "1 distribution" if len(drawn["changes"]) == 1 else f"{len(drawn['changes'])} distributions"
    unchanged = f"{folder}: unchanged; {count}"
    commands = {
        command: ((f"syncing {lockfile}", unchanged), read, known),
        "sync": ((f"syncing {folder}/pylock.toml", unchanged), (), settled.print_of(())),
    }
    raising.note(commands, cache, settled.circumstances(environ, own))
    return (f"syncing {lockfile}", *drawn["changes"], f"{folder}: made; {count}")


class _Raising:
    def __init__(self, drawn: Mapping[str, Any], data: bytes, folder: str, store: str) -> None:
        self.drawn = drawn
        self.data = data
        self.folder = folder
        self.store = store
        self.id = os.urandom(16).hex()
        self.now = int(time.time())
        self.parent, self.name = os.path.split(folder)
        prompt = os.path.basename(self.parent) if self.name.startswith(".") else self.name  # noqa: PTH119
        if not (_PLAIN.issuperset(folder) and prompt and len(folder) + len("/bin/python") <= _LONGEST):
            raise OtherwiseError
        self.values = {
            "path": folder.encode(),
            "name": prompt.encode(),
            "python": f"{folder}/bin/python".encode(),
            "id": self.id.encode(),
        }
        self.temporary = f"{self.parent}/.{self.name[:100]}.{os.urandom(8).hex()}.tmp"
        self.pin = f"{store}/pins/{os.urandom(16).hex()}.pin"
        self.registration = f"{store}/environments/{self.id}.json"
        self.asides: list[Aside] = []
        self.begun = [self.temporary, self.registration, self.pin]
        self.programs: list[tuple[str, int, bytes]] = []
        self.print: int | None = None
        self.held: int | None = None
        self.identity: tuple[int, int] | None = None

    def carry_out(self) -> None:
        """Make it, or leave nothing of it. Raises OSError, OtherwiseError."""
        self._demand_sound_place()
        try:
            self._make()
            self._unpin()
        except BaseException:  # an interruption as well: nothing half made stays, and it is raised again
            try:
                for aside in self.asides:
                    aside.wait()
            finally:  # interrupted once more
                # One that has its name already needs what was registered. The last that was begun goes first: a
                # thread that still runs cannot rename what is gone.
                self._take_away([self.pin] if self._is_made() else self.begun[::-1])
            raise
        finally:
            if self.held is not None:
                os.close(self.held)

    def _make(self) -> None:
        pinning = self._aside(self._write_pin)
        held = self._hold()
        paths = self._write()
        beside = self._beside(self.registration, self._registration())
        flushing = self._aside(lambda: self._flush(held, paths, beside))
        files, copies = self.drawn["copies"], Copies(self.store, self.temporary, self.drawn["records"])
        half = len(files) // 2 if len(files) > _ENOUGH else 0
        copying = self._aside(lambda: copies.make(files[:half])) if half else None
        self._write_programs()
        copies.make(files[half:])
        pinning.demand()
        self._demand_entries()
        if copying is not None:
            copying.demand()
        taken = self._own()
        flushing.demand()
        os.lstat(self.registration)  # for garbage collection may have taken it for that of one that is gone
        self.print = self._printed(taken)
        os.rename(self.temporary, self.folder)  # noqa: PTH104

    def _unpin(self) -> None:
        try:
            os.unlink(self.pin)  # noqa: PTH108 -- see blueprint
        except FileNotFoundError:  # garbage collection took it; the environment is registered
            return

    def _aside(self, work: Callable[[], None]) -> Aside:
        aside = Aside(work)
        self.asides.append(aside)
        return aside

    def _beside(self, path: str, data: bytes, mode: int = 0o644) -> str:
        """Write what is to be the file *path* of the store, or the cache, beside it; return where."""
        folder, name = os.path.split(path)
        temporary = f"{folder}/.{name}.{os.urandom(8).hex()}.tmp"
        self.begun.append(temporary)
        try:
            write(temporary, data, mode)
        except FileNotFoundError:
            os.makedirs(folder, 0o755, exist_ok=True)  # noqa: PTH103
            write(temporary, data, mode)
        return temporary

    def _flush(self, held: int, paths: list[str], registration: str) -> None:
        """Have what start-up and imports need on the disk, in a folder *held* since it was empty; then register."""
        sync = wholesale.syncfs() if wholesale.sure(held) and not wholesale.waiting(0) else None
        if sync is None or os.fstat(held).st_dev != os.stat(self.store).st_dev:  # noqa: PTH116
            paths.append(registration)
        if sync is None:
            parts = [Aside(lambda part=paths[at::_FLUSHERS]: flush(part)) for at in range(_FLUSHERS)]  # type: ignore[misc]
            for part in parts:
                part.wait()
            for part in parts:
                part.demand()
        else:
            sync(held)
            flush([registration] if paths[-1] == registration else [])
        os.rename(registration, self.registration)  # noqa: PTH104
        flush([os.path.dirname(self.registration)])  # noqa: PTH120

    def _write_pin(self) -> None:
        """Pin what is used. Its content is flushed, for a torn one says of no process that it is dead."""
        beside = self._beside(self.pin, self._pin())
        flush([beside])
        os.rename(beside, self.pin)  # noqa: PTH104

    def _own(self) -> list[list[tuple[int, ...] | None] | None]:
        """Return what is to be compared of each group of the environment's own files, still in the temporary folder."""
        return [
            settled.takes(f"{self.temporary}{folder}", kind, self._names(names)) if own else None
            for own, folder, kind, names in self.drawn["looked_at"]
        ]

    def _printed(self, taken: Sequence[list[tuple[int, ...] | None] | None]) -> int | None:
        """Return the print of all that the next sync looks at; a rename changes nothing of what was *taken*."""
        found: list[tuple[int, ...] | None] = []
        for (_, folder, kind, names), known in zip(self.drawn["looked_at"], taken):  # noqa: B905 -- of one length
            # Those on the way to a distribution have just been looked at.
            there = [()] * len(names) if kind == settled.FOLDER else None
            found += known or there or settled.takes(folder, kind, self._names(names))
        return settled.printed(found)

    def _names(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple([name.replace("\0", self.id) for name in names])

    def note(self, commands: Mapping[str, Any], cache: str, circumstances: tuple[Any, ...] | None) -> None:
        """Note in the *cache* that *commands* have nothing to do in it."""
        known = {
            "folder": self.folder,
            "circumstances": circumstances,
            "looked_at": tuple(
                (f"{self.folder}{folder}" if own else folder, kind, self._names(names))
                for own, folder, kind, names in self.drawn["looked_at"]
            ),
            "print": self.print,
            "since": self.now,
            "holds": self.drawn["holds"],
            "commands": dict(commands),
        }
        if circumstances is not None:
            try:
                path = f"{cache}/{settled.KIND}/{settled.name_for(self.folder)}"
                os.rename(self._beside(path, settled.encode(known), 0o600), path)  # noqa: PTH104
            except BaseException as error:  # an interruption as well: it is raised again
                self._take_away(self.begun[-1:])
                if not isinstance(error, (OSError, OtherwiseError)):  # it is only a cache
                    raise

    def _hold(self) -> int:
        """Make the folder, and hold it for as long as it is not in its place: who finds it abandoned removes it."""
        import fcntl

        os.mkdir(self.temporary)  # noqa: PTH102
        descriptor = self.held = os.open(self.temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        found = os.fstat(descriptor)
        self.identity = found.st_dev, found.st_ino
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def _is_made(self) -> bool:
        """Tell whether the folder is in its place."""
        try:
            found = os.lstat(self.folder)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self.identity

    def _demand_sound_place(self) -> None:
        """Refuse a store that is not as it was, or needs a closer look, and a place where somebody left something."""
        store, drawn = self.store, self.drawn
        begun = f".{self.name[:100]}."
        left = any(name.startswith(begun) and name.endswith(".tmp") for name in os.listdir(self.parent))  # noqa: PTH208
        apart = f"{os.path.realpath(self.parent)}/"
        nested = f"{apart}{self.name}/".startswith(f"{store}/") or f"{store}/".startswith(f"{apart}{self.name}/")
        with open(f"{store}/store.json", "rb") as file:  # noqa: PTH123
            same = file.read() == drawn["store"]
        opened = stat.S_IMODE(os.lstat(f"{store}/environments").st_mode) & _OTHERS_WRITE
        if left or nested or not same or opened or os.path.realpath(store) != store:
            raise OtherwiseError
        for path in (os.path.dirname(store), store, f"{store}/store.json", f"{store}/environments"):  # noqa: PTH120
            _demand_sound(path, (0, os.geteuid()))
        if any(take(path, THROUGH) != known for path, known in drawn["python"]):
            raise OtherwiseError

    def _demand_entries(self) -> None:
        """Refuse what is missing, what others could have changed, and what garbage collection is about to take."""
        try:
            doomed = os.listdir(f"{self.store}/condemned")  # noqa: PTH208
        except FileNotFoundError:
            doomed = []
        if any(name.endswith(".condemned") for name in doomed):
            raise OtherwiseError
        store = self.store
        owners = (0, os.geteuid())
        for path in self.drawn["sound"]:
            _demand_sound(f"{store}/{path}", owners)
        for path in self.drawn["there"]:
            os.lstat(f"{store}/{path}")

    def _write(self) -> list[str]:
        """Write what start-up and imports need; return all that is to be flushed of it."""
        drawn, root, values = self.drawn, self.temporary, self.values
        for name in drawn["folders"]:
            os.mkdir(f"{root}/{name}")  # noqa: PTH102
        for name, target in drawn["links"]:
            os.symlink(target, f"{root}/{name}")  # noqa: PTH211
        paths = [f"{root}/{name}" for name, _, _ in drawn["files"]]
        for name, mode, parts in drawn["files"]:
            write(f"{root}/{name}", blueprint.filled(parts, values), mode)
        self.programs = [(name, mode, blueprint.filled(parts, values)) for name, mode, parts in drawn["programs"]]
        for at, (_, _, content) in enumerate(self.programs):
            self._note_program(at, content)
        write(f"{root}/pylock.toml", self.data, 0o666)
        write(f"{root}/.multisite/table", self._table(), 0o666)
        write(f"{root}/.multisite/environment.json", blueprint.filled(drawn["state"], values), 0o666)
        paths += [f"{root}/{name}" for name in ("pylock.toml", ".multisite/table", ".multisite/environment.json")]
        return [*paths, root, *(f"{root}/{name}" for name in drawn["flushed"])]

    def _write_programs(self) -> None:
        for name, mode, content in self.programs:
            write(f"{self.temporary}/{name}", content, mode)

    def _note_program(self, at: int, content: bytes) -> None:
        import binascii

        found = blueprint.digest(content)
        text = binascii.b2a_base64(found, newline=False).rstrip(b"=").translate(_URLSAFE)
        self.values |= {f"sha256 {at}": found.hex().encode(), f"base64 {at}": text, f"size {at}": b"%d" % len(content)}

    def _table(self) -> bytes:
        import marshal

        facts = os.stat(f"{self.temporary}/pylock.toml")  # noqa: PTH116
        binding = {**self.drawn["binding"], "id": self.id, "size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
        bound = marshal.dumps(binding, _MARSHAL)
        before, between, after = self.drawn["table"]
        return b"".join([before, len(bound).to_bytes(4, "little"), between, bound, after])

    def _registration(self) -> bytes:
        root = os.stat("/")  # noqa: PTH116
        host = f"{os.uname().nodename} {root.st_dev}:{root.st_ino}"
        device = os.stat(self.temporary).st_dev  # noqa: PTH116
        own = {"host": _text(host)[1:-1], "device": b"%d" % device, "seen": b"%d" % self.now}
        return blueprint.filled(self.drawn["registration"], {**self.values, **own})

    def _pin(self) -> bytes:
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:  # noqa: PTH123
            boot = file.read().decode("ascii").strip()
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123
            ticks = file.read().rpartition(b")")[2].split()[19].decode("ascii")
        host = _text(f"{os.uname().nodename} {space}").decode()
        head = f'{{"format": 1, "host": {host}, "pid": {os.getpid()}, "started": "{boot} {ticks}", '
        head += f'"time": {int(time.time())}}}\n'
        return head.encode() + "".join(f"{name}\n" for name in self.drawn["pinned"]).encode()

    def _take_away(self, paths: Sequence[str]) -> None:
        """Remove *paths*. One that cannot be removed stays: why they are to go is what counts, and is raised then."""
        from contextlib import suppress
        from pathlib import Path

        from multisite.files import remove_tree

        for path in paths:
            with suppress(OSError):
                remove_tree(Path(path))


_URLSAFE = bytes.maketrans(b"+/", b"-_")
_HARMLESS = str.maketrans(dict.fromkeys(" :[]"))  # in what a host and its processes are known by


def _demand_sound(path: str, owners: tuple[int, ...]) -> None:
    """Refuse what others could have changed, and links. Raises OtherwiseError, and OSError where it is missing."""
    found = os.lstat(path)
    if found.st_uid not in owners or found.st_mode & _OTHERS_WRITE or stat.S_ISLNK(found.st_mode):
        raise OtherwiseError


def _text(text: str) -> bytes:
    """Return *text* as JSON has it."""
    if _PLAIN.issuperset(text.translate(_HARMLESS)):
        return f'"{text}"'.encode("ascii")
    from _json import encode_basestring_ascii

    return bytes(encode_basestring_ascii(text), "ascii")

"""A plan of garbage collection is carried out: whoever is killed meanwhile leaves a store that is whole.

What commands may begin to rely on is condemned first (``multisite.condemned``), looked at once more, and then moved
aside, each in one step: tables before what they lead to. Only then is anything deleted. What leads there goes
afterwards; an alias that leads nowhere counts as none.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.condemned import Condemnation
from multisite.entry import ENTRIES
from multisite.errors import GarbageRefused, UnsupportedFormat
from multisite.files import WITHOUT_LOCKS, flush_folder, locked, make_folders, remove_empty_parents
from multisite.garbage import ASIDE, CONDEMNED, Kind, leads_to
from multisite.notes import read_note
from multisite.registry import Registration
from multisite.scratch import incoming, scratch
from multisite.scratch import sweep as sweep_folders
from multisite.whereabouts import look_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from multisite.garbage import Doomed, Plan
    from multisite.roots import Roots
    from multisite.store import Store

__all__ = ["Sweep", "alone", "recover"]

_DROPPED = ".dropped"


@contextlib.contextmanager
def alone(root: Path, *, notice: Callable[[str], None]) -> Iterator[None]:
    """Hold the store in *root* against another garbage collection, which is waited for. Raises GarbageRefused."""
    path = root / "locks" / "gc.lock"
    make_folders(path.parent)
    if sys.platform == "win32":
        with locked(path):
            yield
        return
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            notice(f"waiting for another multisite gc on {root}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
            reason = "files cannot be locked on its filesystem, so it cannot be told what is still being written"
            hint = "move the store to a filesystem with locks, or remove and lock it anew when nothing uses it"
            raise GarbageRefused(root, reason, hint=hint) from error
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The sweep of *store* according to *plan*; the caller holds it (``alone``). *look* says what the roots are now.

    *advance* is told of each thing that is done with.
    """

    store: Store
    plan: Plan
    look: Callable[[], Roots]
    advance: Callable[[str], None]

    def carry_out(self) -> frozenset[str]:
        """Remove what is to go; return the names of what is kept after all, since somebody began to rely on it."""
        root = self.store.root
        with contextlib.ExitStack() as aside:
            folders = {Kind.ENTRY: root / ENTRIES, Kind.SHARED: root / "shared"}
            places = {
                kind: aside.enter_context(incoming(folder)) for kind, folder in folders.items() if self.plan.of(kind)
            }
            spared = self._move_aside(places)
            self._sweep_aliases()
            for item in self.plan.of(Kind.ENVIRONMENT):
                self._drop(item)
        for item in self.plan.of(Kind.PIN, Kind.LEFTOVER, Kind.RUNTIME, Kind.LOCK):
            self._clear(item)
            self.advance(item.name)
        self._clear_empty()
        return spared

    def _move_aside(self, places: dict[Kind, Path]) -> frozenset[str]:
        doomed = self.plan.of(*CONDEMNED)
        if not doomed:
            return frozenset()
        with Condemnation(self.store.root, (item.name for item in doomed)) as condemnation:
            now = self.look()
            spared = now.kept & {item.name for item in doomed}
            condemnation.withdraw(spared)
            for item in doomed:
                if item.name in spared:
                    continue
                if not condemnation.is_heard:
                    reason = "looking for what is used took longer than others can rely on"
                    raise GarbageRefused(self.store.root, reason, hint="run the same command again")
                self._take(item, places)
                self.advance(item.name)
        # What is deleted now must not be seen again after a power failure, in part.
        for folder in dict.fromkeys(item.path.parent for item in doomed if item.kind is not Kind.TABLE):
            with contextlib.suppress(FileNotFoundError):
                flush_folder(folder)
        return spared

    def _take(self, item: Doomed, places: dict[Kind, Path]) -> None:
        with contextlib.suppress(FileNotFoundError):
            if item.kind is Kind.TABLE:
                item.path.unlink()
            else:
                item.path.rename(places[item.kind] / item.name.replace("/", "_"))

    def _sweep_aliases(self) -> None:
        for item in self.plan.of(Kind.ALIAS):
            # Whoever publishes an entry looks for its alias afterwards. So where it is there once the alias is away,
            # the alias may have been seen before, and comes back; where it comes later, the alias is written anew.
            aside = item.path.with_name(f".{item.path.name}.{secrets.token_hex(8)}{ASIDE}")
            with contextlib.suppress(FileNotFoundError):
                item.path.rename(aside)
                if self._leads_somewhere(aside):
                    aside.replace(item.path)
                else:
                    aside.unlink()

    def _leads_somewhere(self, alias: Path) -> bool:
        try:
            entry = leads_to(alias)
        except UnsupportedFormat:
            return True  # that is for a later multisite to say
        return entry is not None and (self.store.root / ENTRIES / entry).is_dir()

    def _drop(self, item: Doomed) -> None:
        """Remove a registration, unless it is another one now, or its environment is there again.

        It is looked at once it is out of the way: a sync that finds it was there before, and is seen; one that does not
        registers its environment anew.
        """
        aside = item.path.with_suffix(_DROPPED)
        try:
            item.path.rename(aside)
        except FileNotFoundError:
            return
        if item.path not in self.plan.roots.forgotten and self._is_wanted(aside):
            put_back(aside)
        else:
            aside.unlink()

    def _is_wanted(self, aside: Path) -> bool:
        registration = Registration.from_document(read_note(aside), aside)
        judged = {found.registration for found in self.plan.roots.environments}
        return registration not in judged or look_for(registration, self.store).state.keeps

    def _clear(self, item: Doomed) -> None:
        if item.kind is Kind.LOCK:
            _unlink_unheld(item.path)
        elif item.kind is Kind.RUNTIME:
            with scratch(item.path.parent, before=".incoming-") as aside, contextlib.suppress(FileNotFoundError):
                item.path.rename(aside / item.path.name)
        elif item.path.is_dir() and not item.path.is_symlink():
            self._clear_folder(item.path)
        else:
            item.path.unlink(missing_ok=True)
            if item.path.parent.parent.name == "sha256":
                _remove_if_empty(item.path.parent)

    def _clear_folder(self, folder: Path) -> None:
        if folder.parent.name == ".incoming":
            sweep_folders(folder.parent)  # but what somebody holds by now
        elif folder.name.startswith(".incoming-"):
            sweep_folders(folder.parent, before=".incoming-")
        else:
            _remove_if_empty(folder)
            if (entries := self.store.root / ENTRIES) in folder.parents:
                remove_empty_parents(folder, entries)

    def _clear_empty(self) -> None:
        for item in self.plan.of(Kind.ENTRY):
            remove_empty_parents(item.path, self.store.root / ENTRIES)
        for item in self.plan.of(Kind.ALIAS):
            if item.path.parent.parent.name == "sha256":
                _remove_if_empty(item.path.parent)


def put_back(aside: Path) -> None:
    """Give a registration its name again, unless a newer one has it."""
    path = aside.with_suffix(".json")
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    except OSError:  # a filesystem without links
        if not path.exists():
            aside.rename(path)
            return
    aside.unlink(missing_ok=True)


def recover(root: Path) -> None:
    """Put back the registrations that a killed garbage collection was looking at. Only who is ``alone`` may do that."""
    for aside in sorted((root / "environments").glob(f"[!.]*{_DROPPED}")):
        put_back(aside)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
            raise


def _unlink_unheld(path: Path) -> None:
    """Remove a lock file that nobody holds. Whoever gets hold of it just then sees that it has no name any more."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        pass
    finally:
        os.close(descriptor)

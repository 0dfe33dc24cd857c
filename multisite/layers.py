"""Stores in layers: the first is written to, and what it has not is looked for in the others, which are only read.

What is missing in all of them is put into the first. A shared folder may have members in several stores. What others
could have changed is not used: in the first store that is an error, for nothing can be put in its place; in the others
it counts as missing, and is said once.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from multisite.errors import EntryMissing, StoreNotUsable
from multisite.layout import is_store
from multisite.opening import opened
from multisite.sharing import discard_shared, find_shared, make_shared, shared_digest
from multisite.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from multisite.entry import Artifact, StoredDistribution
    from multisite.names import BuildId
    from multisite.sharing import SharedFolder
    from multisite.trust import Doubt, Trust

__all__ = ["Layers", "listed", "moved"]

_Found = TypeVar("_Found")
_SHOWN = 3


def listed(text: str) -> tuple[Path | None, ...]:
    """Return the folders that MULTISITE_STORE names, whole; None for an empty place in the list."""
    if not text:
        return ()
    return tuple(Path(os.path.normpath(Path(item).absolute())) if item else None for item in text.split(os.pathsep))


def moved(known: Sequence[str], named: Sequence[Path | None]) -> tuple[str, ...]:
    """Return where the stores are that an environment knows, for an interpreter that MULTISITE_STORE is set for.

    One that is *named* is where it was; any other has moved to what stands in its place in the list, if anything does.
    ``_runtime`` does the same.
    """
    names = [None if path is None else str(path) for path in named]
    pairs = ((store, names[at] if at < len(names) else None) for at, store in enumerate(known))
    return tuple(store if there is None or store in names else there for store, there in pairs)


class Layers:
    """The *stores* of one command, in order of precedence. *notice* is told what is not used."""

    def __init__(self, stores: Sequence[Store], trust: Trust, notice: Callable[[str], None]) -> None:
        self.stores = tuple(stores)
        self.trust = trust
        self._notice = notice
        self._said: set[str] = set()
        self._lock = threading.Lock()
        self._inside = 0
        self._opened = contextlib.ExitStack()

    @classmethod
    def open(
        cls,
        first: Path,
        others: Iterable[Path],
        trust: Trust,
        notice: Callable[[str], None],
        *,
        private: bool = False,
    ) -> Layers:
        """Open the store in *first*, made (*private* or not) where it is missing, those in *others* that are there.

        Raises NotTrusted, StoreNotUsable, UnsupportedFormat, InvalidDocument.
        """
        cls.demand_sound(first, trust)
        stores = [Store.open(first, private=private)]
        for root in others:
            if not is_store(root):
                raise StoreNotUsable(root, "there is no store")
            if not any(root.samefile(store.root) for store in stores):
                cls.demand_sound(root, trust)
                stores.append(Store.open(root))
        return cls(stores, trust, notice)

    @staticmethod
    def demand_sound(root: Path, trust: Trust) -> None:
        """Refuse a store that others could have changed as a whole; one that is missing is sound. Raises NotTrusted."""
        try:
            doubt = trust.doubt_of_place(root) or trust.doubt(root, ["store.json"])
        except OSError as error:
            raise StoreNotUsable(root, error.strerror or str(error)) from error
        if doubt is not None:
            raise doubt.error

    @property
    def first(self) -> Store:
        """The store that is written to."""
        return self.stores[0]

    @property
    def root(self) -> Path:
        """The folder of the store that is written to."""
        return self.first.root

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders of the stores."""
        return tuple(str(store.root) for store in self.stores)

    def index(self, root: Path) -> int:
        """Return the place of the store in the folder *root* among these."""
        return [store.root for store in self.stores].index(root)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Have what is put into the first store while the block runs be readable by whom that is opened to.

        Threads may be in there at once: the last one leaves things as the first one found them.
        """
        with self._lock:
            if not self._inside:
                self._opened.enter_context(opened(self.first.root))
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._opened.close()

    def find_artifact(self, sha256: str) -> StoredDistribution | None:
        """Return the entry that the wheel file with this hash was unpacked to, None where no store has it."""
        alias = f"artifacts/sha256/{sha256[:2]}/{sha256}.json"
        return self._found(lambda store: self._sound(store, alias, lambda: store.find_artifact(sha256)))

    def find_source(self, key: str) -> StoredDistribution | None:
        """Return the entry that a source build with this key made, None where no store has it."""
        alias = f"sources/{key}.json"
        return self._found(lambda store: self._sound(store, alias, lambda: store.find_source(key)))

    def entry(self, build: BuildId) -> StoredDistribution:
        """Return an entry of the first store that has it. Raises EntryMissing, InvalidDocument, NotTrusted."""

        def look(store: Store) -> StoredDistribution | None:
            try:
                return store.entry(build)
            except EntryMissing:
                return None

        found = self._found(lambda store: self._sound(store, "multi-site-packages", lambda: look(store)))
        if found is None:
            raise EntryMissing(str(build), self.first.root)
        return found

    def addresses(self, sha256: str) -> tuple[str, ...]:
        """Return where the wheel file with this hash was got from, as far as that is known."""
        return tuple(dict.fromkeys(url for store in self.stores for url in store.addresses(sha256)))

    def add_wheel(
        self,
        path: Path,
        *,
        artifact: Artifact,
        source_key: str | None = None,
        replace: bool = False,
        proceed: Callable[[], None] = lambda: None,
    ) -> StoredDistribution:
        """Return the entry of the wheel file *path* in the first store, as ``Store.add_wheel`` does; threads may."""
        with self.opened():
            return self.first.add_wheel(
                path, artifact=artifact, source_key=source_key, replace=replace, proceed=proceed
            )

    def demand_room(self, names: Sequence[str]) -> None:
        """Refuse what is missing and cannot be put into the first store, before anything is fetched for it."""
        root = self.first.root
        folder = root / "multi-site-packages"
        if not names or os.access(folder if folder.exists() else root, os.W_OK | os.X_OK):
            return
        missing = " and ".join(names) if len(names) < _SHOWN else f"{names[0]} and {len(names) - 1} others"
        own = os.pathsep.join(["DIR", *self.roots])
        hint = f"have its owner lock or sync that there, or put a store of your own before it: MULTISITE_STORE={own}"
        raise StoreNotUsable(root, f"it may not be written to, and has no {missing}", hint=hint)

    def shared_folder(self, members: Sequence[StoredDistribution], *, replace: bool = False) -> SharedFolder:
        """Return the folder that *members*, of any of the stores, share; made in the first when it is missing.

        With *replace* it is made there anew.
        """
        first = self.first
        if replace:
            discard_shared(first.root, members)
        found = None if replace else self._found(lambda store: self._shared(store, members))
        if found is None:
            first.demand_writable()
            with self.opened():
                found = make_shared(first.root, members)
        return found

    def folder(self, root: str) -> Path:
        """Return a folder that a dispatch table has, *root*, in the first store that has it."""
        paths = [store.root / root for store in self.stores]
        return next((path for path in paths if path.is_dir()), paths[0])

    def _shared(self, store: Store, members: Sequence[StoredDistribution]) -> SharedFolder | None:
        found = find_shared(store.root, members)
        folder = f"shared/{shared_digest(members)}"
        doubt = self.trust.doubt(store.root, [f"{folder}/shared.json", f"{folder}/site-packages"])
        return None if found is None or self._refuses(store, doubt) else found

    def _found(self, look: Callable[[Store], _Found | None]) -> _Found | None:
        """Return what *look* finds in the first store that has it."""
        for store in self.stores:
            try:
                found = look(store)
            except PermissionError as error:
                if store is self.first:
                    raise
                self._say(f"the store {store.root} may not be read as a whole, and is done without: {error}")
                continue
            if found is not None:
                return found
        return None

    def _sound(
        self, store: Store, way: str, look: Callable[[], StoredDistribution | None]
    ) -> StoredDistribution | None:
        """Return the entry of *store* that *look* finds by *way* unless others could have changed one or the other."""
        doubt = self.trust.doubt(store.root, [way])
        found = look() if doubt is None else None
        if found is not None:
            folder = found.folder.relative_to(store.root).as_posix()
            site = found.dist_info.relative_to(store.root).as_posix()
            doubt = self.trust.doubt(store.root, [f"{folder}/manifest.json", f"{site}/RECORD"])
        return None if self._refuses(store, doubt) else found

    def _refuses(self, store: Store, doubt: Doubt | None) -> bool:
        """Tell whether there is a *doubt* about something in *store*, and say so. Raises NotTrusted."""
        if doubt is None:
            return False
        if store is self.first:
            raise doubt.error
        self._say(f"{doubt}; it is not used, and got anew")
        return True

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._notice(text)

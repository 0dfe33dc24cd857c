"""What a lockfile pins, brought into the store: found there, fetched and unpacked, or built."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from multisite.addresses import strip_credentials
from multisite.entry import Artifact
from multisite.errors import InvalidWheel, MultisiteError
from multisite.lockfile import ArchiveSource, DirectorySource, FileSource, WheelSource
from multisite.sourcetree import tree_state
from multisite.turns import Errand, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from multisite.cache import Cache
    from multisite.entry import StoredDistribution
    from multisite.lockfile import Pinned
    from multisite.names import BuildId

__all__ = ["Builds", "Fetches", "Keeps", "Provided", "Provider"]

_KEY_FORMAT = 1
_ATTEMPTS = 3  # of what somebody deletes from the cache meanwhile


class Fetches(Protocol):
    """What brings the files of pinned distributions, each checked; ``multisite.fetching.Fetcher`` is one."""

    def fetch(
        self,
        wanted: Iterable[Pinned],
        folder: Path,
        *,
        relative_to: Path,
        use: Callable[[Any, Callable[[], None]], None] | None = ...,
    ) -> Generator[Got, None, None]:
        """Yield each file as soon as it is there and has been put to *use*, in threads, by ``use(file, proceed)``."""


class Got(Protocol):
    """A file that was fetched."""

    @property
    def pinned(self) -> Pinned:
        """Whose it is."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def sha256(self) -> str:
        """What it is."""

    @property
    def size(self) -> int:
        """How large it is, in bytes."""


class Keeps(Protocol):
    """Where entries are found and kept: a store, or several in layers."""

    @property
    def root(self) -> Path:
        """The folder of the store that is written to."""

    def find_artifact(self, sha256: str) -> StoredDistribution | None:
        """Return the entry that the wheel file with this hash was unpacked to, None where there is none."""

    def find_source(self, key: str) -> StoredDistribution | None:
        """Return the entry that a source build with this key made, None where there is none."""

    def add_wheel(
        self,
        path: Path,
        *,
        artifact: Artifact,
        source_key: str | None = None,
        replace: bool = False,
        proceed: Callable[[], None] = ...,
    ) -> StoredDistribution:
        """Return the entry of the wheel file *path*, unpacked unless it is there already; called by several threads."""

    def demand_room(self, names: Sequence[str]) -> None:
        """Refuse what is missing where it cannot be put."""


class Builds(Protocol):
    """What makes a wheel from a source; ``multisite.building.Builder`` is one."""

    def build(self, pinned: Pinned, folder: Path, *, relative_to: Path, archive: Path | None = None) -> Path:
        """Build a wheel into *folder* and return its path."""

    def source_key(self, pinned: Pinned) -> str | None:
        """Return what the build is known by in a store, None where nothing names its inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """A pinned distribution in the store. ``artifact`` is the SHA-256 of the wheel that the lockfile names, if any."""

    pinned: Pinned
    stored: StoredDistribution
    artifact: str | None
    fetched: bool = False
    built: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Bring pinned distributions into the *store*.

    *pin* is told of each entry before anybody relies on it, so that garbage collection leaves it alone. *base* is the
    folder that relative paths in the lockfile start from, *python_key* what the interpreter is known by that builds are
    for. *notice* is told what takes long. The *cache* gives room for the work, and keeps what was built.
    """

    store: Keeps
    cache: Cache
    fetcher: Fetches
    builder: Builds
    base: Path
    python_key: str
    pin: Callable[[StoredDistribution], None]
    notice: Callable[[str], None]

    def provide(self, pinned: Sequence[Pinned], *, anew: Collection[BuildId] = ()) -> tuple[Provided, ...]:
        """Return the entries for *pinned*, sorted by name.

        Builds in *anew* are made again from their artifacts although the store has them: theirs are damaged. Raises
        DownloadFailed, ArtifactMismatch, InvalidWheel, BuildFailed.
        """
        damaged = {build.name for build in anew}
        # Of folders the keys tell what is in them now, so they are made once, and before anything is built.
        work = _Work(provider=self, keys={item.name: self._key(item) for item in pinned}, damaged=damaged)
        found = {item.name: work.found(item) for item in pinned}
        done = {name: provided for name, provided in found.items() if provided is not None}
        self.store.demand_room([item.name for item in pinned if item.name not in done])
        turns: Turns[NormalizedName] = Turns(self.notice)
        while missing := {item.name: item for item in pinned if item.name not in done}:
            with (
                turns.taken([(name, work.errand(item)) for name, item in missing.items()]) as mine,
                contextlib.closing(work.brought([missing[name] for name in mine])) as arriving,
            ):
                for provided in arriving:
                    done[provided.pinned.name] = provided
                    turns.end(provided.pinned.name)
        return tuple(sorted(done.values(), key=lambda provided: provided.pinned.name))

    def _key(self, pinned: Pinned) -> str | None:
        """Return what a source that is no wheel, or one whose hash is not SHA-256, is known by in the store."""
        source = pinned.source
        if isinstance(source, DirectorySource):
            folder = Path(os.path.realpath(self.base / source.path))
            state = tree_state(folder)
            inputs = {"kind": "directory", "path": str(folder), "subdirectory": source.subdirectory, "state": state}
            return _digest({**inputs, "python": self.python_key})
        if _is_wheel(pinned) and isinstance(source, FileSource):
            return None if "sha256" in source.hashes else _digest({"kind": "wheel", "hashes": dict(source.hashes)})
        return self.builder.source_key(pinned)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One call of ``Provider.provide``. ``keys`` are what builds are known by, ``damaged`` what is made again."""

    provider: Provider
    keys: Mapping[NormalizedName, str | None]
    damaged: Collection[str]

    def found(self, pinned: Pinned) -> Provided | None:
        stored = self._look(pinned)
        if stored is None or stored.id.name in self.damaged:
            return None
        self.provider.pin(stored)
        stored = self._look(pinned)  # between looking and pinning somebody may have collected it
        if stored is None:
            return None
        _check(pinned, stored)
        return Provided(pinned=pinned, stored=stored, artifact=_wheel_hash(pinned))

    def _look(self, pinned: Pinned) -> StoredDistribution | None:
        store, sha256, key = self.provider.store, _wheel_hash(pinned), self.keys[pinned.name]
        if sha256 is not None:
            return store.find_artifact(sha256)
        return None if key is None else store.find_source(key)

    def errand(self, pinned: Pinned) -> Errand:
        """Return what to take a turn at, so that of several commands one brings what is missing."""
        name = _wheel_hash(pinned) or self.keys[pinned.name]
        folders = [self.provider.store.root / "locks"]
        if not _is_wheel(pinned):  # the cache keeps those, and several stores may have it
            folders += filter(None, [self.provider.cache.locks])
        label = f"{pinned.name} {pinned.version}" if pinned.version else pinned.name
        return Errand(label=label, places=tuple(folder / f"{name}.turn" for folder in folders) if name else ())

    def brought(self, items: Sequence[Pinned]) -> Generator[Provided, None, None]:
        """Yield each of *items* as soon as it is in the store, what others brought meanwhile first."""
        left = {item.name: item for item in items}
        for item in items:
            if (provided := self.found(item)) is not None:
                del left[item.name]
                yield provided
        for attempt in range(1, _ATTEMPTS + 1) if left else ():
            with self.provider.cache.workplace() as folder:
                missing = [_grounded(item, self.provider.base) for item in left.values()]
                try:
                    with contextlib.closing(self._made(missing, folder)) as arriving:
                        for provided in arriving:
                            yield replace(provided, pinned=left.pop(provided.pinned.name))
                except (OSError, MultisiteError) as error:
                    if attempt == _ATTEMPTS or not _was_removed(folder, error):
                        raise
                    self.provider.notice("the cache was removed, with files on their way: beginning with them anew")
                else:
                    return

    def _made(self, missing: Sequence[Pinned], folder: Path) -> Generator[Provided, None, None]:
        kept = {item.name: self._kept(item, folder) for item in missing}
        for item in missing:
            if (wheel := kept[item.name]) is not None:
                yield Provided(pinned=item, stored=self._added(item, wheel, Artifact.of(wheel)), artifact=None)
        missing = [item for item in missing if kept[item.name] is None]
        files = [item for item in missing if isinstance(item.source, FileSource)]
        unpacked: dict[NormalizedName, StoredDistribution] = {}

        def unpack(got: Got, proceed: Callable[[], None]) -> None:
            if _is_wheel(got.pinned):
                unpacked[got.pinned.name] = self._put(got.pinned, got.path, _artifact(got), proceed)

        arriving = self.provider.fetcher.fetch(files, folder, relative_to=folder, use=unpack)
        with contextlib.closing(arriving):
            for got in arriving:
                if _is_wheel(got.pinned):
                    stored = self._kept_safe(unpacked.pop(got.pinned.name), got.pinned, got.path, _artifact(got))
                    yield Provided(pinned=got.pinned, stored=stored, artifact=got.sha256, fetched=True)
                else:
                    yield self._built(got.pinned, folder, got.path)
        for item in missing:
            if not isinstance(item.source, FileSource):
                yield self._built(item, folder, None)

    def _kept(self, pinned: Pinned, folder: Path) -> Path | None:
        """Return a wheel that was built before, from the cache, under its own name and verified."""
        key = self.keys[pinned.name]
        found = None if key is None or _is_wheel(pinned) else self.provider.cache.find_built(key)
        if found is None:
            return None
        path, sha256, filename = found
        target = folder / "kept" / pinned.name / filename
        target.parent.mkdir(parents=True)
        try:
            shutil.copyfile(path, target)
        except (FileNotFoundError, PermissionError):  # removed meanwhile, or another account's
            return None
        if Artifact.of(target).sha256 == sha256:
            return target
        self.provider.cache.drop(sha256)
        return None

    def _built(self, pinned: Pinned, folder: Path, archive: Path | None) -> Provided:
        self.provider.notice(f"building {pinned.name}{f' {pinned.version}' if pinned.version else ''}")
        target = folder / "built" / pinned.name
        target.mkdir(parents=True)
        wheel = self.provider.builder.build(pinned, target, relative_to=folder, archive=archive)
        artifact, key = Artifact.of(wheel), self.keys[pinned.name]
        stored = self._added(pinned, wheel, artifact)
        if key is not None and not isinstance(pinned.source, DirectorySource):  # folders change with every keystroke
            self.provider.cache.keep_built(key, wheel, artifact.sha256)
        return Provided(pinned=pinned, stored=stored, artifact=None, fetched=archive is not None, built=True)

    def _added(self, pinned: Pinned, wheel: Path, artifact: Artifact) -> StoredDistribution:
        return self._kept_safe(self._put(pinned, wheel, artifact), pinned, wheel, artifact)

    def _put(
        self, pinned: Pinned, wheel: Path, artifact: Artifact, proceed: Callable[[], None] = lambda: None
    ) -> StoredDistribution:
        _check_name(pinned, wheel)
        return self.provider.store.add_wheel(
            wheel,
            artifact=artifact,
            source_key=self.keys[pinned.name],
            replace=pinned.name in self.damaged,
            proceed=proceed,
        )

    def _kept_safe(
        self, stored: StoredDistribution, pinned: Pinned, wheel: Path, artifact: Artifact
    ) -> StoredDistribution:
        """Pin what *wheel* was unpacked to."""
        self.provider.pin(stored)
        # It could be collected between being published and being pinned; then it is published again, and pinned now.
        stored = self.provider.store.add_wheel(wheel, artifact=artifact, source_key=self.keys[pinned.name])
        _check(pinned, stored)
        return stored


def _artifact(got: Got) -> Artifact:
    source = got.pinned.source
    url = source.url if isinstance(source, FileSource) else None
    urls = (strip_credentials(url),) if url else ()
    return Artifact(sha256=got.sha256, size=got.size, filename=got.path.name, urls=urls)


def _was_removed(folder: Path, error: BaseException | None) -> bool:
    """Tell whether somebody deleted *folder*, or something in there that was needed."""
    while error is not None:
        if isinstance(error, FileNotFoundError) and str(error.filename).startswith(str(folder)):
            return True
        error = error.__cause__
    return not folder.exists()


def _grounded(pinned: Pinned, base: Path) -> Pinned:
    """Return *pinned* with a whole path in the place of one relative to *base*, which may not be there yet.

    That is so where the lockfile belongs into an environment that is only made once everything else has succeeded.
    """
    source = pinned.source
    if source.path is None:
        return pinned
    return replace(pinned, source=replace(source, path=os.path.realpath(base / source.path)))


def _is_wheel(pinned: Pinned) -> bool:
    source = pinned.source
    return isinstance(source, (WheelSource, ArchiveSource)) and source.filename.endswith(".whl")


def _wheel_hash(pinned: Pinned) -> str | None:
    """Return the SHA-256 of the wheel that is pinned, None where it is something else or has another hash."""
    source = pinned.source
    return source.hashes.get("sha256") if _is_wheel(pinned) and isinstance(source, FileSource) else None


def _check_name(pinned: Pinned, wheel: Path) -> None:
    """Refuse a wheel that by its file name is another distribution, before the store has it. Raises InvalidWheel."""
    try:
        name, version, _, _ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        return  # opening it will say so
    _demand(pinned, name, str(version))


def _check(pinned: Pinned, stored: StoredDistribution) -> None:
    """Refuse what is not the distribution that it is pinned as. Raises InvalidWheel."""
    _demand(pinned, stored.id.name, stored.id.version)


def _demand(pinned: Pinned, name: str, version: str) -> None:
    same_version = pinned.version is None or Version(pinned.version) == Version(version)
    if name != pinned.name or not same_version:
        wanted = f"{pinned.name} {pinned.version}" if pinned.version else pinned.name
        label = pinned.source.filename if isinstance(pinned.source, FileSource) else pinned.name
        raise InvalidWheel(label, [f"it is {name} {version}, and {wanted} is locked"])


def _digest(inputs: Mapping[str, object]) -> str:
    document = {"format": _KEY_FORMAT, **inputs}
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

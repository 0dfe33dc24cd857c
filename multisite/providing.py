"""What a lockfile pins, brought into the store: found there, fetched and unpacked, or built."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from multisite.entry import Artifact
from multisite.lockfile import ArchiveSource, FileSource, WheelSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from multisite.entry import StoredDistribution
    from multisite.lockfile import Pinned
    from multisite.names import BuildId
    from multisite.store import Store

__all__ = ["Builds", "Fetches", "Provided", "Provider"]


class Fetches(Protocol):
    """What brings the files of pinned distributions, each checked; ``multisite.fetching.Fetcher`` is one."""

    def fetch(self, wanted: Iterable[Pinned], folder: Path, *, relative_to: Path) -> Iterator[Got]:
        """Yield each file as soon as it is there."""


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
    folder that relative paths in the lockfile start from.
    """

    store: Store
    fetcher: Fetches
    builder: Builds
    base: Path
    pin: Callable[[BuildId], None]

    def provide(self, pinned: Sequence[Pinned], *, anew: Collection[BuildId] = ()) -> tuple[Provided, ...]:
        """Return the entries for *pinned*, sorted by name.

        Builds in *anew* are made again from their artifacts although the store has them: theirs are damaged. Raises
        DownloadFailed, ArtifactMismatch, InvalidWheel, BuildFailed.
        """
        found = {item.name: self._found(item, anew) for item in pinned}
        missing = [item for item in pinned if found[item.name] is None]
        done = [provided for provided in found.values() if provided is not None]
        if missing:
            with tempfile.TemporaryDirectory(prefix="multisite-") as folder:
                done.extend(self._made(missing, Path(folder), anew))
        return tuple(sorted(done, key=lambda provided: provided.pinned.name))

    def _found(self, pinned: Pinned, anew: Collection[BuildId]) -> Provided | None:
        sha256 = _wheel_hash(pinned)
        key = None if sha256 else self.builder.source_key(pinned)
        stored = self.store.find_artifact(sha256) if sha256 else self.store.find_source(key) if key else None
        if stored is None or stored.id in anew:
            return None
        self.pin(stored.id)
        # Between looking and pinning somebody may have collected it.
        stored = self.store.find_artifact(sha256) if sha256 else self.store.find_source(key) if key else None
        return None if stored is None else Provided(pinned=pinned, stored=stored, artifact=sha256)

    def _made(self, missing: Sequence[Pinned], folder: Path, anew: Collection[BuildId]) -> Iterator[Provided]:
        files = [item for item in missing if isinstance(item.source, FileSource)]
        for got in self.fetcher.fetch(files, folder, relative_to=self.base):
            if got.path.suffix == ".whl":
                yield self._unpacked(got, anew)
            else:
                yield self._built(got.pinned, folder, got.path, anew)
        for item in missing:
            if not isinstance(item.source, FileSource):
                yield self._built(item, folder, None, anew)

    def _unpacked(self, got: Got, anew: Collection[BuildId]) -> Provided:
        source = got.pinned.source
        url = source.url if isinstance(source, FileSource) else None
        artifact = Artifact(sha256=got.sha256, size=got.size, filename=got.path.name, urls=(url,) if url else ())
        stored = self._added(got.path, artifact, None, anew)
        return Provided(pinned=got.pinned, stored=stored, artifact=got.sha256, fetched=True)

    def _built(self, pinned: Pinned, folder: Path, archive: Path | None, anew: Collection[BuildId]) -> Provided:
        target = folder / "built" / pinned.name
        target.mkdir(parents=True)
        wheel = self.builder.build(pinned, target, relative_to=self.base, archive=archive)
        stored = self._added(wheel, Artifact.of(wheel), self.builder.source_key(pinned), anew)
        return Provided(pinned=pinned, stored=stored, artifact=None, fetched=archive is not None, built=True)

    def _added(
        self, wheel: Path, artifact: Artifact, source_key: str | None, anew: Collection[BuildId]
    ) -> StoredDistribution:
        stored = self.store.add_wheel(wheel, artifact=artifact, source_key=source_key, replace=bool(anew))
        self.pin(stored.id)
        return stored


def _wheel_hash(pinned: Pinned) -> str | None:
    """Return the SHA-256 of the wheel that is pinned, None where it is something else or has another hash."""
    source = pinned.source
    is_wheel = isinstance(source, (WheelSource, ArchiveSource)) and source.filename.endswith(".whl")
    return source.hashes.get("sha256") if is_wheel and isinstance(source, FileSource) else None

"""Damage of a store, mended under running programs: file by file, each in one step.

An entry's files come again from the artifact that it was made of, found by its hash: where ``artifacts.json`` says, in
the cache, or where the lockfiles of environments that use the entry say. What is derived is derived again, or removed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.bookkeeping import Alias, aliases, read_alias
from multisite.damage import KINDS, Remedy
from multisite.entry import ENTRIES, Artifact, Origins, StoredDistribution, describe, indexed
from multisite.environment import Environment
from multisite.errors import InvalidDocument, InvalidWheel, MultisiteError, UnsupportedFormat, told
from multisite.files import PUBLISHED, make_folders, write_atomic
from multisite.flushing import flush_tree
from multisite.index import NAME as INDEX
from multisite.lockfile import Lock, Pinned, WheelSource
from multisite.manifest import closures
from multisite.names import BuildId
from multisite.pins import Pin
from multisite.recall import recall
from multisite.registry import registrations
from multisite.restoring import discard, renew, renew_shared, tidy
from multisite.scratch import incoming
from multisite.sharing import read_shared, shared_digest
from multisite.unpacking import unpack
from multisite.verifying import programs_of, read_manifest
from multisite.wheel import WheelFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from multisite.auditing import Audit
    from multisite.cache import Cache
    from multisite.damage import Damage
    from multisite.providing import Fetches
    from multisite.registry import Registration
    from multisite.store import Store
    from multisite.verifying import Verified

__all__ = ["Mender"]

_SHARED = "shared/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mender:
    """Mend what an audit of the *store* found. *notice* is told what is done, *cache* gives room for it."""

    store: Store
    cache: Cache
    fetcher: Fetches
    notice: Callable[[str], None]

    def mend(self, audit: Audit) -> dict[str, str]:
        """Mend what can be mended; return why the rest could not be, by subject. Another audit tells what is left."""
        self.store.demand_writable()
        failures: dict[str, str] = {}
        # Shared folders last: their files are those of entries.
        for result in sorted(audit.results, key=lambda result: result.subject.startswith(_SHARED)):
            if result.faults:
                try:
                    self._mended(result)
                except (MultisiteError, OSError) as error:
                    failures[result.subject] = told(error)
        return failures

    def _mended(self, result: Verified) -> None:
        with Pin(self.store.root, ours=self.store.is_ours_to_write, notice=self.notice) as pin:
            if result.subject.startswith(_SHARED):
                pin.add_shared(result.subject.removeprefix(_SHARED))
                with incoming(self.store.root / "shared") as aside:
                    self._shared(result, aside)
            elif result.subject:
                pin.add(BuildId.parse(result.subject))
                with incoming(self.store.root / ENTRIES) as aside:
                    self._entry(result, aside)
            else:
                with incoming(self.store.root / ENTRIES) as aside:
                    self._documents(result, aside)

    def _entry(self, result: Verified, aside: Path) -> None:
        build = BuildId.parse(result.subject)
        tidy(result, aside, programs_of(result.manifest), self.notice)
        if any(KINDS[one.kind].remedy == Remedy.FETCH for one in result.faults):
            self._restored(build, result, aside)
        kinds = {one.kind for one in result.faults}
        folder = result.folder
        if "manifest" in kinds or result.manifest is None:
            write_atomic(folder / "manifest.json", describe(folder).to_document(), mode=PUBLISHED, sync=True)
        if "index" in kinds:
            write_atomic(folder / INDEX, indexed(folder), mode=PUBLISHED, sync=True)
        if "origins" in kinds:
            known = tuple(artifact for artifact, _ in self._locked(build) if artifact.size)
            if not known:
                raise MultisiteError(f"no lockfile of an environment that uses {build} says what it was made from")
            origins = Origins(sources=self._sources(build))
            for artifact in known:
                origins = origins.with_artifact(artifact)
            write_atomic(folder / "artifacts.json", origins.to_document(), mode=PUBLISHED, sync=True)

    def _restored(self, build: BuildId, result: Verified, aside: Path) -> None:
        reasons = []
        for number, (artifact, source) in enumerate(self._candidates(build, result)):
            try:
                made = self._made(build, source, aside / f"made-{number}-{artifact.sha256[:16]}")
            except (MultisiteError, OSError) as error:
                reasons.append(told(error))
                continue
            for path in renew(made, result.folder, aside, store_root=self.store.root, build=build):
                self.notice(f"replaced {build}: {path}")
            return
        why = "; ".join(reasons) or "nobody knows where its artifact is"
        raise MultisiteError(f"the artifact of {build} could not be had: {why}")

    def _made(self, build: BuildId, source: WheelSource, folder: Path) -> Path:
        """Fetch a wheel and unpack it; it must be what the entry was made from."""
        pinned = Pinned(name=build.name, version=build.version, source=source, index=None)
        with self.cache.workplace() as work:
            (got,) = self.fetcher.fetch([pinned], work, relative_to=work)
            folder.mkdir(0o755)
            with WheelFile.open(got.path) as wheel:
                unpacked = unpack(wheel, folder)
        found = describe(folder, unpacked=unpacked)
        if found.build_id != build:
            raise InvalidWheel(source.filename, [f"it is {found.build_id}, not {build}"])
        flush_tree(folder)
        owner = self.store.root.stat().st_uid
        if os.name != "nt" and os.geteuid() != owner:
            for path in folder.rglob("*"):
                os.chown(path, owner, -1)
        return folder

    def _candidates(self, build: BuildId, result: Verified) -> Iterator[tuple[Artifact, WheelSource]]:
        """Yield where the artifact may be: in the cache, where it was got from, where a lockfile says."""
        for artifact in _artifacts(result.folder):
            cached = self.cache.find(artifact.sha256)
            places = [*([(None, str(cached))] if cached else []), *((url, None) for url in artifact.urls)]
            for url, path in places:
                yield artifact, _source(artifact, url, path)
        yield from self._locked(build)

    def _locked(self, build: BuildId) -> Iterator[tuple[Artifact, WheelSource]]:
        """Yield what lockfiles of environments that use the entry pin it to."""
        known = {path.stem for path in aliases(self.store.root) if _leads_to(path, build)}
        for registration in self._users(build):
            for base, wheel in _pinned_wheels(registration, build):
                sha256 = wheel.hashes.get("sha256", "")
                if sha256 in known:
                    path = None if wheel.path is None else os.path.realpath(base / wheel.path)
                    urls = (wheel.url,) if wheel.url else ()
                    artifact = Artifact(sha256=sha256, size=wheel.size or 0, filename=wheel.filename, urls=urls)
                    if artifact.size == 0 and path is not None and Path(path).is_file():
                        artifact = Artifact.of(Path(path), urls=urls)
                    yield artifact, _source(artifact, wheel.url, path)

    def _users(self, build: BuildId) -> list[Registration]:
        return [one for one in registrations(self.store.root) if build in one.builds]

    def _sources(self, build: BuildId) -> tuple[str, ...]:
        return tuple(
            path.stem for path in aliases(self.store.root) if path.parent.name == "sources" and _leads_to(path, build)
        )

    def _shared(self, result: Verified, aside: Path) -> None:
        digest = result.subject.removeprefix(_SHARED)
        members = self._members(digest)
        for done in renew_shared(result, members, aside):
            self.notice(done)

    def _members(self, digest: str) -> list[StoredDistribution]:
        """Return the members of a shared folder; where it does not say, those of an environment that uses it."""
        try:
            named = tuple(map(BuildId.parse, read_shared(self.store.root, digest).members))
        except (ValueError, OSError):  # InvalidDocument and UnsupportedFormat are of the first kind
            named = ()
        groups = [named] if named else self._closures(digest)
        for builds in groups:
            found = [self._stored(build) for build in builds]
            members = [member for member in found if member is not None]
            if len(members) == len(found) and shared_digest(members) == digest:
                return members
        raise MultisiteError(f"shared/{digest}: its members are not known, or not in the store")

    def _closures(self, digest: str) -> Iterator[tuple[BuildId, ...]]:
        for registration in registrations(self.store.root):
            if digest in registration.shared:
                found = [self._stored(build) for build in registration.builds]
                manifests = [member.manifest for member in found if member is not None]
                for closure in closures(manifests):
                    yield tuple(manifest.build_id for manifest in closure)

    def _stored(self, build: BuildId) -> StoredDistribution | None:
        manifest = read_manifest(self.store.root, build)
        return None if manifest is None else StoredDistribution(store_root=self.store.root, id=build, manifest=manifest)

    def _documents(self, result: Verified, aside: Path) -> None:
        for one in result.faults:
            if one.kind in {"alias", "table", "runtime"}:
                discard(result.folder, one.path, aside)
                self.notice(f"removing {one.path}")
        lost = {Path(one.path).stem for one in result.faults if one.kind == "alias"}
        for build in self.store.builds() if lost else ():
            stored = self._stored(build)
            if stored is not None:
                self._led_again(stored, lost, [one for one in result.faults if one.kind == "alias"])

    def _led_again(self, stored: StoredDistribution, lost: set[str], faults: Sequence[Damage]) -> None:
        """Write the aliases again that lead to an entry according to its ``artifacts.json``."""
        try:
            origins = stored.origins()
        except (InvalidDocument, UnsupportedFormat):
            return
        for one in faults:
            path = self.store.root / one.path
            known = origins.sources if path.parent.name == "sources" else [item.sha256 for item in origins.artifacts]
            if path.stem in lost & set(known) and path.suffix == ".json":
                alias = Alias(entry=stored.id, digest=stored.manifest.digest)
                make_folders(path.parent)
                write_atomic(path, alias.to_document(), mode=PUBLISHED, sync=True)


def _source(artifact: Artifact, url: str | None, path: str | None) -> WheelSource:
    hashes = {"sha256": artifact.sha256}
    return WheelSource(filename=artifact.filename, url=url, path=path, size=artifact.size or None, hashes=hashes)


def _artifacts(folder: Path) -> tuple[Artifact, ...]:
    path = folder / "artifacts.json"
    try:
        return Origins.from_document(path.read_bytes(), path).artifacts
    except (InvalidDocument, UnsupportedFormat, OSError):
        return ()


def _leads_to(path: Path, build: BuildId) -> bool:
    try:
        return read_alias(path).entry == build
    except (InvalidDocument, UnsupportedFormat, OSError):
        return False


def _pinned_wheels(registration: Registration, build: BuildId) -> Iterator[tuple[Path, WheelSource]]:
    """Yield the wheels of a distribution that an environment's lockfile names, each with the lockfile's folder."""
    try:
        environment = Environment.remains(registration.path)
        recalled = recall(environment)
        if recalled is None:
            return
        lockfile = environment.lockfile_of(recalled.state)
        lock = Lock.parse(lockfile.read_bytes(), lockfile)
    except (MultisiteError, OSError):
        return  # it is not there, or damaged itself
    base = Path(os.path.realpath(lockfile.parent))
    for package in lock.pylock.packages:
        if package.name == build.name:
            for wheel in package.wheels or ():
                source = WheelSource(
                    filename=wheel.filename, url=wheel.url, path=wheel.path, size=wheel.size, hashes=dict(wheel.hashes)
                )
                yield base, source

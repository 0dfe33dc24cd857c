"""What the store has for an environment, verified: quickly, or with every hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.examination import ExaminedBuild, SharedFiles
from multisite.entry import StoredDistribution
from multisite.errors import InvalidDocument, UnsupportedFormat, told
from multisite.registry import registrations
from multisite.sharing import SharedLayout, find_shared, shared_digest
from multisite.verifying import verify_entry, verify_members

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from multisite.names import BuildId
    from multisite.state import ChosenBuild
    from multisite.store import Store
    from multisite.trust import Trust

__all__ = ["examine_build", "examine_shared"]


def examine_build(chosen: ChosenBuild, store: Store, trust: Trust, *, deep: bool) -> ExaminedBuild:
    """Look at the entry of a chosen build: size and time of each file, with *deep* the hash of each."""
    try:
        found = verify_entry(store.root, chosen.build, trust=trust.with_owner(store.root), whole=deep)
    except OSError as error:
        return ExaminedBuild(chosen=chosen, problem=told(error), is_forbidden=isinstance(error, PermissionError))
    if found is None:
        return ExaminedBuild(chosen=chosen, is_missing=True)
    faults, extra = found.faults, tuple(one.path for one in found.damage if one.kind == "data")
    forbidden = any(one.kind == "unreadable" for one in faults)
    reaches = _users(store.root, chosen.build) if faults else ()
    messages = tuple(one.message for one in faults)
    if found.manifest is None:
        problem = messages[0] if messages else "its metadata cannot be read"
        return ExaminedBuild(chosen=chosen, problem=problem, is_forbidden=forbidden, reaches=reaches)
    stored = StoredDistribution(store_root=store.root, id=chosen.build, manifest=found.manifest)
    return ExaminedBuild(
        chosen=chosen, stored=stored, damage=messages, is_forbidden=forbidden, extra=extra, reaches=reaches
    )


def examine_shared(store_root: Path, members: Sequence[StoredDistribution], trust: Trust, *, deep: bool) -> SharedFiles:
    """Look at the folder that *members* share."""
    builds = tuple(member.id for member in members)
    shared = find_shared(store_root, members)
    if shared is None:
        return SharedFiles(members=builds, problem="it is missing or cannot be read")
    folder, digest = store_root / "shared" / shared.digest, shared_digest(members)
    found = verify_members(folder, digest, members, trust=trust.with_owner(store_root), whole=deep)
    contested = {path: tuple(member.id for member in of) for path, of in SharedLayout.of(members).contested.items()}
    return SharedFiles(members=builds, contested=contested, damage=tuple(one.message for one in found.faults))


def _users(store_root: Path, build: BuildId) -> tuple[str, ...]:
    """Return the environments that use an entry, as far as the store can tell."""
    try:
        return tuple(sorted(str(one.path) for one in registrations(store_root) if build in one.builds))
    except (InvalidDocument, UnsupportedFormat, OSError):
        return ()  # a check of its own says so

"""Checks of the store's entries that an environment uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.check import Fault
from multisite.doctor.examination import listed
from multisite.scripts import declared_scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from multisite.doctor.examination import Examination, ExaminedBuild

__all__ = ["damaged", "extra", "missing", "same_file", "shared_damaged"]


def missing(examination: Examination) -> Iterator[Fault]:
    """Find chosen builds that the store does not have."""
    for build in examination.builds.values():
        if build.is_missing:
            message = f"{build.label} is locked, but not in the store {_store(examination, build)}"
            yield Fault(subject=str(build.chosen.build), message=message, fix=examination.sync)


def _store(examination: Examination, build: ExaminedBuild) -> str:
    stores = examination.stores
    return stores[build.chosen.store] if build.chosen.store < len(stores) else f"number {build.chosen.store}"


def damaged(examination: Examination) -> Iterator[Fault]:
    """Find entries with files that are not what RECORD says."""
    for build in examination.builds.values():
        problem = build.problem or listed(build.damage)
        if problem:
            fault = "may not be read by this account" if build.is_forbidden else "is damaged in the store"
            reached = f"; it is in {listed(build.reaches)}" if build.reaches else ""
            yield Fault(
                subject=str(build.chosen.build),
                message=f"{build.label} {fault}: {problem}{reached}",
                fix=None if build.is_forbidden else examination.repair(build.chosen),
            )


def shared_damaged(examination: Examination) -> Iterator[Fault]:
    """Find shared folders that are not what their members hold. Damage of a member counts as the member's."""
    for shared in examination.shared.values():
        problem = shared.problem or listed(shared.damage)
        if problem and not any(examination.builds[member.name].damage for member in shared.members):
            members = listed([f"{member.name} {member.version}" for member in shared.members])
            first = examination.builds[shared.members[0].name].chosen
            fix = examination.sync if shared.problem else examination.repair(first)
            for member in shared.members[:1]:
                message = f"the folder that {members} share is damaged: {problem}"
                yield Fault(subject=str(member), message=message, fix=fix)


def extra(examination: Examination) -> Iterator[Fault]:
    """Find files that something wrote into entries."""
    for build in examination.builds.values():
        if build.extra:
            message = (
                f"{build.label} has files in the store that its wheel did not bring "
                f"({listed(build.extra)}); every environment with this build sees them"
            )
            yield Fault(subject=str(build.chosen.build), message=message)


def same_file(examination: Examination) -> Iterator[Fault]:
    """Find files of two distributions that would be one file, with different content."""
    found = [
        (path, [build.name for build in builds])
        for shared in examination.shared.values()
        for path, builds in shared.contested.items()
    ]
    programs = sorted(_programs(examination).items())
    found += [(path, sorted(owners)) for path, owners in programs if len(set(owners.values())) > 1]
    for path, names in found:
        message = f"{path} is in {listed(names)}, which differ; as in any environment, only one of them is there"
        yield Fault(subject=path, message=message)


def _programs(examination: Examination) -> dict[str, dict[NormalizedName, str]]:
    """Return what distributions put under the environment's prefix: path -> distribution -> what identifies it."""
    folder = examination.environment.scripts.name
    found: dict[str, dict[NormalizedName, str]] = {}
    for name, build in examination.builds.items():
        if build.stored is not None:
            manifest = build.stored.manifest
            for file in manifest.data:
                if file.scheme != "headers":  # each distribution has a folder of its own for them
                    path = f"{folder}/{file.path}" if file.scheme == "scripts" else file.path
                    found.setdefault(path, {})[name] = file.sha256
            for script in declared_scripts(manifest.entry_points, []):
                found.setdefault(f"{folder}/{script.name}", {})[name] = script.value
    return found

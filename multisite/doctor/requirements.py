"""The check of what distributions require of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from multisite.doctor.check import Fault
from multisite.names import normalize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from packaging.utils import NormalizedName

    from multisite.doctor.examination import Examination

__all__ = ["unsatisfied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Present:
    """A distribution that is there: its requirements, and the lines that are none."""

    version: str
    requirements: tuple[Requirement, ...]
    invalid: tuple[str, ...]


def unsatisfied(examination: Examination) -> Iterator[Fault]:
    """Find requirements that nothing there satisfies, those of wanted extras included."""
    interpreter = examination.interpreter
    if interpreter is None or not examination.builds:
        return
    markers, present = interpreter.marker_environment, _present(examination)
    extras = _extras(examination, present, markers)
    for name, distribution in sorted(present.items()):
        label = f"{name} {distribution.version}"
        for requirement in distribution.requirements:
            found = present.get(normalize(requirement.name))
            if not _applies(requirement, markers, extras[name]) or _satisfies(found, requirement):
                continue
            there = "is not there" if found is None else f"is {found.version}"
            message = f"{label} requires {requirement}, but {requirement.name} {there}"
            yield Fault(subject=name, message=message, fix=examination.lock_again)
        for line in distribution.invalid:
            yield Fault(subject=name, message=f"{label} requires {line!r}, which is no valid requirement")


def _present(examination: Examination) -> dict[NormalizedName, _Present]:
    """Return what the interpreter finds: what is really installed counts, not what is locked of the same name."""
    found = {
        build.chosen.build.name: _parsed(
            build.chosen.build.version, build.stored.manifest.requires_dist if build.stored else ()
        )
        for build in examination.builds.values()
    }
    return found | {real.name: _parsed(real.version, real.requires) for real in examination.real.values()}


def _parsed(version: str, lines: tuple[str, ...]) -> _Present:
    requirements, invalid = [], []
    for line in lines:
        try:
            requirements.append(Requirement(line))
        except InvalidRequirement:
            invalid.append(line)
    return _Present(version=version, requirements=tuple(requirements), invalid=tuple(invalid))


def _satisfies(found: _Present | None, requirement: Requirement) -> bool:
    return found is not None and requirement.specifier.contains(found.version, prereleases=True)


def _applies(requirement: Requirement, markers: Mapping[str, str], extras: Collection[str]) -> bool:
    if requirement.marker is None:
        return True
    try:
        return any(requirement.marker.evaluate({**markers, "extra": extra}) for extra in {"", *extras})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False  # it speaks of something that no interpreter has, so it is for none


def _extras(
    examination: Examination, present: Mapping[NormalizedName, _Present], markers: Mapping[str, str]
) -> dict[NormalizedName, set[str]]:
    """Return the extras of each distribution that somebody wants: the user, or another distribution that is there."""
    extras: dict[NormalizedName, set[str]] = {name: set() for name in present}
    for name, wanted in _asked_for(examination):
        extras.get(name, set()).update(wanted)
    waiting = list(present)
    while waiting:
        name = waiting.pop()
        for requirement in present[name].requirements:
            target, wanted = normalize(requirement.name), set(map(normalize, requirement.extras))
            if target in present and wanted - extras[target] and _applies(requirement, markers, extras[name]):
                extras[target] |= wanted
                waiting.append(target)
    return extras


def _asked_for(examination: Examination) -> Iterator[tuple[NormalizedName, set[str]]]:
    state = examination.state
    if state is None or state.request is None:
        return
    if state.project is not None:
        yield state.project.name, set(map(normalize, state.request.extras))
    for line in state.request.requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue  # a path or an address
        yield normalize(requirement.name), set(map(normalize, requirement.extras))

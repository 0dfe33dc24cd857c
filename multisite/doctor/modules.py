"""Checks of what the environment's interpreter finds: modules, and the metadata of distributions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.doctor.check import Fault
from multisite.doctor.examination import listed
from multisite.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.utils import NormalizedName

    from multisite.doctor.examination import Examination, FoundModule

__all__ = ["metadata_elsewhere", "module_elsewhere", "shadowed_by_real", "shadowed_by_stdlib"]

# So many real distributions were not installed by hand, one after the other.
_ONE_BY_ONE = 5
_STANDARD = frozenset({"built-in", "frozen"})


def module_elsewhere(examination: Examination) -> Iterator[Fault]:
    """Find top-level names of locked distributions that lead to something that no distribution accounts for."""
    for name, owners, found in _strays(examination):
        if _is_standard(examination, found) or _real_owners(examination, name, found):
            continue
        owner = listed(owners)
        where = found.error or (f"it leads to {found.place}" if found.place else "it is not found")
        yield Fault(
            subject=name, message=f"import {name} should find {owner}, but {where}", fix=_fix(examination, found)
        )


def _fix(examination: Examination, found: FoundModule) -> str | None:
    return None if found.place else examination.sync


def shadowed_by_stdlib(examination: Examination) -> Iterator[Fault]:
    """Find names that the standard library has as well: it comes first on every interpreter's path."""
    for name, owners, found in _strays(examination):
        if _is_standard(examination, found):
            message = (
                f"{name} of {listed(owners)} is never imported: the standard library has a module of that name, "
                "which comes first in every environment"
            )
            yield Fault(subject=name, message=message)


def shadowed_by_real(examination: Examination) -> Iterator[Fault]:
    """Find what is really installed in the place of something locked."""
    real = sorted(examination.real.keys() & examination.builds.keys())
    pairs = [
        f"{name} {examination.real[name].version} (locked: {examination.builds[name].chosen.build.version})"
        for name in real
    ]
    if len(real) > _ONE_BY_ONE:
        message = f"{len(real)} distributions are really installed and win over the locked ones: {listed(pairs)}"
        yield Fault(message=message, fix=_uninstall(examination, real))
    else:
        for installed, pair in zip(real, pairs, strict=True):
            message = f"{pair} is really installed in {examination.environment.site_packages} and wins"
            yield Fault(subject=installed, message=message, fix=_uninstall(examination, [installed]))
    for name, owners, found in _strays(examination):
        others = sorted(set(_real_owners(examination, name, found)).difference(real))
        if others:
            message = f"{name} of {listed(owners)} is not imported: {listed(others)}, really installed, has it as well"
            yield Fault(subject=name, message=message, fix=_uninstall(examination, others))


def _uninstall(examination: Examination, names: Sequence[str]) -> str:
    if "pip" in {*examination.builds, *examination.real}.difference(names):
        return f"{examination.python_word} -m pip uninstall -y {' '.join(names)}"
    return f"uv pip uninstall --python {examination.python_word} {' '.join(names)}"


def _strays(examination: Examination) -> Iterator[tuple[str, list[str], FoundModule]]:
    """Yield the locked top-level names that do not lead to the store: name, distributions, what was found."""
    answer, table = examination.answer, examination.table
    if answer is None or table is None or not examination.is_followed:
        return
    rows = examination.rows
    for name, indexes in table.plain["names"].items():
        owners = (indexes,) if isinstance(indexes, int) else indexes
        found = answer.modules.get(name)
        if found is None or not all(_is_sound(examination, at) for at in owners):
            continue
        if found.place is None and not found.error and not found.importable:
            continue  # a module for other interpreters
        if found.place is None and any(map(examination.is_private, owners)):
            continue  # taken out of a private copy
        if not any(_leads_into(found, examination.root(at)) for at in owners):
            yield name, [rows[at][0] for at in owners], found


def _is_sound(examination: Examination, index: int) -> bool:
    """Tell whether nothing is said about this distribution elsewhere that explains whatever is found."""
    row = examination.rows[index]
    build = examination.builds.get(normalize(row[0]))
    if build is None or build.row != row or row[0] in examination.real:
        return False
    return not any(shared.problem for shared in examination.shared.values() if build.chosen.build in shared.members)


def _leads_into(found: FoundModule, root: str) -> bool:
    # A package's own file decides; without one it is a namespace, of which this is a portion.
    places = [found.origin] if found.origin else found.locations
    return any(place.startswith(root + os.sep) for place in places)


def _is_standard(examination: Examination, found: FoundModule) -> bool:
    answer = examination.answer
    if found.origin is None or answer is None:
        return False
    if found.origin in _STANDARD:
        return True
    inside = any(found.origin.startswith(folder + os.sep) for folder in answer.standard)
    return inside and not {"site-packages", "dist-packages"}.intersection(Path(found.origin).parts)


def _real_owners(examination: Examination, name: str, found: FoundModule) -> list[NormalizedName]:
    """Return the really installed distributions that brought what was found."""
    inside = str(examination.environment.site_packages) + os.sep
    if found.place is None or not found.place.startswith(inside):
        return []
    return sorted(real.name for real in examination.real.values() if name in real.top_level)


def metadata_elsewhere(examination: Examination) -> Iterator[Fault]:
    """Find locked distributions whose metadata are another version's or another build's."""
    answer = examination.answer
    if answer is None or not examination.is_followed:
        return
    for index, row in enumerate(examination.rows):
        found = answer.distributions.get(row[0])
        if found is None or not _is_sound(examination, index):
            continue
        version = found.version if examination.is_private(index) else row[1]
        if (found.version, found.folder) != (version, examination.root(index)):
            where = found.error or (f"{found.version} in {found.folder}" if found.folder else "none")
            message = f"the metadata of {row[0]} should be those of {row[1]} in the store, but they are {where}"
            yield Fault(subject=row[0], message=message, fix=None if found.folder else examination.sync)

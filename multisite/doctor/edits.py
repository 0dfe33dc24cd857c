"""Checks of private copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.check import Fault
from multisite.doctor.examination import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multisite.doctor.examination import Examination, ExaminedEdit

__all__ = ["lost", "private", "unused"]


def private(examination: Examination) -> Iterator[Fault]:
    """Find private copies that are in force."""
    for found in examination.edits:
        if found.is_bound and found.is_locked:
            others = list(found.edit.names[1:])
            company = f" (with {listed(others)}, whose files belong into the same folder)" if others else ""
            message = f"{found.edit.label}{company} is this environment's own copy, {found.edit.site_packages}"
            fix = _undo(examination, found)
            yield Fault(subject=found.edit.builds[0].name, message=f"{message}: {_difference(found)}", fix=fix)


def unused(examination: Examination) -> Iterator[Fault]:
    """Find private copies that are not in force: of what is not locked any more, or not in the table yet."""
    for found in examination.edits:
        edit = found.edit
        if not found.is_locked:
            message = f"the private copy of {edit.label} in {edit.folder} is not used, for that build is not locked"
            fix = f"{_undo(examination, found)} --patch {edit.builds[0].name}.patch"
            yield Fault(subject=edit.builds[0].name, message=f"{message}: {_difference(found)}", fix=fix)
        elif not found.is_bound:
            message = f"the private copy of {edit.label} in {edit.folder} is not used yet"
            yield Fault(subject=edit.builds[0].name, message=message, fix=examination.sync)
    for folder in examination.damaged_edits:
        message = f"{folder} does not say what it is a private copy of, and is not used"
        yield Fault(subject=folder.name, message=message)


def lost(examination: Examination) -> Iterator[Fault]:
    """Find private copies that the table leads to and that are gone."""
    for path in examination.binding.get("edits", {}).values():
        folder = examination.environment.path / path
        if not folder.is_dir():
            message = f"the private copy {folder} is gone, and imports lead there"
            yield Fault(subject=path, message=message, fix=examination.sync)


def _undo(examination: Examination, found: ExaminedEdit) -> str:
    build = found.edit.builds[0]
    return f"multisite edit --venv {examination.venv} --undo {build.name}=={build.version}"


def _difference(found: ExaminedEdit) -> str:
    if found.difference is None:
        return "the store has not what it was made from, to compare it with"
    return listed(found.difference.words) if found.difference else "nothing was changed in it"

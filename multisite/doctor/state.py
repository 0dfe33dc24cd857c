"""Checks of what multisite knows of an environment, and of what the store knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.check import Fault
from multisite.layout import MEND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multisite.doctor.examination import Examination

__all__ = [
    "damaged",
    "not_registered",
    "project_missing",
    "store_absent",
    "store_untrusted",
    "store_unusable",
    "unusable",
]


def unusable(examination: Examination) -> Iterator[Fault]:
    """Find a folder that is no environment."""
    problem = examination.unreadable.get("environment")
    if problem is not None:
        yield Fault(
            subject=str(examination.environment.path), message=problem, fix=examination.remedies.get("environment")
        )


def damaged(examination: Examination) -> Iterator[Fault]:
    """Find an environment.json that is missing, damaged or of another format."""
    problem = examination.unreadable.get("state")
    if problem is not None:
        # Without a lockfile there is nothing to write it anew from.
        anew = examination.lock_again if "lockfile" in examination.unreadable else examination.sync
        fix = examination.remedies.get("state") or anew
        yield Fault(message=problem, fix=None if "state" in examination.forbidden else fix)


def store_unusable(examination: Examination) -> Iterator[Fault]:
    """Find a store that is not there or cannot be read."""
    problem = examination.unreadable.get("store")
    if problem is not None:
        remedy = examination.remedies.get("store")
        fix = examination.sync if remedy in {None, MEND} else remedy
        yield Fault(message=problem, fix=None if "store" in examination.forbidden else fix)


def store_absent(examination: Examination) -> Iterator[Fault]:
    """Find a store that is listed and missing, and that nothing is used of."""
    for root in examination.absent:
        message = f"store {root}: it is listed, and there is no store; nothing that is locked is in it"
        fix = f"take it out of MULTISITE_STORE, if it is in there, then: {examination.sync}"
        yield Fault(subject=root, message=message, fix=fix)


def store_untrusted(examination: Examination) -> Iterator[Fault]:
    """Find what others could have changed."""
    for doubt in examination.doubts:
        yield Fault(subject=str(doubt.path), message=str(doubt), fix=doubt.fix)


def project_missing(examination: Examination) -> Iterator[Fault]:
    """Find projects that are imported from folders which are gone, or whose files here are."""
    for project, missing in examination.projects:
        if missing == project.path:
            message = f"{project.name} is imported from {project.path}, and that folder is gone"
            yield Fault(subject=project.name, message=message, fix=examination.lock_again)
        else:
            message = f"{project.name} is installed editable, and {missing} is gone"
            yield Fault(subject=project.name, message=message, fix=examination.sync)


def not_registered(examination: Examination) -> Iterator[Fault]:
    """Find an environment that garbage collection does not know of, or knows elsewhere."""
    if examination.state is None or "store" in examination.unreadable:
        return
    if not examination.can_register:
        return  # garbage collection asks there before it takes anything away
    path, registered = str(examination.environment.path), examination.registered
    if registered != path:
        known = "does not know of this environment" if registered is None else f"knows it as {registered}"
        message = f"the store {known}, so what it uses could be collected as garbage"
        yield Fault(subject=path, message=message, fix=examination.remedies.get("registration") or examination.sync)

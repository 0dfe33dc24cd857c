"""Checks of what tools see that read files and run nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.check import Fault
from multisite.doctor.examination import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multisite.doctor.examination import Examination

__all__ = ["view_damaged", "view_stale"]


def view_stale(examination: Examination) -> Iterator[Fault]:
    """Find a view that does not show what is there."""
    view = examination.view
    if view is not None and (view.is_stale or "view" in examination.unreadable):
        reason = examination.unreadable.get("view", "it was made for something else than what is there now")
        yield Fault(message=f"{view.folder}: {reason}", fix=_again(examination))


def view_damaged(examination: Examination) -> Iterator[Fault]:
    """Find files of a view that are gone or were written to."""
    view = examination.view
    if view is not None and view.damage:
        message = f"{view.folder}: {listed(view.damage)} missing or changed; only tools that read the view see that"
        yield Fault(message=message, fix=_again(examination))


def _again(examination: Examination) -> str:
    return f"multisite view --venv {examination.venv}"

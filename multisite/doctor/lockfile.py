"""Checks of the lockfile, and of what was chosen by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.check import Fault
from multisite.history import restoring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multisite.doctor.examination import Examination

__all__ = ["changed", "invalid", "not_chosen", "unfitting"]


def invalid(examination: Examination) -> Iterator[Fault]:
    """Find a lockfile that is missing or cannot be read. The environment keeps a copy of what it was made from."""
    problem = examination.unreadable.get("lockfile")
    if problem is not None:
        fix = _restore(examination) or examination.lock_again
        yield Fault(message=problem, fix=None if "lockfile" in examination.forbidden else fix)


def _restore(examination: Examination) -> str | None:
    state, environment = examination.state, examination.environment
    if state is None:
        return None
    return restoring(environment.state_folder, state.lock_sha256, environment.lockfile_of(state))


def changed(examination: Examination) -> Iterator[Fault]:
    """Find a lockfile that the environment was not made from."""
    state, lock = examination.state, examination.lock
    if state is None or lock is None or lock.sha256 == state.lock_sha256:
        return
    known = examination.binding.get("known", {})
    if lock.sha256 in known and examination.is_switched:
        message = "it is one from before; imports follow it already, programs and data files do not"
    else:
        message = "it has changed since the environment was made from it; the environment is still the old one"
    yield Fault(subject=state.lockfile, message=f"{state.lockfile}: {message}", fix=examination.sync)


def unfitting(examination: Examination) -> Iterator[Fault]:
    """Find a lockfile that is for another interpreter or platform."""
    problem = examination.unreadable.get("pinned")
    if problem is not None:
        yield Fault(message=problem, fix=examination.lock_again)


def not_chosen(examination: Examination) -> Iterator[Fault]:
    """Find chosen builds that are not what the lockfile wants."""
    state, lock, pinned = examination.state, examination.lock, examination.pinned
    if state is None or lock is None or pinned is None or lock.sha256 != state.lock_sha256:
        return
    editable = {installed.name for installed in state.editables}
    for name in sorted((pinned.keys() | state.builds.keys()) - editable):
        chosen = state.builds.get(name)
        if name not in pinned:
            message = f"{name} is in the environment, and not in the lockfile"
        elif chosen is None:
            message = f"{name} is locked, and not in the environment"
        else:
            version, artifact = pinned[name]
            if version in {None, chosen.build.version} and artifact in {None, chosen.artifact}:
                continue
            wanted = f"{version} is locked" if version != chosen.build.version else "another wheel of it is locked"
            message = f"{name} {chosen.build.version} is in the environment, but {wanted}"
        yield Fault(subject=name, message=message, fix=examination.sync)

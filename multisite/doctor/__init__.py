"""The doctor: whether an environment, its lockfile and its store are what they say of each other.

``looking`` reads everything once, the checks of ``catalogue`` judge it as pure functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from multisite.doctor.catalogue import CHECKS
from multisite.doctor.check import Check
from multisite.doctor.examination import Examination
from multisite.doctor.looking import look
from multisite.environment import Environment
from multisite.names import BuildId
from multisite.report import Severity, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from multisite.errors import NotAnEnvironment
    from multisite.report import Finding

__all__ = ["CHECKS", "Check", "changed_programs", "damaged_builds", "examine", "exit_code", "unopened"]

_DAMAGE = frozenset({"entry-damaged", "shared-damaged"})
_CHANGED = frozenset({"script-changed"})  # what was never ours is not ours to move


def examine(
    environment: Environment, *, environ: Mapping[str, str], stores: Sequence[Path] = (), deep: bool = False
) -> tuple[Finding, ...]:
    """Run every check on *environment*; return what they found, in the order of the table.

    *environ* is what its interpreter is started with, but for variables that change what any interpreter imports.
    *stores*, or else its ``MULTISITE_STORE``, say where the environment's own stores are now. With *deep* the content
    of every file is read. Nothing is changed.
    """
    examination = look(environment, environ=environ, stores=stores, deep=deep)
    return tuple(finding for check in CHECKS for finding in check.findings(examination))


def unopened(path: Path, error: NotAnEnvironment) -> tuple[Finding, ...]:
    """Return what there is to find where *error* says that *path* is no environment."""
    nothing = Environment(path=path, site_packages=path, configuration={})
    seen = Examination(
        environment=nothing, unreadable={"environment": str(error)}, remedies={"environment": error.hint}
    )
    return tuple(finding for check in CHECKS for finding in check.findings(seen))


def exit_code(findings: Iterable[Finding]) -> int:
    """Return what the command exits with: 0 for nothing or notes, 1 for findings, 3 where it could not be checked."""
    found = tuple(findings)
    blind = {check.id for check in CHECKS if check.blinds}
    if any(finding.check in blind for finding in found):
        return 3
    return 0 if worst(found) in {None, Severity.NOTE} else 1


def damaged_builds(findings: Iterable[Finding]) -> frozenset[BuildId]:
    """Return the entries that are to be made again from their artifacts."""
    subjects = (finding.subject for finding in findings if finding.check in _DAMAGE)
    return frozenset(BuildId.parse(subject) for subject in subjects if subject is not None)


def changed_programs(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the programs, by their paths in the environment, that a sync writes again once they are moved away."""
    return tuple(finding.subject for finding in findings if finding.check in _CHANGED and finding.subject is not None)

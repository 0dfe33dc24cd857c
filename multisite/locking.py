"""What was asked for becomes a lockfile: resolved, or the one that is there where that could only give it again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.errors import ResolutionFailed
from multisite.state import RequestRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multisite.interpreter import Interpreter
    from multisite.request import Request
    from multisite.resolving import Resolver, Upgrade
    from multisite.state import EnvironmentState
    from multisite.wanted import Wanted

__all__ = ["Locked", "lock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A lockfile that is to be the environment's. ``resolved`` is False where nothing had changed since the last."""

    wanted: Wanted
    resolved: bool
    warnings: tuple[str, ...] = ()


def lock(
    request: Request,
    before: EnvironmentState | None,
    *,
    target: Path,
    interpreter: Interpreter,
    resolver: Resolver,
    upgrade: Upgrade,
    settings: Sequence[str] = (),
) -> Locked:
    """Resolve *request* for *interpreter*; the lockfile is to stand at *target*. Nothing is written.

    Where *before*, the environment's state, says that the same was asked for and the lockfile is still the one that
    came of it, there is nothing to resolve. *settings* are the resolver's, for that comparison. Raises
    ResolutionFailed, ResolverStopped; the first also where a project is for other versions of Python.
    """
    _check_python(request, interpreter)
    inputs = request.inputs(interpreter.key, settings)
    record = _record(request, inputs)
    anew = upgrade.everything or upgrade.names or not request.is_told
    data = None if anew else _unchanged(before, inputs, target)
    warnings: tuple[str, ...] = ()
    resolved = data is None
    if data is None:
        # What reads lockfiles is imported while the resolver works.
        resolution = resolver.resolve(request, python=interpreter.executable, lockfile=target, upgrade=upgrade)
        data, parsed, warnings = resolution.data, resolution.lock, resolution.warnings
    else:
        from multisite.lockfile import Lock

        parsed = Lock.parse(data, target)
    from multisite.wanted import Wanted

    wanted = Wanted(
        data=data,
        lock=parsed,
        target=target,
        base=Path(os.path.realpath(target.parent)),
        request=record,
        requested=request.requested_names(parsed),
        project=request.project,
        addresses=request.addresses,
    )
    return Locked(wanted=wanted, resolved=resolved, warnings=warnings)


def _check_python(request: Request, interpreter: Interpreter) -> None:
    from packaging.specifiers import SpecifierSet

    version = interpreter.marker_environment["python_full_version"]
    for where, wanted in request.pythons:
        if not SpecifierSet(wanted).contains(version, prereleases=True):
            raise ResolutionFailed(
                f"{where}: project.requires-python is {wanted!r}, and {interpreter.executable} is Python {version}",
                hint="choose another interpreter: --python PYTHON",
            )


def _unchanged(before: EnvironmentState | None, inputs: str, target: Path) -> bytes | None:
    """Return the bytes of the lockfile at *target* if resolving could only give them again."""
    import hashlib

    if before is None or before.request is None or before.request.inputs != inputs:
        return None
    try:
        data = target.read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == before.lock_sha256 else None


def _record(request: Request, inputs: str) -> RequestRecord:
    document = request.to_document()
    return RequestRecord(
        requirements=tuple(document["requirements"]),
        files=tuple(document["files"]),
        project=document["project"],
        extras=request.extras,
        groups=request.groups,
        seed=request.seed,
        inputs=inputs,
    )

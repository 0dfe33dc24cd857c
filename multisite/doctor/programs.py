"""Checks of the files that multisite wrote into an environment: programs, and what else is under its prefix."""

from __future__ import annotations

import re
import shlex
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.content import landing, script_names
from multisite.doctor.check import Fault
from multisite.doctor.examination import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from multisite.doctor.examination import Examination, ExaminedBuild, ExaminedFile
    from multisite.manifest import DataFile

__all__ = [
    "data_changed",
    "data_missing",
    "script_changed",
    "script_interpreter",
    "script_missing",
    "script_not_executable",
    "script_not_ours",
]

# What makes a folder an environment, and how its shells get to it.
_OWN = re.compile(r"(python(\d+(\.\d+t?)?)?|pythonw)(\.exe)?|[Aa]ctivate([._].*)?|deactivate(\..*)?", re.ASCII)


def script_missing(examination: Examination) -> Iterator[Fault]:
    """Find programs that are not there."""
    missing = [(path, file.owned.owner) for path, file in _files(examination, "missing", scripts=True)]
    missing += [item for item in _not_ours(examination) if not _is_taken(examination, item[0])]
    for path, name in missing:
        yield Fault(subject=path, message=f"{path} of {name} is missing", fix=examination.sync)


def script_changed(examination: Examination) -> Iterator[Fault]:
    """Find programs that are not what was written. A sync leaves alone what somebody changed."""
    for path, file in _files(examination, "changed", scripts=True):
        message = f"{path} of {file.owned.owner} was changed since it was written"
        yield Fault(subject=path, message=message, fix=_replace(examination, path))


def script_not_executable(examination: Examination) -> Iterator[Fault]:
    """Find programs that cannot be executed."""
    for path, file in _files(examination, "same", scripts=True):
        if not file.is_executable and _was_executable(examination, path, file):
            message = f"{path} of {file.owned.owner} cannot be executed"
            yield Fault(subject=path, message=message, fix=examination.sync)


def script_not_ours(examination: Examination) -> Iterator[Fault]:
    """Find programs of locked distributions in whose place something else is.

    What the environment itself consists of is never to be moved for one.
    """
    for path, file in sorted(examination.files.items()):
        if file.is_script and file.found not in {"same", "changed", "missing"}:
            message = f"{path} is not the program of {file.owned.owner}: {file.found} is there"
            yield Fault(subject=path, message=message, fix=_replace(examination, path))
    for path, name in _not_ours(examination):
        if _OWN.fullmatch(Path(path).name):
            message = f"{path} is the environment's own: the program of {name} cannot be had under that name"
            yield Fault(subject=path, message=message)
        elif _is_taken(examination, path):
            message = f"{path} is not the program of {name}: something else was there, and was left alone"
            yield Fault(subject=path, message=message, fix=_replace(examination, path))


def _not_ours(examination: Examination) -> Iterator[tuple[str, NormalizedName]]:
    """Yield the programs, each with its distribution, that were not written."""
    state, folder = examination.state, examination.environment.scripts.name
    for name, build in examination.builds.items() if state is not None else ():
        if name in examination.real:
            continue  # its programs are those that were really installed
        for script in sorted(_programs(build)):
            path = f"{folder}/{script}"
            if state is not None and state.files.keys().isdisjoint({path, f"{path}.exe"}):
                yield path, name


def _programs(build: ExaminedBuild) -> set[str]:
    """Return the names of a distribution's programs: those of entry points, and those that it brings."""
    if build.stored is None:
        return set()
    manifest = build.stored.manifest
    landed = (landing(item.scheme, item.path) for item in manifest.data)
    return {
        *script_names(manifest.entry_points),
        *(path for scheme, path in landed if scheme == "scripts" and "/" not in path),
    }


def _is_taken(examination: Examination, path: str) -> bool:
    name = Path(path).name
    return name in examination.programs or f"{name}.exe" in examination.programs


def _replace(examination: Examination, path: str) -> str:
    """Return the command that has a program written: what is in its place may be somebody's work, and is kept."""
    place = examination.environment.path / path
    number = next(number for number in count(1) if _old(place.name, number) not in examination.programs)
    kept = place.with_name(_old(place.name, number))
    return f"mv {shlex.quote(str(place))} {shlex.quote(str(kept))} && {examination.sync}"


def _old(name: str, number: int) -> str:
    return f"{name}.old{number if number > 1 else ''}"


def script_interpreter(examination: Examination) -> Iterator[Fault]:
    """Find programs whose first line names an interpreter elsewhere: the environment was moved or copied."""
    here = examination.environment.scripts
    strays = {
        path: file.interpreter
        for path, file in examination.files.items()
        if file.interpreter and file.found != "changed" and _is_rewritten(examination, path, file)
        # uv's relocatable scripts name it relative to themselves.
        if not file.interpreter.startswith("./") and Path(file.interpreter).parent != here
    }
    if strays:
        places = sorted(set(strays.values()))
        message = f"{listed(sorted(strays))} run {listed(places)}, not this environment's interpreter"
        subject = next(iter(strays)) if len(strays) == 1 else None
        yield Fault(subject=subject, message=message, fix=examination.sync)


def _is_rewritten(examination: Examination, path: str, file: ExaminedFile) -> bool:
    """Tell whether installing wrote the first line: else it is the wheel's business what it names."""
    shipped = _shipped(examination, path, file)
    return shipped is not None and file.owned.sha256 not in {item.sha256 for item in shipped}


def _was_executable(examination: Examination, path: str, file: ExaminedFile) -> bool:
    shipped = _shipped(examination, path, file)
    return _is_rewritten(examination, path, file) or any(item.executable for item in shipped or ())


def _shipped(examination: Examination, path: str, file: ExaminedFile) -> list[DataFile] | None:
    """Return what the wheel has for a program, nothing for that of an entry point; None where it cannot be told."""
    build = examination.builds.get(file.owned.owner)
    if build is None or build.stored is None:
        return None
    name = path.partition("/")[2]
    return [item for item in build.stored.manifest.data if landing(item.scheme, item.path) == ("scripts", name)]


def data_missing(examination: Examination) -> Iterator[Fault]:
    """Find data files that are not there."""
    for owner, paths in _by_owner(examination, "missing").items():
        yield Fault(subject=owner, message=f"{owner}: {listed(paths)} missing", fix=examination.sync)
    state = examination.state
    for name, build in examination.builds.items() if state is not None else ():
        is_due = build.stored is not None and build.stored.manifest.data and name not in examination.real
        if is_due and state is not None and name not in state.installs:
            yield Fault(subject=name, message=f"{name}: its files outside site-packages missing", fix=examination.sync)


def data_changed(examination: Examination) -> Iterator[Fault]:
    """Find data files that programs or people changed, as they may."""
    for owner, paths in _by_owner(examination, "changed", "a folder", "a link", "no file").items():
        yield Fault(subject=owner, message=f"{owner}: {listed(paths)} changed here; a sync leaves that alone")


def _by_owner(examination: Examination, *found: str) -> dict[str, list[str]]:
    owners: dict[str, list[str]] = {}
    for path, file in (item for kind in found for item in _files(examination, kind, scripts=False)):
        owners.setdefault(file.owned.owner, []).append(path)
    return owners


def _files(examination: Examination, found: str, *, scripts: bool) -> Iterator[tuple[str, ExaminedFile]]:
    for path, file in sorted(examination.files.items()):
        if file.found == found and file.is_script is scripts and file.owned.owner not in examination.real:
            yield path, file

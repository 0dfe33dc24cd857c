"""The commands: each reads like a recipe, and returns its exit code."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from multisite.errors import (
    EntryMissing,
    InvalidDocument,
    InvalidLockfile,
    InvalidRequest,
    MultisiteError,
    NotAnEnvironment,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from multisite.entry import StoredDistribution
    from multisite.layers import Layers
    from multisite.output import Output
    from multisite.place import Place
    from multisite.report import Finding
    from multisite.request import Request
    from multisite.state import ChosenBuild
    from multisite.wanted import Wanted
    from multisite.workshop import Workshop

__all__ = ["COMMANDS"]


def _lock(options: argparse.Namespace, output: Output) -> int:
    from multisite.locking import lock
    from multisite.resolving import Upgrade

    request = _request(options)
    if request.lockfile is not None:
        return _sync_instead(options, output, request.lockfile)
    workshop = _workshop(options, output)
    with _place(options, workshop) as place:
        with output.working(f"locking {request.origin}"):
            locked = lock(
                request,
                place.before,
                target=_target(options.output, place),
                interpreter=place.interpreter,
                resolver=workshop.resolver(meanwhile=_load_the_rest),
                upgrade=Upgrade(everything=options.upgrade, names=tuple(options.upgrade_packages)),
                settings=workshop.settings(),
            )
        for warning in locked.warnings:
            output.warn(warning)
        from multisite.outcome import carry_out, inputs_of

        inputs = inputs_of(request, workshop) if request.is_told else None
        said = (f"locking {request.origin}",)
        code = carry_out(options, workshop, place, locked.wanted, output, inputs=inputs, said=said)
        from multisite.showing import offer

        for line in offer(place):
            output.say(line)
        return code


def _load_the_rest() -> None:
    """Import what comes after resolving while uv resolves, which takes about as long."""
    from contextlib import suppress
    from importlib import import_module
    from threading import Thread

    with suppress(RuntimeError):  # no more threads are allowed: it is imported when it is needed
        Thread(target=lambda: import_module("multisite.outcome")).start()


def _request(options: argparse.Namespace) -> Request:
    from multisite.request import Request

    return Request.read(
        [*options.requirements, *(f"-e {folder}" for folder in options.editables)],
        folder=Path.cwd(),
        files=options.files,
        constraints=options.constraints,
        groups=options.groups,
        extras=options.extras,
        project=not options.no_project,
        seed=options.seed,
    )


def _sync_instead(options: argparse.Namespace, output: Output, lockfile: Path) -> int:
    """Follow a lockfile that stands where requirements are looked for: there is nothing to resolve."""
    given = {"--upgrade": options.upgrade or options.upgrade_packages, "-o": options.output, "--seed": options.seed}
    if unusable := [option for option, value in given.items() if value]:
        reason = f"{', '.join(unusable)} means nothing for a lockfile, and {lockfile.name} is all that is here"
        raise InvalidRequest(reason, hint="name what you need: multisite lock REQUIREMENT")
    options.lockfile = lockfile
    try:
        return _sync(options, output)
    except InvalidLockfile as error:
        error.hint = "put it right or remove it, or name what you need: multisite lock REQUIREMENT"
        raise


def _sync(options: argparse.Namespace, output: Output) -> int:
    from multisite.environment import is_ours
    from multisite.outcome import carry_out

    workshop = _workshop(options, output)
    path = _venv(options)
    named = None if options.lockfile is None else _absolute(options.lockfile)
    is_there = (path / "pyvenv.cfg").exists() or is_ours(path)
    if named is None and not is_there and not Path("pylock.toml").exists():
        raise NotAnEnvironment(
            path,
            "there is no environment, and no lockfile to make one from: ./pylock.toml",
            hint="name what you need: multisite lock REQUIREMENT",
        )
    with _place(options, workshop) as place:
        wanted = _named(options, place, named) if named else _own(options, place, output)
        _warn_of_credentials(wanted, named or wanted.target, output)
        said = (f"syncing {wanted.lock.where}",)
        output.say(*said)
        # Where a lockfile was found instead of requirements, more was looked for than it.
        inputs = {named or wanted.target: wanted.lock.sha256} if options.command == "sync" else None
        return carry_out(options, workshop, place, wanted, output, inputs=inputs, said=said)


def _named(options: argparse.Namespace, place: Place, lockfile: Path) -> Wanted:
    from multisite.wanted import Wanted

    return Wanted.from_lockfile(lockfile, place, place.before, extras=options.extras, groups=options.groups, named=True)


def _warn_of_credentials(wanted: Wanted, lockfile: Path, output: Output) -> None:
    """Say that a lockfile tells whoever reads it a user or a password."""
    if wanted.addresses:
        copied = "" if wanted.target == lockfile else f", and left out of {wanted.target}"
        output.warn(f"{lockfile}: addresses in it name users or passwords, which should be in ~/.netrc{copied}")


def _own(options: argparse.Namespace, place: Place, output: Output, *, mends: bool = False) -> Wanted:
    """Return what the environment's own lockfile wants, or the current folder's where it has none yet.

    One in the environment that is gone is written again from the copy there; one elsewhere only where the command
    *mends*, for it is somebody's file, and may be gone for a reason.
    """
    from multisite.wanted import Wanted

    before = place.before
    here = _absolute(Path("pylock.toml"))
    lockfile = place.lockfile if before is None else place.lockfile_of(before)
    if before is None and here.exists() and not lockfile.exists():
        lockfile = here
    is_ours = mends or lockfile.is_relative_to(place.path)
    if before is not None and is_ours and not lockfile.exists() and (kept := Wanted.from_history(place, before)):
        output.warn(f"{lockfile} is gone; {kept.target} is written from the copy that the environment keeps")
        return kept
    extras, groups = getattr(options, "extras", ()), getattr(options, "groups", ())
    return Wanted.from_lockfile(lockfile, place, before, extras=extras, groups=groups)


def _view(options: argparse.Namespace, output: Output) -> int:
    from multisite.showing import show

    return show(options, output, _workshop(options, output), _venv(options))


def _edit(options: argparse.Namespace, output: Output) -> int:
    from multisite.copies import edit

    return edit(options, output, _workshop(options, output), _venv(options))


def _doctor(options: argparse.Namespace, output: Output) -> int:
    from multisite.doctor import exit_code, unopened
    from multisite.showing import unseen

    path = _venv(options)
    try:
        findings = _examined(options, path)
    except NotAnEnvironment as error:
        if not output.as_json:
            raise
        output.document({"environment": str(path), "findings": [item.to_json() for item in unopened(path, error)]})
        return error.exit_code
    if options.fix and exit_code(findings):
        try:
            _mend(options, output, findings)
        except MultisiteError as error:  # the findings that it leaves are still to be told
            output.error(error)
        findings = _examined(options, path)
    blind = unseen(path)
    if output.as_json:
        plain = [finding.to_json() for finding in findings]
        output.document({"environment": str(path), "findings": plain, "seen_from_outside": blind is None})
    else:
        output.findings(findings)
        if not exit_code(findings):
            output.say(f"{path}: nothing is wrong")
        if blind:
            output.say(blind)
    return exit_code(findings)


def _examined(options: argparse.Namespace, path: Path) -> tuple[Finding, ...]:
    from multisite.doctor import examine
    from multisite.environment import Environment

    stores = tuple(_absolute(store) for store in options.stores)
    environment = Environment.remains(path)
    return examine(environment, environ=os.environ, stores=stores, deep=options.deep)


def _mend(options: argparse.Namespace, output: Output, findings: tuple[Any, ...]) -> None:
    """Do what a sync can: entries of the store and programs that are damaged are made again."""
    from multisite.doctor import changed_programs, damaged_builds
    from multisite.files import free_path
    from multisite.showing import follow

    workshop = _workshop(options, output)
    with workshop.place(_venv(options)) as place:
        wanted = _own(options, place, output, mends=True)
        for path in changed_programs(findings):
            program = place.path / path
            output.warn(f"{program} is kept as {program.replace(free_path(program.parent, f'{program.name}.old'))}")
        with output.downloading() as progress:
            workshop.sync(place.make(), wanted, progress=progress, anew=damaged_builds(findings))
        follow(workshop, place, output, mend=True)


def _list(options: argparse.Namespace, output: Output) -> int:
    from multisite.editables import editable_version
    from multisite.environment import Environment

    workshop = _workshop(options, output)
    environment = Environment.remains(_venv(options))  # nothing of it is run
    state = workshop.known_state(environment)
    builds = {} if state is None else dict(sorted(state.builds.items()))
    layers = workshop.known_layers(state) if state is not None and builds else None
    projects = [] if state is None else [*([state.project] if state.project else []), *state.editables]
    edits = {} if state is None else state.edits
    rows = [_row(name, chosen, layers, environment.path, edits) for name, chosen in builds.items()] + [
        {
            "name": item.name,
            "version": editable_version(item),
            "build": None,
            "editable": _folder(environment.path, item.path),
            "private": None,
        }
        for item in projects
    ]
    rows.sort(key=lambda row: row["name"].lower())
    if output.as_json:
        output.document(rows)
    elif rows:
        header = ("Distribution", "Version", "Build")
        places = (row["private"] or row["build"] or row["editable"] for row in rows)
        output.columns(
            [header, *((row["name"], row["version"], place) for row, place in zip(rows, places, strict=True))]
        )
    else:
        output.say(f"{environment.path}: nothing is locked; multisite lock REQUIREMENT")
    return 0


def _row(name: str, chosen: ChosenBuild, layers: Layers | None, venv: Path, edits: Mapping[str, str]) -> dict[str, Any]:
    found = None if layers is None else _found(layers, chosen)
    manifest = None if found is None else found.manifest
    return {
        "name": name if manifest is None else manifest.metadata_name,
        "version": chosen.build.version,
        "build": chosen.build.build,
        "editable": None,
        "private": _folder(venv, edits[chosen.root]) if chosen.root in edits else None,
        "requested": chosen.requested,
        "in_store": manifest is not None,
        "store": None if found is None else str(found.store_root),
        "files": None if manifest is None else manifest.files,
        "bytes": None if manifest is None else manifest.size,
    }


def _found(layers: Layers, chosen: ChosenBuild) -> StoredDistribution | None:
    try:
        return layers.entry(chosen.build)
    except (EntryMissing, InvalidDocument):
        return None  # doctor says more


def _folder(venv: Path, path: str) -> str:
    return os.path.normpath(venv / path)


def _dedup(options: argparse.Namespace, output: Output) -> int:
    from multisite.deduplicating import dedup

    return dedup(options, output, _workshop(options, output).store_root())


def _gc(options: argparse.Namespace, output: Output) -> int:
    from multisite.collecting import collect

    return collect(options, output, _workshop(options, output).store_root())


def _share(options: argparse.Namespace, output: Output) -> int:
    from multisite.opening import plan_opening

    store = _workshop(options, output).store()
    store.demand_writable()
    plan = plan_opening(store.root)
    if not options.dry_run:
        plan.carry_out()
    if output.as_json:
        output.document(plan.to_json())
    else:
        for line in plan.lines():
            output.say(line)
        output.say(f"{store.root}: {'would be open' if options.dry_run else 'is open'} to other accounts")
    return int(bool(plan.closed))


def _verify(options: argparse.Namespace, output: Output) -> int:
    from multisite.verification import verify

    return verify(options, output, _workshop(options, output))


COMMANDS: Mapping[str, Callable[[argparse.Namespace, Output], int]] = MappingProxyType(
    {
        "lock": _lock,
        "sync": _sync,
        "doctor": _doctor,
        "list": _list,
        "view": _view,
        "dedup": _dedup,
        "edit": _edit,
        "gc": _gc,
        "share": _share,
        "verify": _verify,
    }
)


def _workshop(options: argparse.Namespace, output: Output) -> Workshop:
    from multisite.indexes import IndexOptions
    from multisite.workshop import Workshop

    indexes = IndexOptions()
    if hasattr(options, "index_url"):
        indexes = IndexOptions(
            index_url=options.index_url,
            extra_index_urls=tuple(options.extra_index_urls),
            find_links=tuple(options.find_links),
            no_index=options.no_index,
        )
    offline = getattr(options, "offline", False)
    return Workshop(os.environ, stores=options.stores, offline=offline, indexes=indexes, notice=output.notice)


def _place(options: argparse.Namespace, workshop: Workshop) -> Place:
    return workshop.place(_venv(options), python=options.python, system_site_packages=options.system_site_packages)


def _absolute(path: Path) -> Path:
    """Return *path* from the root, its links kept: people know it by that name."""
    return Path(os.path.normpath(path.absolute()))


def _venv(options: argparse.Namespace) -> Path:
    from multisite.defaults import default_environment

    return _absolute(options.venv or default_environment(os.environ))


def _target(output: Path | None, place: Place) -> Path:
    """Return where the lockfile is to be: where it was asked for, else where the environment has it.

    One that the environment only follows, since it was told to sync with it, is not written over.
    """
    if output is not None:
        from packaging.pylock import is_valid_pylock_path

        target = _absolute(output)
        if target.is_dir():
            raise InvalidRequest(f"{target}: it is a folder", hint="name a file: -o FILE")
        if not is_valid_pylock_path(target):
            reason = f"{target}: a lockfile is called pylock.toml or pylock.NAME.toml (PEP 751)"
            raise InvalidRequest(reason, hint=f"-o {target.with_name('pylock.toml')}")
        return target
    before = place.before
    return place.lockfile if before is None or before.request is None else place.lockfile_of(before)

"""What ``lock`` and ``sync`` end with: the environment is made what is wanted, and the outcome is told, and kept."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from multisite.compiling import Compiler, is_wanted
from multisite.defaults import default_cache
from multisite.settling import settle
from multisite.showing import follow, offer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from multisite.output import Output
    from multisite.place import Place
    from multisite.request import Request
    from multisite.result import SyncResult
    from multisite.wanted import Wanted
    from multisite.workshop import Workshop

__all__ = ["carry_out", "inputs_of", "report"]

# What a ``lock`` without requirements looks for in the current folder.
_FOUND = ("pyproject.toml", "requirements.txt", "pylock.toml")


def carry_out(
    options: argparse.Namespace,
    workshop: Workshop,
    place: Place,
    wanted: Wanted,
    output: Output,
    *,
    inputs: Mapping[Path, str | None] | None,
    said: tuple[str, ...],
) -> int:
    """Make the environment at *place* what is *wanted*, tell what came of it, and return the exit code.

    *inputs* are the files that were read for it, each with its SHA-256; with None the command is not one whose outcome
    can be kept. *said* is what it has told so far.
    """
    wanted = replace(wanted, site_metadata=options.site_metadata)
    compiles = is_wanted(options.compile, workshop.environ)
    with output.downloading() as progress:
        result = workshop.make(place, wanted, progress=progress, whole=not _is_plain(output))
    if compiles:
        result = replace(result, compiled=_compile(workshop, place, output))
    follow(workshop, place, output)
    report(result, output)
    if inputs is not None and not compiles and _is_quiet(options, wanted, result, output):
        _keep(options, workshop, place, result, inputs, said)
    if result.created and not (result.findings or options.system_site_packages):
        _draw(workshop, place, wanted)
    return 0


def _draw(workshop: Workshop, place: Place, wanted: Wanted) -> None:
    """Keep what makes another environment of the same lockfile."""
    from multisite.surveying import survey

    environment = place.make()
    state = workshop.known_state(environment)
    if state is not None:
        survey(
            environment,
            state,
            wanted,
            interpreter=place.interpreter,
            layers=workshop.known_layers(state),
            environ=workshop.environ,
            cache=default_cache(workshop.environ),
        )


def _compile(workshop: Workshop, place: Place, output: Output) -> int:
    """Have everything compiled that the environment imports from its stores; it is registered, so that all stays."""
    state = workshop.known_state(place.make())
    builds = (
        {} if state is None else {name: item for name, item in state.builds.items() if item.root not in state.edits}
    )
    if state is None or not builds:
        return 0
    layers = workshop.known_layers(state)
    with output.stepping() as steps, layers.opened():
        compiler = Compiler(
            interpreter=place.interpreter,
            layers=layers,
            environ=workshop.environ,
            notice=output.notice,
            watch=steps,
        )
        return compiler.compile(item.root for item in builds.values())


def report(result: SyncResult, output: Output) -> None:
    """Tell what a sync did."""
    if output.as_json:
        output.document(result.to_json())
        return
    output.findings(result.findings, to_stderr=True)
    for change in result.changes:
        output.say(f" {change}")
    output.say(str(result))


def inputs_of(request: Request, workshop: Workshop) -> dict[Path, str | None]:
    """Return the files that decide what a *request* comes to, each with its SHA-256, None for one that is not there."""
    from multisite.uvconfig import configuration_digests

    looked_for = {request.folder / name: None for name in _FOUND}
    return {
        **looked_for,
        **configuration_digests(workshop.environ, request.folder),
        **{Path(path): digest for path, digest in request.digests},
    }


def _is_quiet(options: argparse.Namespace, wanted: Wanted, result: SyncResult, output: Output) -> bool:
    """Tell whether the same command would do nothing, and say no more than that."""
    again = not getattr(options, "upgrade", False) and not getattr(options, "upgrade_packages", ())
    return again and _is_plain(output) and not (result.findings or output.has_noticed or wanted.addresses)


def _is_plain(output: Output) -> bool:
    """Tell whether no more is to be said than what a note knows."""
    return not output.as_json and output.verbosity <= 0


def _keep(
    options: argparse.Namespace,
    workshop: Workshop,
    place: Place,
    result: SyncResult,
    inputs: Mapping[Path, str | None],
    said: tuple[str, ...],
) -> None:
    environment = place.make()
    state = workshop.known_state(environment)
    programs = _asked_for(options.python, place)
    if state is None or programs is None:
        return
    unchanged = replace(result, changes=(), written=False, created=False, fetched=0, built=0, compiled=0)
    settle(
        environment,
        state,
        arguments=options.arguments,
        said=(*said, str(unchanged), *(offer(place) if options.command == "lock" else ())),
        unchanged=str(unchanged),
        inputs=inputs,
        programs=programs,
        environ=workshop.environ,
        cache=default_cache(workshop.environ),
    )


def _asked_for(python: str | None, place: Place) -> list[Path] | None:
    """Return the file of the interpreter that was asked for, if it was one; None where it was looked for elsewhere."""
    version = place.interpreter.version
    if python is None or f"{version}.".startswith(python.lower().removeprefix("python") + "."):
        return []
    path = Path(python).expanduser().absolute()
    is_itself = os.sep in python and path.is_file() and path.samefile(place.interpreter.base_executable)
    return [path] if is_itself else None  # else it may choose another interpreter the next time

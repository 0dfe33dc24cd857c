"""The command ``view``, and what ``lock`` and ``sync`` do about views."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from multisite.environment import Environment
from multisite.errors import MultisiteError
from multisite.names import normalize
from multisite.settings import remove_settings, write_setting
from multisite.view import ViewPlace

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from multisite.output import Output
    from multisite.place import Place
    from multisite.settings import SettingResult
    from multisite.workshop import Workshop

__all__ = ["follow", "offer", "show", "unseen"]

# What editors, and checkers that run nothing, have in a project.
_EDITORS = (".vscode", ".idea", ".zed", ".fleet", ".helix", "pyrightconfig.json", "ty.toml", "pyrefly.toml")


def show(options: argparse.Namespace, output: Output, workshop: Workshop, path: Path) -> int:
    """Make or remove the view of the environment at *path*; return the exit code."""
    Environment.open(path)
    project = Path.cwd()
    with workshop.place(path) as place:
        environment = place.make()
        view = ViewPlace.of(environment)
        if options.remove:
            was_there = view.remove()
            settings = remove_settings(project, view)
            outcome = "removed" if was_there else "there is no view"
        else:
            with output.working(f"looking at {environment.path}"):
                written = workshop.keep_view(environment, place.interpreter, whole=options.whole, mend=True)
            settings = tuple(write_setting(tool, project, view) for tool in dict.fromkeys(options.tools))
            outcome = "written" if written else "unchanged"
    if output.as_json:
        output.document(_document(environment, view, outcome, settings))
    else:
        output.say(f"{view.folder}: {outcome}")
        _report(settings, output)
    return int(any(item.state == "refused" for item in settings))


def _document(
    environment: Environment, view: ViewPlace, outcome: str, settings: Sequence[SettingResult]
) -> dict[str, object]:
    return {
        "environment": str(environment.path),
        "view": str(view.folder),
        "site_packages": str(view.site_packages),
        "python": str(view.python),
        "outcome": outcome,
        "settings": [item.to_json() for item in settings],
    }


def _report(settings: Sequence[SettingResult], output: Output) -> None:
    for item in settings:
        if item.state != "refused":
            output.say(f"{item.file}: {item.tool}: {item.state}")
            continue
        output.warn(f"{item.file}: {item.tool}: left alone, for {item.reason}")
        if item.snippet:
            output.say("  what it needs there:")
            for line in item.snippet.splitlines():
                output.say(f"    {line}")


def follow(workshop: Workshop, place: Place, output: Output, *, mend: bool = False) -> None:
    """Make a view, where there is one, show what the environment at *place* now has; with *mend* as a whole."""
    environment = place.make()
    view = ViewPlace.of(environment)
    if view.read() is not None and workshop.keep_view(environment, place.interpreter, mend=mend):
        output.say(f"{view.folder}: written")


def unseen(path: Path) -> str | None:
    """Return what to say to whoever audits the environment at *path* from outside; None where all of it is seen."""
    try:
        environment = Environment.open(path)
        state = environment.read_state()
    except MultisiteError:
        return None  # the doctor says what is wrong
    if state is None:
        return None
    hidden = sorted(state.builds.keys() - _seen(environment.site_packages))
    if not hidden:
        return None
    which = (
        f"none of the {len(hidden)} locked" if len(hidden) == len(state.builds) else f"nothing of {', '.join(hidden)}"
    )
    return (
        f"{path}: uv pip list, pip-audit --path and scanners, which look from outside, see {which}: "
        "an empty result of theirs is no clean one. Show them: multisite sync --site-metadata"
    )


def _seen(site_packages: Path) -> set[NormalizedName]:
    """Return the names of the distributions that whoever reads the folder finds there."""
    infos = (path for path in site_packages.glob("*.dist-info") if (path / "METADATA").is_file())
    return {normalize(path.stem.partition("-")[0]) for path in infos}


def offer(place: Place) -> list[str]:
    """Return how an editor gets to see what is locked, where one works in the current folder and there is no view."""
    editor = next((name for name in _EDITORS if Path(name).exists()), None)
    if editor is None or ViewPlace.of(place.make()).read() is not None:
        return []
    return [f"{editor} is here: for editors and type checkers to see what is locked, type: multisite view"]

"""The command for private copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multisite.editing import carry_out, demand_consent, give_up, plan_copies, plan_giving_up, write_patch
from multisite.edits import find_edits, sweep_edits
from multisite.environment import Environment
from multisite.errors import InvalidRequest, NotAnEnvironment
from multisite.showing import follow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from multisite.editing import Copying, GivingUp
    from multisite.edits import Edit
    from multisite.output import Output
    from multisite.place import Place
    from multisite.state import EnvironmentState
    from multisite.workshop import Workshop

__all__ = ["edit"]


def edit(options: argparse.Namespace, output: Output, workshop: Workshop, path: Path) -> int:
    """Make private copies in the environment at *path*, or give them up; return the exit code."""
    given = {"--patch": options.patch is not None, "--force": options.force}
    if not options.undo and (unusable := [name for name, is_given in given.items() if is_given]):
        raise InvalidRequest(f"{', '.join(unusable)} means nothing without --undo")
    Environment.open(path)
    with workshop.place(path) as place:
        state = place.before
        if state is None:
            raise NotAnEnvironment(path, "nothing is locked, so there is nothing to copy")
        if not options.dry_run:
            sweep_edits(place.make())
        task = _Task(options, output, workshop, place, state)
        return task.undo() if options.undo else task.make()


@dataclass(frozen=True)
class _Task:
    """One call of the command, in an environment that is held."""

    options: argparse.Namespace
    output: Output
    workshop: Workshop
    place: Place
    state: EnvironmentState

    @property
    def stores(self) -> list[Path]:
        """The stores that the environment finds distributions in."""
        return list(self.workshop.store_roots(self.state))

    def make(self) -> int:
        environment, output = self.place.make(), self.output
        plans = plan_copies(environment, self.state, self.options.names, self.stores)
        if self.options.dry_run:
            self._tell_copies(plans)
            return 0
        with output.working("copying " + ", ".join(plan.label for plan in plans)):
            edits = carry_out(environment, self.state, plans, self.place.interpreter)
        follow(self.workshop, self.place, output)
        if output.as_json:
            output.document({"environment": str(environment.path), "edits": [self._json(edit) for edit in edits]})
            return 0
        for plan, made in zip(plans, edits, strict=True):
            news = "has a copy of its own" if plan.made is None else "had a copy of its own already"
            output.say(f"{plan.label}: {environment.path} {news}, which interpreters find from their next start on")
            self._tell_of_company(plan)
            self._warn_of_others(made)
            output.print(str(made.site_packages))
        return 0

    def _tell_copies(self, plans: Sequence[Copying]) -> None:
        if self.output.as_json:
            copies = [
                {"name": plan.builds[0].name, "from": str(plan.source), "made": bool(plan.made)} for plan in plans
            ]
            self.output.document({"environment": str(self.place.path), "copies": copies})
            return
        for plan in plans:
            what = f"would be copied from {plan.source}" if plan.made is None else f"is copied: {plan.made.folder}"
            self.output.print(f"{plan.label}: {what}")
            self._tell_of_company(plan)

    def _tell_of_company(self, plan: Copying) -> None:
        if others := [f"{build.name} {build.version}" for build in plan.builds[1:]]:
            self.output.say(f"  with {', '.join(others)}: their files belong into one folder")

    def _warn_of_others(self, made: Edit) -> None:
        for other in find_edits(self.place.make()).of(made.builds[0].name):
            if other.folder != made.folder:
                self.output.warn(f"the changes in the copy of {other.label} are not in this one: {other.folder}")

    def undo(self) -> int:
        environment, options, output = self.place.make(), self.options, self.output
        plans = plan_giving_up(environment, self.state, options.names, self.stores)
        if options.dry_run:
            self._tell_undoing(plans)
            return 0
        patch = None if options.patch is None else Path(options.patch).absolute()
        is_changed = any(plan.difference is None or plan.difference for plan in plans)
        if patch is not None and is_changed:
            write_patch(plans, patch)
        elif not options.force:
            demand_consent(plans)
        give_up(environment, self.state, plans, self.place.interpreter)
        follow(self.workshop, self.place, output)
        saved = patch if is_changed else None
        if output.as_json:
            self._tell_undoing(plans, patch=saved)
            return 0
        if not plans:
            output.say(f"{', '.join(options.names)}: no private copy is there")
        elif patch is not None:
            output.say(f"{saved}: what was changed" if saved else "nothing was changed, so there is no patch")
        for plan in plans:
            is_locked = plan.edit.root in {chosen.root for chosen in self.state.builds.values()}
            output.say(f"{plan.edit.label}: " + ("the shared one again" if is_locked else "its copy is removed"))
        return 0

    def _tell_undoing(self, plans: Sequence[GivingUp], *, patch: Path | None = None) -> None:
        if self.output.as_json:
            edits = [self._json(plan.edit, plan) for plan in plans]
            document = {"environment": str(self.place.path), "removed": edits, "patch": patch and str(patch)}
            self.output.document(document)
            return
        for plan in plans:
            self.output.print(f"{plan.edit.label}: {plan.edit.folder} would be removed")
            words = ["what was changed cannot be told"] if plan.difference is None else plan.difference.words
            for line in words or ["nothing was changed"]:
                self.output.print(f"  {line}")

    def _json(self, edit: Edit, plan: GivingUp | None = None) -> dict[str, Any]:
        return {
            "name": edit.builds[0].name,
            "version": edit.builds[0].version,
            "path": str(edit.site_packages),
            "distributions": sorted(edit.names),
            "difference": None if plan is None or plan.difference is None else plan.difference.to_json(),
        }

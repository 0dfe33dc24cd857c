"""The command that collects garbage: a plan, shown or carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from multisite.garbage import Plan
    from multisite.output import Output
    from multisite.roots import Roots
    from multisite.store import Store

__all__ = ["collect"]


def collect(options: argparse.Namespace, output: Output, root: Path) -> int:
    """Collect the garbage of the store in *root*, or say what that would be. Raises GarbageRefused, StoreNotUsable."""
    from multisite.custody import demand_custody, silent_readers
    from multisite.layout import demand_store
    from multisite.store import Store
    from multisite.sweeping import alone, recover

    demand_store(root)
    if options.dry_run:
        if reason := silent_readers(root):
            output.warn(f"store {root}: {reason}; multisite gc will ask for --force")
        store = Store.open(root)
        _report(_planned(store, _looking(store, options), output), output, spared=None)
        return 0
    demand_custody(root, force=options.force)
    store = Store.open(root)
    store.demand_writable()
    with alone(root, notice=output.say):
        recover(root)
        look = _looking(store, options)
        plan = _planned(store, look, output)
        spared = _carried_out(store, plan, look, output)
    _report(plan, output, spared=spared)
    return 0


def _looking(store: Store, options: argparse.Namespace) -> Callable[[], Roots]:
    """Return what tells the store's roots, each time anew. Raises InvalidRequest."""
    from multisite.roots import Keep, find_roots, named_ids

    keep = Keep(locks=0, days=0) if options.now else Keep(locks=options.keep_locks, days=options.keep_days)
    forgetting = named_ids(store, options.forget) if options.forget else frozenset()
    return lambda: find_roots(store, keep, forgetting=forgetting)


def _planned(store: Store, look: Callable[[], Roots], output: Output) -> Plan:
    from multisite.garbage import plan

    with output.working(f"looking for what nothing uses in {store.root}"):
        return plan(store, look())


def _carried_out(store: Store, plan: Plan, look: Callable[[], Roots], output: Output) -> Collection[str]:
    from multisite.sweeping import Sweep

    if not plan.doomed:
        return frozenset()
    with output.working(f"removing {_counted(plan)}"):
        return Sweep(store=store, plan=plan, look=look, advance=lambda name: output.say(name, level=1)).carry_out()


def _report(plan: Plan, output: Output, *, spared: Collection[str] | None) -> None:
    """Show a plan; *spared* is what was kept after all, None where nothing was carried out."""
    if output.as_json:
        output.document({**plan.to_json(), "dry_run": spared is None, "spared": sorted(spared or ())})
        return
    for line in _lines(plan, whole=output.verbosity > 0):
        output.print(line)
    _warn_of_unreachable(plan, output)
    for name in sorted(spared or ()):
        output.say(f"{name} stays: a command has begun to use it")
    size = _sizes(plan)
    if not plan.doomed:
        output.say(f"{plan.store_root}: nothing to remove; entries in use: {plan.entries}")
    elif spared is None:
        output.say(f"{plan.store_root}: would remove {_counted(plan)}; frees {size}")
    else:
        output.say(f"{plan.store_root}: removed {_counted(plan)}; freed {size}")


def _lines(plan: Plan, *, whole: bool) -> Iterator[str]:
    from multisite.footprint import readable
    from multisite.garbage import Kind

    for item in plan.doomed:
        if whole or item.kind in {Kind.ENTRY, Kind.SHARED, Kind.ENVIRONMENT}:
            size = f"  {readable(item.footprint.bytes)}" if item.kind in {Kind.ENTRY, Kind.SHARED} else ""
            yield f"- {item.kind.value} {item.name}{size}"
    if whole:
        for found in plan.roots.environments:
            yield f"  environment {found.registration.id} {found.path}: {found.state.value}"
        for name, labels in plan.roots.reasons().items():
            yield f"  {name} is kept by {', '.join(dict.fromkeys(labels))}"


def _warn_of_unreachable(plan: Plan, output: Output) -> None:
    from multisite.whereabouts import State, since

    for item in plan.roots.environments:
        if item.state is State.UNREACHABLE:
            kept = f"it keeps {len(item.registration.builds)} entries, and was seen on {since(item.registration)}"
            command = f"multisite gc --forget {item.registration.id}"
            output.warn(f"{item.path} is out of reach ({item.reason}); {kept}. If it is gone for good: {command}")
        elif item.state is State.MOVED:
            output.say(f"{item.registration.path} was moved: {item.reason}; multisite sync there registers it")


def _counted(plan: Plan) -> str:
    counts: dict[str, int] = {}
    for item in plan.doomed:
        counts[item.kind.value] = counts.get(item.kind.value, 0) + 1
    return ", ".join(f"{number} {_plural(word) if number > 1 else word}" for word, number in counts.items())


def _plural(word: str) -> str:
    return {"entry": "entries", "alias": "aliases", "start-up code": "start-up codes"}.get(word, f"{word}s")


def _sizes(plan: Plan) -> str:
    from multisite.footprint import readable

    size = plan.footprint
    return f"{readable(size.bytes)} in {size.files} files, {readable(size.freed)} on the disk"

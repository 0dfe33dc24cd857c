"""The command ``verify``."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from multisite.auditing import Auditor
from multisite.damage import KINDS, Remedy
from multisite.errors import InvalidRequest
from multisite.interpreters import find_interpreter
from multisite.layout import demand_store, is_store
from multisite.mending import Mender
from multisite.names import BuildId, normalize
from multisite.registry import registrations
from multisite.report import Finding

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from multisite.auditing import Audit
    from multisite.damage import Damage
    from multisite.output import Output
    from multisite.store import Store
    from multisite.verifying import Verified
    from multisite.workshop import Workshop

__all__ = ["verify"]

_MEBIBYTE = 1 << 20


def verify(options: argparse.Namespace, output: Output, workshop: Workshop) -> int:
    """Verify stores, mend them where that is asked for, and report; return the exit code."""
    stores = [workshop.store_at(root, mend=options.repair) for root in _roots(options, output, workshop)]
    names = frozenset(normalize(name) for name in options.names)
    _demand_known(stores, names)
    outcomes = [_verified(store, names, options, output, workshop) for store in stores]
    if output.as_json:
        output.document(_document(outcomes))
    else:
        for outcome in outcomes:
            output.findings(outcome.findings)
            _summarize(outcome, output)
    return max(_exit_code(outcome.audit) for outcome in outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What verifying one store came to."""

    store: Store
    audit: Audit
    findings: tuple[Finding, ...]
    mended: int


def _roots(options: argparse.Namespace, output: Output, workshop: Workshop) -> list[Path]:
    """Return the stores to verify: those that ``--store`` names, else the first, and what is this account's behind it.

    Raises StoreNotUsable where one of these is missing.
    """
    first, *others = dict.fromkeys(workshop.store_roots())
    demand_store(first)
    found = [first]
    for root in others:
        if options.stores:
            demand_store(root)
        elif reason := _not_ours(root):
            output.say(f"not verified: {root}: {reason}")
            continue
        found.append(root)
    return found


def _not_ours(root: Path) -> str | None:
    """Say why a store behind the first is left to others; None where it is this account's."""
    try:
        if not is_store(root):
            return "there is no store"
        owner = root.stat().st_uid
    except OSError as error:
        return error.strerror or str(error)
    if os.name == "nt" or owner == os.geteuid():
        return None
    return f"it is another account's; to verify it all the same: multisite verify --store {shlex.quote(str(root))}"


def _verified(
    store: Store, names: frozenset[NormalizedName], options: argparse.Namespace, output: Output, workshop: Workshop
) -> _Outcome:
    with output.stepping() as steps:
        auditor = Auditor(
            store=store,
            trust=workshop.trust.with_owner(store.root),
            environ=workshop.environ,
            find=lambda version: find_interpreter(version, workshop.environ),
            watch=steps,
        )
        audit = found = auditor.audit(names)
    failures: Mapping[str, str] = {}
    if options.repair and found.faults:
        with output.downloading() as progress:
            fetcher, cache = workshop.fetching(progress)
            failures = Mender(store=store, cache=cache, fetcher=fetcher, notice=output.say).mend(found)
        with output.stepping() as steps:
            touched = {result.subject for result, _ in found.faults}
            # A shared folder has its files from entries, and bytecode may be of a source that was damaged.
            audit = _merged(found, replace(auditor, watch=steps).audit(names, touched))
    findings = tuple(_findings(audit, failures, store, repaired=options.repair))
    mended = len(found.faults) - len(audit.faults) if options.repair else 0
    return _Outcome(store=store, audit=audit, findings=findings, mended=mended)


def _demand_known(stores: Sequence[Store], names: frozenset[NormalizedName]) -> None:
    known = {build.name for store in stores for build in store.builds()} if names else set()
    if missing := sorted(names - known):
        places = f"the store {stores[0].root}" if len(stores) == 1 else ", ".join(str(store.root) for store in stores)
        reason = f"{', '.join(missing)}: nothing of that name is in {places}"
        raise InvalidRequest(reason, hint="multisite verify, without a name, verifies all of it")


def _merged(before: Audit, after: Audit) -> Audit:
    again = {result.subject: result for result in after.results}
    touched = {result.subject for result, _ in before.faults}
    # One that is not there any more was taken away meanwhile.
    kept = (one for one in before.results if one.subject in again or one.subject not in touched)
    results = [again.get(one.subject, one) for one in kept]
    return replace(before, results=tuple(results))


def _exit_code(audit: Audit) -> int:
    kinds = {damage.kind for _, damage in audit.faults}
    return 3 if "unreadable" in kinds else int(bool(kinds))


def _findings(audit: Audit, failures: Mapping[str, str], store: Store, *, repaired: bool) -> Iterator[Finding]:
    for result in audit.results:
        for damage in result.damage:
            message = f"{_label(result)}{damage.message}"
            if not damage.is_harmless and (reason := failures.get(result.subject)):
                message = f"{message}; {reason}"
            fix = None if damage.is_harmless else _fix(result, damage, store, repaired=repaired)
            subject = result.subject or damage.path
            yield Finding(check=damage.kind, severity=damage.severity, message=message, subject=subject, fix=fix)


def _label(result: Verified) -> str:
    return f"{result.subject}: " if result.subject else ""


def _fix(result: Verified, damage: Damage, store: Store, *, repaired: bool) -> str | None:
    """Return the command to type next."""
    remedy = KINDS[damage.kind].remedy
    if damage.kind == "registration":
        return f"multisite sync in that environment; where it is gone: rm {shlex.quote(str(store.root / damage.path))}"
    if remedy == Remedy.NONE:
        return None
    if not repaired:
        name = f" {BuildId.parse(result.subject).name}" if result.subject.count("/") == 2 else ""
        return f"multisite verify --repair{name} --store {shlex.quote(str(store.root))}"
    if result.subject.count("/") == 2:
        build = BuildId.parse(result.subject)
        users = [str(one.path) for one in registrations(store.root) if build in one.builds]
        if users:
            return f"multisite doctor --fix --venv {shlex.quote(users[0])}"
    return None


def _document(outcomes: Sequence[_Outcome]) -> dict[str, Any]:
    audits = [outcome.audit for outcome in outcomes]
    unchecked = Counter[str]()
    for audit in audits:
        unchecked.update(audit.unchecked)
    return {
        "store": str(outcomes[0].store.root),
        "stores": [str(outcome.store.root) for outcome in outcomes],
        "entries": sum(audit.entries for audit in audits),
        "files": sum(audit.files for audit in audits),
        "bytes": sum(audit.size for audit in audits),
        "bytecode": sum(audit.compiled for audit in audits),
        "mended": sum(outcome.mended for outcome in outcomes),
        "unchecked": [{"what": what, "files": count} for what, count in sorted(unchecked.items())],
        "findings": [finding.to_json() for outcome in outcomes for finding in outcome.findings],
    }


def _summarize(outcome: _Outcome, output: Output) -> None:
    audit, mended, store = outcome.audit, outcome.mended, outcome.store
    for what, count in sorted(audit.unchecked.items()):
        output.say(f"not checked: bytecode {what} ({count} files)")
    verified = f"{audit.entries} entries, {audit.files} files, {audit.size / _MEBIBYTE:.0f} MiB"
    left = len(audit.faults)
    state = "nothing is wrong" if not left else f"{left} files or folders are damaged"
    if mended:
        state = f"{mended} mended, {state if left else 'nothing is wrong any more'}"
    output.say(f"{store.root}: {verified}, {audit.compiled} bytecode files compiled again: {state}")

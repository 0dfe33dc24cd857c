"""The command ``verify``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from multisite.auditing import Auditor
from multisite.damage import KINDS, Remedy
from multisite.errors import InvalidRequest
from multisite.interpreters import find_interpreter
from multisite.layout import demand_store
from multisite.mending import Mender
from multisite.names import BuildId, normalize
from multisite.registry import registrations
from multisite.report import Finding

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

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
    """Verify the store, mend it where that is asked for, and report; return the exit code."""
    demand_store(workshop.store_root())
    store = workshop.store(mend=options.repair)
    names = frozenset(normalize(name) for name in options.names)
    _demand_known(store, names)
    with output.stepping() as steps:
        auditor = Auditor(
            store=store,
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
            audit = _merged(found, auditor.audit(names, touched))
    findings = tuple(_findings(audit, failures, store, repaired=options.repair))
    mended = len(found.faults) - len(audit.faults) if options.repair else 0
    if output.as_json:
        output.document(_document(audit, findings, store, mended))
    else:
        output.findings(findings)
        _summarize(audit, mended, store, output)
    return _exit_code(audit)


def _demand_known(store: Store, names: frozenset[NormalizedName]) -> None:
    if missing := sorted(names - {build.name for build in store.builds()}):
        reason = f"{', '.join(missing)}: nothing of that name is in the store {store.root}"
        raise InvalidRequest(reason, hint="multisite verify, without a name, verifies all of it")


def _merged(before: Audit, after: Audit) -> Audit:
    from dataclasses import replace

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


def _document(audit: Audit, findings: tuple[Finding, ...], store: Store, mended: int) -> dict[str, Any]:
    return {
        "store": str(store.root),
        "entries": audit.entries,
        "files": audit.files,
        "bytes": audit.size,
        "bytecode": audit.compiled,
        "mended": mended,
        "unchecked": [{"what": what, "files": count} for what, count in sorted(audit.unchecked.items())],
        "findings": [finding.to_json() for finding in findings],
    }


def _summarize(audit: Audit, mended: int, store: Store, output: Output) -> None:
    for what, count in sorted(audit.unchecked.items()):
        output.say(f"not checked: bytecode {what} ({count} files)")
    verified = f"{audit.entries} entries, {audit.files} files, {audit.size / _MEBIBYTE:.0f} MiB"
    left = len(audit.faults)
    outcome = "nothing is wrong" if not left else f"{left} files or folders are damaged"
    if mended:
        outcome = f"{mended} mended, {outcome if left else 'nothing is wrong any more'}"
    output.say(f"{store.root}: {verified}, {audit.compiled} bytecode files compiled again: {outcome}")

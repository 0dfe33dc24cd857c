"""An attack run on both environments, and what came of it."""

from __future__ import annotations

import difflib
import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.container import NOBODY, Container
from tests.hostile.attack import LOCKED
from tests.parity.header import Rule
from tests.parity.normalising import normalised
from tests.pythons import found_pythons

if TYPE_CHECKING:
    from tests.hostile.attack import Attack
    from tests.hostile.setup import Setup

__all__ = ["contents", "problems", "unprivileged_problems"]

_SEEN = Path(__file__).parents[1] / "probes" / "seen.py"
_RULES = (
    Rule(pattern=r"127\.0\.0\.1:\d+", replacement="<index>", reason="the index listens where there is room"),
    Rule(
        pattern=r"\./\.venv/lib/python[\d.]+/site-packages",
        replacement="<site>",
        reason="pip writes paths from where it runs",
    ),
    Rule(pattern=r"\b\d+(\.\d+)?m?s\b", replacement="<time>", reason="how long it took"),
    Rule(pattern=r"[ \t]+$", replacement="", reason="tables are padded to their longest cell, and that may be a path"),
    Rule(pattern=r"(?<=\S) {2,}", replacement=" ", reason="tables are padded to their longest cell"),
    Rule(pattern=r"-{3,}", replacement="---", reason="tables are ruled as wide as their longest cell"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What the commands said and the environment is afterwards, brought to one form; and what is really installed."""

    lines: tuple[str, ...]
    really: tuple[str, ...]


def difference(plain: Transcript, ours: Transcript) -> tuple[str, ...]:
    """Return the lines that differ."""
    lines = list(difflib.unified_diff(plain.lines, ours.lines, n=0, lineterm=""))[2:]
    return tuple(line for line in lines if not line.startswith("@@"))


def attack(setup: Setup, row: Attack, kind: str, *, user: int | None = None) -> Transcript:
    """Run the commands of *row* in the environment of *kind*, as *user* where one is given."""
    lines: list[str] = []
    for command in row.commands:
        code, said = _run(setup, kind, ["sh", "-c", command], user)
        lines += [f"$ {command}", *_normalised(setup, kind, said)]
        lines += [f"(exit {code})"] if code else []
    seen = _seen(setup, kind, user)
    return Transcript(
        lines=(*lines, "$ what is there", *(line for line in seen if not _is_aside(row, line))),
        really=tuple(line.removeprefix("really: ") for line in seen if line.startswith("really: ")),
    )


def _is_aside(row: Attack, line: str) -> bool:
    """Tell whether *line* is not compared. Up to 3.11 ``files()`` names what is missing, as doctor does."""
    return line.startswith("really: ") or (" misses " in line and "data-missing" in row.doctor)


def _seen(setup: Setup, kind: str, user: int | None = None) -> list[str]:
    python = setup.folder(kind) / ".venv" / "bin" / "python"
    if not os.path.lexists(python):
        return ["no environment"]
    _, said = _run(setup, kind, [str(python), str(setup.tools / _SEEN.name)], user)
    return _normalised(setup, kind, said)


def _normalised(setup: Setup, kind: str, said: str) -> list[str]:
    folder = setup.folder(kind)
    folders = {
        "store": str(setup.store),
        "site": str(setup.site(kind)),
        "venv": str(folder / ".venv"),
        "run": str(folder),
    }
    return [normalised(line, folders, _RULES) for line in said.splitlines()]


def _run(setup: Setup, kind: str, command: list[str], user: int | None) -> tuple[int, str]:
    """Run one command; return its exit code and all that it said, stderr after stdout."""
    seen = setup.tools / _SEEN.name
    if not seen.exists():
        seen.write_bytes(_SEEN.read_bytes())
    environ, folder = setup.environ(kind), setup.folder(kind)
    (folder / "home").mkdir(exist_ok=True)
    if user is None:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    else:
        os.chown(folder / "home", user, user)
        container = Container(user=user, interpreters=[found_pythons()[setup.version].parents[1]])
        inside = ["sh", "-c", 'cd "$RUN" && exec "$@"', "sh", *command]
        other = container.run(*inside, environ=environ)
        code, out, err = other.code, other.out, other.err
    return code, out + "".join(f"! {line}\n" for line in err.splitlines())


def contents(store: Path) -> dict[str, str]:
    """Return all that nobody may change in a store, path -> owner, mode, content. Bytecode is derived data."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(store):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in (*folders, *files):
            path = Path(folder, name)
            facts = path.lstat()
            if path.is_symlink():
                what = os.readlink(path)
            else:
                what = "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(store))] = f"{facts.st_uid}:{facts.st_gid} {facts.st_mode:o} {what}"
    return found


def changes_of(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what was done to the store, as one line for each path."""
    paths = sorted({*before, *after})
    return [
        f"{path} is {'new' if path not in before else 'gone' if path not in after else 'another'}"
        for path in paths
        if before.get(path) != after.get(path)
    ]


def problems(setup: Setup, row: Attack) -> list[str]:
    """Run *row* on both environments; return everything that is not as the row says."""
    setup.restore()
    _prepare(setup, row)
    plain = attack(setup, row, "plain")
    before, venv = contents(setup.store), setup.folder("multisite") / ".venv"
    environment = contents(venv) if row.looks else {}
    ours = attack(setup, row, "multisite")
    found = _in_store(row, before, contents(setup.store))
    # What a tool that does not start says is the same everywhere.
    failed = [line for line in plain.lines if line.startswith("(exit ")] if row.tools else []
    found += [_both("a tool fails in the plain environment", (), plain.lines)] if failed else []
    differs = difference(plain, ours)
    if differs != row.differs:
        found.append(_both("what they say differs", row.differs, differs) + "\n" + "\n".join(ours.lines))
    if ours.really != row.really:
        found.append(_both("what is really installed", row.really, ours.really))
    if row.looks:
        return found + changes_of(environment, contents(venv))
    return found + _aftermath(setup, row)


def unprivileged_problems(setup: Setup, row: Attack) -> list[str]:
    """Run *row* on multisite's environment as root and as the account that owns the store."""
    setup.restore()
    _prepare(setup, row)
    root = attack(setup, row, "multisite")
    setup.restore()
    _prepare(setup, row)
    setup.give_away(NOBODY)
    before = contents(setup.store)
    nobody = attack(setup, row, "multisite", user=NOBODY)
    found = _in_store(row, before, contents(setup.store))
    if root != nobody:
        found.append(_both("it is not the same as for root", root.lines, nobody.lines))
    return found


def _prepare(setup: Setup, row: Attack) -> None:
    for tool in row.tools:
        setup.provide(tool)
    for words in row.prepared:
        setup.machine.run(*words).succeeded()


def _in_store(row: Attack, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    changes = changes_of(before, after)
    expected = tuple(change for change in changes if change.endswith(" is new"))
    gained = tuple(change.removesuffix(" is new").split("/", 4)[-1] for change in expected)
    if gained == row.gains and len(expected) == len(changes):
        return []
    return [_both("in the store", row.gains, tuple(changes))]


def _aftermath(setup: Setup, row: Attack) -> list[str]:
    """Ask doctor, have ``sync`` mend the environment, and ask again."""
    found = []
    checks = _doctor(setup)
    if checks != row.found:
        found.append(_both("what doctor finds", row.found, checks))
    before = contents(setup.store)
    words = (setup.lockfile, "--python", found_pythons()[setup.version]) if row.cleared else ()
    done = setup.machine.run("sync", *words)
    if done.code:
        return [*found, f"sync: exit code {done.code}\n{done.out}{done.err}"]
    changes = [line for line in changes_of(before, contents(setup.store)) if " is new" not in line]
    found += [_both("in the store, after sync", (), tuple(changes))] if any("multi-site" in c for c in changes) else []
    checks = _doctor(setup)
    if checks != row.found_after_sync:
        found.append(_both("what doctor finds after sync", row.found_after_sync, checks))
    seen = _seen(setup, "multisite")
    wanted = [f"{name} {version}" for name, version in LOCKED.items() if name not in row.really]
    # What is really installed is its installer's affair: setuptools' eggs list files of the project's folder.
    incomplete = [line for line in seen if " misses " in line and line.partition(" ")[0] not in row.really]
    missing = [line for line in wanted if line not in seen] + incomplete
    return found + ([_both("what is there after sync", tuple(wanted), tuple(seen))] if missing else [])


def _doctor(setup: Setup) -> tuple[str, ...]:
    findings = setup.machine.run("doctor", "--json").json["findings"]
    return tuple(sorted({one["check"] for one in findings if one["severity"] != "note"}))


def _both(what: str, wanted: tuple[str, ...], found: tuple[str, ...]) -> str:
    return "\n".join([f"{what}; expected:", *wanted, "found:", *found])

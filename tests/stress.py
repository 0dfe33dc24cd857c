"""Many processes on one store, each doing this and that; then everything has to be whole.

By hand: ``python -m tests.stress [--processes 16] [--seconds 60] [--seed N] [--accounts 2]``. Made wheels, an index of
this machine's; each process works in all environments. With two accounts the store is open, and half of the
environments are another account's, which has a store of its own before it (root is needed for that). Only ``edit`` may
fail, where its distribution is not locked at the moment, and the doctor may find what is just being changed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.container import NOBODY, Container, can_be_made
from tests.independent_store_check import faults
from tests.machine import Done, Machine

__all__ = ["Stress", "run"]

NAMES = ("one", "two", "three", "four", "pair-a", "pair-b")
VERSIONS = ("1.0", "2.0", "3.0")
_ENDS = 300  # seconds, for what hangs
_IMPORTS = """\
import importlib, importlib.metadata, json, sys
wanted = json.loads(sys.argv[1])
for name, version in wanted.items():
    if name.startswith("pair-"):
        module = importlib.import_module("pair." + name[-1])
    else:
        module = importlib.import_module(name + ".inner")
    assert module.version == importlib.metadata.version(name), (name, module.version)
    assert version is None or version == module.version, (name, version, module.version)
"""


def _fill(machine: Machine) -> None:
    for version in VERSIONS:
        text = f"version = {version!r}\n"
        for name in NAMES:
            if name.startswith("pair-"):  # they share a folder
                files = {"pair": {"__init__.py": "", f"{name[-1]}.py": text}}
            else:
                files = {name: {"__init__.py": "", "inner.py": text, "same.py": "# in all of them\n" * 100}}
            machine.wheel(name, version, files=files, entry_points={"console_scripts": {name: "sys:exit"}})


@dataclass
class Stress:
    """A machine, some environments, and what went wrong."""

    machine: Machine
    environments: int = 6
    accounts: int = 1
    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    lockfiles: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        _fill(self.machine)
        first = self._venv if self.accounts == 1 else lambda _: self.machine.work / "first"
        for number, versions in enumerate((VERSIONS[:1] * 6, VERSIONS[1:2] * 6, ("1.0", "2.0", "3.0") * 2)):
            wanted = [f"{name}=={version}" for name, version in zip(NAMES, versions, strict=True)]
            self.machine.run("lock", *wanted, "--venv", first(number)).succeeded()
            lockfile = self.machine.folder / f"{number}.toml"
            lockfile.write_bytes((first(number) / "pylock.toml").read_bytes())
            self.lockfiles.append(lockfile)
        if self.accounts > 1:
            self.machine.run("share")
            self._theirs.mkdir()
            os.chown(self._theirs, NOBODY, NOBODY)
        for number in range(3 if self.accounts == 1 else 0, self.environments):
            self._command("sync", self.lockfiles[number % 3], "--venv", self._venv(number)).succeeded()

    @property
    def _theirs(self) -> Path:
        """The folder of the other account."""
        return self.machine.folder / "theirs"

    def _venv(self, number: int) -> Path:
        folder = self._theirs if self.accounts > 1 and number % 2 else self.machine.work
        return folder / f"venv{number}"

    def _as_other(self, *command: str | Path, with_store: bool) -> Done:
        container = Container(user=NOBODY, interpreters=[Path(os.path.realpath(sys.executable)).parents[1]])
        environ = {**self.machine.environ(), "HOME": str(self._theirs), "UV_CACHE_DIR": str(self._theirs / "uv-cache")}
        environ["MULTISITE_STORE"] = f"{self._theirs}/store:{self.machine.store}" if with_store else ""
        return container.run(*command, environ=environ)

    # What processes do.

    def work(self, chance: random.Random, goes_on: Callable[[], bool]) -> None:
        """Do one thing after the other, as long as *goes_on* says so."""
        while goes_on():
            (name,) = chance.choices(list(_ACTIONS), weights=[weight for weight, _ in _ACTIONS.values()])
            done = _ACTIONS[name][1](self, chance)
            self.done[name] += 1
            if (fault := _fault(name, done)) is not None:
                self.problems.append(f"{name}: {fault}")

    def _command(self, *words: str | Path) -> Done:
        if any(isinstance(word, Path) and word.parent == self._theirs for word in words):
            return self._as_other(sys.executable, "-m", "multisite", *words, with_store=True)
        process = self.machine.spawn(*words)
        out, err = process.communicate(timeout=_ENDS)
        return Done(process.returncode, out, err)

    def _any(self, chance: random.Random) -> Path:
        return self._venv(chance.randrange(self.environments))

    def lock(self, chance: random.Random) -> Done:
        wanted = [f"{name}=={chance.choice(VERSIONS)}" for name in chance.sample(NAMES, 4)]
        return self._command("lock", *wanted, "--venv", self._any(chance))

    def sync(self, chance: random.Random) -> Done:
        return self._command("sync", chance.choice(self.lockfiles), "--venv", self._any(chance))

    def doctor(self, chance: random.Random) -> Done:
        return self._command("doctor", "--venv", self._any(chance))

    def gc(self, chance: random.Random) -> Done:
        return self._command("gc", *chance.choice(((), ("--now",), ("--dry-run",))))

    def verify(self, chance: random.Random) -> Done:
        return self._command("verify", *chance.choice(((), ("--repair",))))

    def dedup(self, chance: random.Random) -> Done:
        return self._command("dedup", "--links")

    def edit(self, chance: random.Random) -> Done:
        return self._command("edit", chance.choice(NAMES), "--venv", self._any(chance))

    def undo(self, chance: random.Random) -> Done:
        return self._command("edit", "--undo", "--force", chance.choice(NAMES), "--venv", self._any(chance))

    def imports(self, chance: random.Random) -> Done:
        venv = self._any(chance)
        before, locked = _seen(venv), _locked(venv / "pylock.toml")
        done = self._python(venv, dict.fromkeys(locked))
        return done if _seen(venv) == before else Done(0, "", "")  # another lock or copy meanwhile: it may be either

    def _python(self, venv: Path, wanted: dict[str, str] | dict[str, None]) -> Done:
        if venv.parent == self._theirs:
            python = venv / "bin" / "python"
            return self._as_other(python, "-c", _IMPORTS, json.dumps(wanted), with_store=False)
        return self.machine.program("python", "-c", _IMPORTS, json.dumps(wanted), venv=venv)

    # At the end.

    def judge(self) -> None:
        """Add to the problems what is not whole."""
        for number in range(self.environments):
            venv = self._venv(number)
            wanted = _locked(venv / "pylock.toml")
            self._demand(f"imports of {venv.name}", self._python(venv, wanted))
            self._demand(f"doctor of {venv.name}", self._examined(venv))
        self._demand("gc", self._command("gc", "--now"))
        self._demand("verify", self._command("verify"))
        kept = self._command("gc", "--now", "--dry-run", "--json").json["kept"]
        self.problems += [f"no environment has {name}; it is kept by {kept.get(name)}" for name in self._unneeded()]
        self.problems += [f"the store: {fault}" for fault in faults(self.machine.store, self.machine.index.folder)]

    def _unneeded(self) -> list[str]:
        """Return the entries that no environment is registered with, sorted."""
        entries = self.machine.store / "multi-site-packages"
        found = {path.relative_to(entries).as_posix() for path in entries.glob("[!.]*/*/*")}
        for path in (self.machine.store / "environments").glob("*.json"):
            found -= set(json.loads(path.read_bytes())["builds"])
        return sorted(found)

    def _examined(self, venv: Path) -> Done:
        """Ask the doctor; that it tells of private copies is right."""
        done = self._command("doctor", "--json", "--venv", venv)
        checks = {finding["check"] for finding in done.json["findings"]} if done.out else {""}
        return Done(0, "", "") if checks <= {"private-copy", "private-copy-unused"} else done

    def _demand(self, what: str, done: Done) -> None:
        if done.code:
            self.problems.append(f"at the end, {what}: {done.code}\n{done.out}{done.err}")


# How often, and what.
_ACTIONS: dict[str, tuple[int, Callable[[Stress, random.Random], Done]]] = {
    "imports": (6, Stress.imports),
    "sync": (5, Stress.sync),
    "lock": (3, Stress.lock),
    "doctor": (1, Stress.doctor),
    "gc": (3, Stress.gc),
    "verify": (2, Stress.verify),
    "dedup": (1, Stress.dedup),
    "edit": (2, Stress.edit),
    "undo": (2, Stress.undo),
}


def _fault(name: str, done: Done) -> str | None:
    """Return what is wrong with how an action ended, None where nothing is."""
    may_fail = {"edit": {1, 2, 3}, "undo": {1, 2, 3}, "doctor": {1, 3}}.get(name, set())
    text = f"{done.code}\n{done.out}{done.err}"
    if "Traceback" in done.err:
        return text
    if done.code == 0:
        return None
    return None if done.code in may_fail and (name == "doctor" or "next: " in done.err) else text


def _seen(venv: Path) -> tuple[int, int, list[str]]:
    """Return what is another once the environment is locked otherwise, or private copies came or went."""
    facts, copies = (venv / "pylock.toml").stat(), venv / ".multisite" / "edits"
    return facts.st_ino, facts.st_mtime_ns, sorted(os.listdir(copies)) if copies.is_dir() else []


def _locked(lockfile: Path) -> dict[str, str]:
    import tomli

    return {package["name"]: package["version"] for package in tomli.loads(lockfile.read_text())["packages"]}


def run(stress: Stress, *, processes: int, seed: int, seconds: float | None = None, actions: int = 0) -> None:
    """Let so many *processes* run at once, for some *seconds*, or for so many *actions* each; then judge."""
    end = None if seconds is None else time.monotonic() + seconds

    def one(number: int) -> None:
        left = iter(range(actions))
        stress.work(random.Random(f"{seed} {number}"), lambda: _is_left(left, end))

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(one, range(processes)))
    stress.judge()


def _is_left(left: Iterator[int], end: float | None) -> bool:
    return next(left, None) is not None if end is None else time.monotonic() < end


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=1, choices=[1, 2])
    options = parser.parse_args()
    if options.accounts > 1 and not can_be_made():
        parser.error("a second account needs root, unshare and setpriv")
    with tempfile.TemporaryDirectory() as folder, Machine.opened(Path(folder) / "machine") as machine:
        Path(folder).chmod(0o755 if options.accounts > 1 else 0o700)
        stress = Stress(machine, accounts=options.accounts)
        run(stress, processes=options.processes, seed=options.seed, seconds=options.seconds)
    print(*stress.problems, sep="\n\n")
    print(f"{stress.done.total()} actions, {len(stress.problems)} problems: {dict(stress.done)}")
    return bool(stress.problems)


if __name__ == "__main__":
    sys.exit(main())

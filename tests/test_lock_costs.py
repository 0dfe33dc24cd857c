"""What a lock loads before uv has begun: whoever waits, waits for that; the rest is loaded while uv works."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine

PROBE = """\
import json, sys
before, loaded = set(sys.modules), []  # coverage has its own
def hear(event, given):
    if event == "subprocess.Popen" and given[1][1:3] == ["pip", "compile"]:
        loaded.append(sorted(set(sys.modules) - before))
sys.addaudithook(hear)
from multisite.__main__ import main
sys.argv[0] = "multisite"
code = main()
print(json.dumps([code, loaded]))
"""
# What reads lockfiles, METADATA and settings, what fetches, unpacks, compiles and writes.
LATER = {
    *("configparser", "csv", "email", "importlib.metadata", "importlib.resources", "packaging.pylock"),
    *("installer", "rich", "tomli_w", "urllib3", "zipfile"),
    *("multisite.bootstrap", "multisite.dispatch", "multisite.entry", "multisite.lockfile", "multisite.outcome"),
    *("multisite.remaking", "multisite.store", "multisite.syncing", "multisite.wanted", "multisite.wheel"),
}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel("alpha")
        machine.wheel("beta")
        yield machine


def loaded(machine: Machine, *words: str) -> list[list[str]]:
    """Run a command in a process of its own; return what was loaded each time that uv was asked."""
    command = [sys.executable, "-c", PROBE, *words]
    done = subprocess.run(command, cwd=machine.work, env=machine.environ(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code, found = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return [list(names) for names in found]


@pytest.mark.parametrize("before", [(), ("alpha",)], ids=["new", "there"])
def test_uv_begins_before_the_rest_is_loaded(machine: Machine, before: tuple[str, ...]) -> None:
    if before:
        machine.run("lock", *before).succeeded()
    (names,) = loaded(machine, "lock", "alpha", "beta")
    assert "multisite.resolving" in names
    assert LATER.isdisjoint(names), LATER.intersection(names)
    ours = [name for name in names if name.startswith("multisite.")]
    assert len(ours) <= 45, ours


def test_a_lock_that_changes_nothing_asks_nobody(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    assert loaded(machine, "lock", "alpha") == []

"""What is really installed beside what is locked: its files are somebody else's, and count instead."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from multisite.real import real_files, really_installed
from tests.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as opened:
        for version, program in (("1.0", "old"), ("2.0", "new")):
            opened.wheel(
                "alpha",
                version,
                entry_points={"console_scripts": {"alpha": "alpha:x", program: "alpha:x"}},
                data={"data": {"share": {"alpha.txt": "the same", f"{program}.txt": program}}},
            )
        opened.wheel("beta")
        opened.run("lock", "alpha ==1.0", "beta").succeeded()
        yield opened


def uv(machine: Machine, *words: str) -> None:
    command = [find_uv_bin(), "pip", *words, "--python", str(machine.environment.python)]
    subprocess.run(command, env=machine.environ(), cwd=machine.work, capture_output=True, check=True)


def files(machine: Machine) -> set[str]:
    names = {"bin/alpha", "bin/old", "bin/new", "share/alpha.txt", "share/old.txt", "share/new.txt"}
    return {name for name in names if (machine.venv / name).exists()}


def checks(machine: Machine) -> set[str]:
    findings = machine.run("doctor", "--json").json["findings"]
    return {finding["check"] for finding in findings if finding["severity"] != "note"}


OLD = {"bin/alpha", "bin/old", "share/alpha.txt", "share/old.txt"}
NEW = {"bin/alpha", "bin/new", "share/alpha.txt", "share/new.txt"}


def test_who_is_installed_and_with_which_files(machine: Machine) -> None:
    assert not really_installed(machine.environment.site_packages)
    uv(machine, "install", "alpha==2.0")
    assert "alpha" in really_installed(machine.environment.site_packages)
    assert {*real_files(machine.environment)} == NEW


def test_a_sync_ends_what_an_upgrade_began_and_undoes_what_an_uninstall_did(machine: Machine) -> None:
    assert files(machine) == OLD
    uv(machine, "install", "--no-deps", "alpha==2.0")
    program = (machine.venv / "bin" / "alpha").read_bytes()
    assert checks(machine) == {"shadowed-by-real"}
    machine.run("sync").succeeded()
    # In a plain environment the upgrade has taken away what only the old one had.
    assert files(machine) == NEW
    assert (machine.venv / "bin" / "alpha").read_bytes() == program
    assert checks(machine) == {"shadowed-by-real"}
    uv(machine, "uninstall", "alpha")
    assert files(machine) == set()
    assert checks(machine) == {"script-missing", "data-missing"}
    machine.run("sync").succeeded()
    assert files(machine) == OLD
    assert checks(machine) == set()


def test_what_is_no_longer_locked_keeps_the_files_of_what_is_installed(machine: Machine) -> None:
    uv(machine, "install", "--no-deps", "alpha==1.0")
    machine.run("lock", "beta").succeeded()
    assert files(machine) == OLD
    assert machine.python("import alpha").succeeded()

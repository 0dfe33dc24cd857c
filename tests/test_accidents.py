"""What happens to an environment by accident stays in the environment: nothing in it is the store's own."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine, snapshot

PROBE = "import alpha, beta, common.one, common.two, mine; print(alpha.value)"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Make an environment with everything that multisite writes into one."""
    with Machine.opened(tmp_path) as machine:
        machine.wheel(
            "alpha",
            files={"alpha": {"__init__.py": "value = 1\n", "data.bin": bytes(5000)}, "alpha.pth": "import sys\n"},
            data={
                "scripts": {"alpha-script": "#!python\nprint(1)\n", "alpha-program": b"\x7fELF" + bytes(5000)},
                "data": {"share": {"alpha": {"data.txt": "data", "large.bin": bytes(5000)}}},
                "headers": {"alpha.h": "#define ALPHA\n"},
            },
            entry_points={"console_scripts": {"alpha": "alpha:main"}},
            executable=["alpha-1.0.data/scripts/alpha-program"],
        )
        machine.wheel("beta")
        # They belong into one package's folder.
        machine.wheel("one", files={"common": {"__init__.py": "", "one.py": ""}})
        machine.wheel("two", files={"common": {"two.py": "", "large.bin": bytes(5000)}})
        machine.project(machine.folder / "mine", "mine")
        requirements: list[str | Path] = ["alpha", "beta", "one", "two", "-e", machine.folder / "mine"]
        machine.run("lock", *requirements).succeeded()
        machine.run("lock", "--upgrade", *requirements, "--site-metadata").succeeded()
        machine.run("view", "--whole").succeeded()
        machine.run("edit", "beta", "one").succeeded()
        assert machine.python(PROBE).succeeded().out == "1\n"
        assert list((machine.store / "shared").glob("[!.]*"))
        yield machine


def everything(folder: Path) -> list[Path]:
    return [Path(root, name) for root, folders, names in os.walk(folder) for name in (*folders, *names)]


def test_no_file_of_it_is_a_file_of_the_store(machine: Machine) -> None:
    stored = {(facts.st_dev, facts.st_ino) for facts in (path.stat() for path in everything(machine.store))}
    paths = everything(machine.venv)
    assert len([path for path in paths if path.is_file()]) > 50
    for path in paths:
        facts = path.lstat()
        if stat.S_ISREG(facts.st_mode):
            assert (facts.st_dev, facts.st_ino) not in stored, path
            assert facts.st_nlink == 1, path


def test_no_link_leads_there(machine: Machine) -> None:
    store, source = machine.store.resolve(), (machine.folder / "mine").resolve()
    for root, folders, names in os.walk(machine.venv, followlinks=True):
        for path in (Path(root, name).resolve() for name in (*folders, *names)):
            assert not path.is_relative_to(store)
            assert not path.is_relative_to(source)


def spoil(folder: Path) -> None:
    """Write into all files, and take every permission away, as by wrong words on a command line."""
    for path in everything(folder):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o666)
            path.write_text("spoiled")
            path.chmod(0)


@pytest.mark.parametrize("accident", [shutil.rmtree, spoil], ids=["rm -rf", "overwritten"])
def test_the_store_stays_as_it_was(machine: Machine, accident: object) -> None:
    before, modes = snapshot(machine.store, content=True), {path: path.lstat() for path in everything(machine.store)}
    assert callable(accident)
    accident(machine.venv)
    assert snapshot(machine.store, content=True) == before
    for path, facts in modes.items():
        now = path.lstat()
        assert (now.st_mode, now.st_mtime_ns, now.st_nlink) == (facts.st_mode, facts.st_mtime_ns, facts.st_nlink), path


def test_what_was_being_copied_or_removed_is_swept(machine: Machine) -> None:
    folder = machine.venv / ".multisite" / "edits"
    left = folder / ".0123456789abcdef.tmp" / "edit" / "site-packages"
    left.mkdir(parents=True)
    (left / "a.py").touch()
    machine.run("sync").succeeded()
    assert sorted(path.name for path in folder.iterdir()) == ["beta-1.0", "one-1.0"]


def test_a_private_copy_can_be_written_to_whatever_the_wheel_says(machine: Machine) -> None:
    machine.wheel("gamma", files={"gamma.py": "value = 1\n"})
    machine.run("lock", "gamma", "--venv", "other").succeeded()
    (stored,) = machine.store.glob("multi-site-packages/gamma/*/*/site-packages/gamma.py")
    stored.chmod(0o444)
    done = machine.run("edit", "gamma", "--venv", "other").succeeded()
    copy = Path(done.out.strip()) / "gamma.py"
    assert stat.S_IMODE(copy.stat().st_mode) & 0o600 == 0o600
    assert stat.S_IMODE(stored.stat().st_mode) == 0o444


def test_a_program_that_writes_beside_its_modules(machine: Machine) -> None:
    """Without a private copy it writes into the store; with one, each environment has a file of its own."""
    writes = "import os\nplace = os.path.join(os.path.dirname(__file__), 'seed.txt')\nopen(place, 'a').close()\n"
    machine.wheel("gamma", files={"gamma": {"__init__.py": writes}})
    machine.run("lock", "gamma", "--venv", "other").succeeded()
    (stored,) = machine.store.glob("multi-site-packages/gamma/*/*/site-packages/gamma")
    copy = Path(machine.run("edit", "gamma", "--venv", "other").succeeded().out.strip())
    probe = "import gamma; print(gamma.place)"
    assert machine.python(probe, venv=machine.work / "other").out == f"{copy}/gamma/seed.txt\n"
    assert sorted(path.name for path in stored.iterdir()) == ["__init__.py"]
    machine.run("edit", "--undo", "--force", "gamma", "--venv", "other").succeeded()
    assert machine.python(probe, venv=machine.work / "other").out == f"{stored}/seed.txt\n"

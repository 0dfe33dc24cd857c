"""Environments that are there already: made by others, with things in them, of an interpreter that was upgraded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.machine import Machine, snapshot
from tests.pythons import SUPPORTED

OTHERS = ("3.8", "3.12")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        for version in ("1.0", "2.0"):
            machine.wheel(
                "alpha",
                version,
                files={"alpha": {"__init__.py": f"version = {version!r}\ndef main():\n    print(version)\n"}},
                entry_points={"console_scripts": {"alpha": "alpha:main"}},
            )
        machine.wheel("beta", files={"beta.py": "import alpha\n"}, requires=["alpha"])
        yield machine


def make(maker: str, python: Path, path: Path) -> None:
    commands = {
        "venv": [str(python), "-m", "venv", str(path)],
        "virtualenv": [sys.executable, "-m", "virtualenv", "--no-download", "--python", str(python), str(path)],
        "uv": [find_uv_bin(), "venv", "--quiet", "--python", str(python), str(path)],
    }
    clean = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(commands[maker], check=True, capture_output=True, env=clean)


def installed(machine: Machine, *names: str) -> None:
    """Really install distributions, as pip and uv do."""
    command = [find_uv_bin(), "pip", "install", "--quiet", "--python", str(machine.venv), *names]
    subprocess.run(command, check=True, env=machine.environ())


@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize("maker", ["venv", "virtualenv", "uv"])
def test_what_others_made_and_filled(machine: Machine, maker: str, version: str, interpreters: dict[str, Path]) -> None:
    if maker == "virtualenv" and version == "3.8":
        pytest.skip("virtualenv makes none for this Python any more")
    if version not in interpreters:
        pytest.skip(f"no Python {version} here")
    make(maker, interpreters[version], machine.venv)
    machine.wheel("here", files={"here.py": "version = 'really here'\n"})
    installed(machine, "here")
    own = machine.environment.site_packages
    (own / "mine.py").write_text("x = 1\n")
    (machine.venv / "bin" / "mine").write_text("#!/bin/sh\necho mine\n")
    before = snapshot(own, machine.venv / "bin", content=True)
    machine.run("lock", "beta").succeeded()
    probe = "import alpha, beta, here, mine; print(alpha.version, here.version, mine.x)"
    assert machine.python(probe).out == "2.0 really here 1\n"
    assert machine.program("alpha").out == "2.0\n"
    assert machine.run("doctor").code == 0
    after = snapshot(own, machine.venv / "bin", content=True)
    assert {path: after.get(path) for path in before} == before
    new = {Path(path).name for path in after.keys() - before.keys()}
    assert new == {"00-multisite.pth", "alpha"}
    # What is installed for real wins, as it would where one installs after the other, and the doctor says so.
    installed(machine, "alpha==1.0")
    assert machine.python("import alpha, importlib.metadata as m; print(alpha.version, m.version('alpha'))").out == (
        "1.0 1.0\n"
    )
    doctor = machine.run("doctor")
    assert doctor.code == 1
    assert "alpha" in doctor.out


@pytest.mark.parametrize("version", SUPPORTED)
def test_system_site_packages(machine: Machine, version: str, interpreters: dict[str, Path]) -> None:
    if version not in interpreters:
        pytest.skip(f"no Python {version} here")
    # Every interpreter has pip of its own; a locked one comes before it.
    machine.wheel("pip", "0.1", files={"pip": {"__init__.py": "version = 'locked'\n"}})
    machine.run("lock", "beta", "--python", interpreters[version], "--system-site-packages").succeeded()
    assert "include-system-site-packages = true" in (machine.venv / "pyvenv.cfg").read_text()
    where = machine.python("import pip, beta; print(pip.__file__)").succeeded().out
    assert Path(where.strip()).is_relative_to(interpreters[version].parents[1])
    assert machine.run("doctor").code == 0
    machine.run("lock", "beta", "pip==0.1").succeeded()
    assert machine.python("import pip; print(pip.version)").out == "locked\n"
    assert machine.run("doctor").code == 0
    machine.run("lock", "beta").succeeded()
    assert machine.python("import pip; print(pip.__file__)").out == where


class Upgraded:
    """An environment of an interpreter in a folder of versions, whose link to the current one is turned."""

    def __init__(self, machine: Machine, before: Path) -> None:
        self.machine = machine
        self.current = machine.folder / "versions" / "current"
        self.current.parent.mkdir()
        self.current.symlink_to(before)
        machine.run("lock", "beta", "--python", self.current / "bin" / "python").succeeded()

    def upgrade(self, after: Path) -> None:
        self.current.unlink()
        self.current.symlink_to(after)


def prefix(version: str, interpreters: dict[str, Path]) -> Path:
    if version not in interpreters:
        pytest.skip(f"no Python {version} here")
    command = [str(interpreters[version]), "-I", "-c", "import sys; print(sys.base_prefix)"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


@pytest.mark.parametrize(("old", "new"), [("3.11", "3.12"), ("3.8", "3.13")])
def test_upgraded_to_another_minor_version(machine: Machine, old: str, new: str, interpreters: dict[str, Path]) -> None:
    place = Upgraded(machine, prefix(old, interpreters))
    place.upgrade(prefix(new, interpreters))
    doctor = machine.run("doctor")
    assert doctor.code == 1
    assert "[interpreter-changed]" in doctor.out
    assert f"multisite sync --venv {machine.venv}" in doctor.out
    machine.run("sync").succeeded()
    assert machine.python("import beta, alpha, sys; print('%d.%d' % sys.version_info[:2])").out == f"{new}\n"
    assert machine.program("alpha").out == "2.0\n"
    doctor = machine.run("doctor")
    assert (doctor.code, doctor.out) == (0, "")
    before = snapshot(machine.venv)
    assert machine.run("sync").succeeded().err.endswith("unchanged; 2 distributions\n")
    assert snapshot(machine.venv) == before


def test_an_older_one_is_not_what_was_locked_for(machine: Machine, interpreters: dict[str, Path]) -> None:
    place = Upgraded(machine, prefix("3.12", interpreters))
    place.upgrade(prefix("3.11", interpreters))
    done = machine.run("sync")
    assert (done.code, done.err.splitlines()[-1]) == (1, "next: lock for this interpreter: multisite lock")
    machine.run("lock", "beta").succeeded()
    assert machine.python("import beta, alpha").code == 0
    assert machine.run("doctor").code == 0


def test_upgraded_and_the_lockfile_does_not_fit(machine: Machine, interpreters: dict[str, Path]) -> None:
    machine.wheel("beta", "2.0", files={"beta.py": ""}, tag="cp311-none-any")
    place = Upgraded(machine, prefix("3.11", interpreters))
    place.upgrade(prefix("3.12", interpreters))
    before = snapshot(machine.venv, content=True)
    done = machine.run("sync")
    assert done.code == 1
    assert "multisite lock" in done.err
    assert snapshot(machine.venv, content=True) == before
    machine.run("lock", "beta").succeeded()
    assert machine.python("import beta, alpha").code == 0
    assert machine.run("doctor").code == 0


def test_replaced_by_one_of_the_same_version(machine: Machine, interpreters: dict[str, Path]) -> None:
    first = prefix("3.11", interpreters)
    place = Upgraded(machine, first)
    copy = machine.folder / "versions" / "copy"
    (copy / "bin").mkdir(parents=True)
    real = (first / "bin" / "python3.11").resolve()
    shutil.copy(real, copy / "bin" / "python3.11")
    for name in ("python", "python3"):
        (copy / "bin" / name).symlink_to("python3.11")
    for name in ("lib", "include"):
        (copy / name).symlink_to(first / name)
    os.utime(copy / "bin" / "python3.11", (0, 0))
    place.upgrade(copy)
    assert machine.python("import beta").code == 0
    doctor = machine.run("doctor")
    assert (doctor.code, "[interpreter-replaced]" in doctor.out) == (0, True)
    machine.run("sync").succeeded()
    assert machine.run("doctor").out == ""


def test_an_older_patch_release_in_the_configuration(machine: Machine, interpreters: dict[str, Path]) -> None:
    Upgraded(machine, prefix("3.11", interpreters))
    path = machine.venv / "pyvenv.cfg"
    text = path.read_text()
    path.write_text(text.replace("version = 3.11.", "version = 3.11.0"))
    machine.run("sync").succeeded()
    assert path.read_text() == text
    assert machine.run("doctor").code == 0


@pytest.mark.parametrize("how", ["moved", "copied"])
@pytest.mark.parametrize("name", ["there", "it's there"])
@pytest.mark.parametrize("maker", ["ours", "venv", "virtualenv", "uv"])
def test_activation_follows_a_move(machine: Machine, maker: str, name: str, how: str) -> None:
    if maker != "ours":
        make(maker, Path(sys.executable), machine.venv)
    machine.run("lock", "beta").succeeded()
    after = machine.work / name / ".venv"
    after.parent.mkdir()
    if how == "moved":
        machine.venv.rename(after)
    else:
        shutil.copytree(machine.venv, after, symlinks=True)
    machine.run("sync", "--venv", after).succeeded()
    command = f'. "{after}/bin/activate" && printf %s "$VIRTUAL_ENV" && command -v alpha >&2'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, env=machine.environ())
    assert done.stdout == str(after)
    assert done.stderr.strip() == str(after / "bin/alpha")
    if name == "there":
        for script in (after / "bin").glob("[Aa]ctivate*"):
            assert f"{machine.venv}/" not in script.read_text().replace(str(after), "")
            assert str(machine.venv) + "'" not in script.read_text()
    before = snapshot(after)
    machine.run("sync", "--venv", after).succeeded()
    assert snapshot(after) == before

"""Several commands at once: on one environment they wait for each other, on one store they help each other."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite.files import locked
from tests.independent_store_check import faults
from tests.killing import leftovers
from tests.machine import Machine, snapshot

PROBE = "import alpha, importlib.metadata as m; print(alpha.version, m.version('alpha'), m.version('beta'))"
WHOLE = {"1.0 1.0 1.0\n": {"alpha", "one"}, "2.0 2.0 2.0\n": {"alpha", "two"}}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        for version, name in (("1.0", "one"), ("2.0", "two")):
            machine.wheel(
                "alpha",
                version,
                files={"alpha.py": f"version = {version!r}\ndef main():\n    print(version)\n"},
                entry_points={"console_scripts": {"alpha": "alpha:main", name: "alpha:main"}},
                requires=[f"beta=={version}"],
            )
            machine.wheel("beta", version, files={"beta": {f"{name}.py": ""}}, data={"data": {"share": {name: name}}})
        yield machine


@pytest.fixture
def lockfiles(machine: Machine) -> list[Path]:
    """Return two lockfiles; neither environment nor store is there yet."""
    made = [machine.folder / "one.toml", machine.folder / "two.toml"]
    for lockfile, version in zip(made, ("1.0", "2.0"), strict=True):
        machine.run("lock", f"alpha=={version}").succeeded()
        shutil.copy(machine.lockfile, lockfile)
    shutil.rmtree(machine.venv)
    shutil.rmtree(machine.store)
    return made


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    said = [process.communicate()[1] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


def judge(machine: Machine) -> None:
    """Demand one of the two environments, whole, and nothing else."""
    done = machine.python(PROBE)
    assert (done.out in WHOLE, done.err) == (True, "")
    programs = {name for name in ("alpha", "one", "two") if (machine.venv / "bin" / name).exists()}
    assert programs == WHOLE[done.out]
    for program in programs:
        assert machine.program(program).out == done.out[:4].rstrip() + "\n"
    assert {path.name for path in (machine.venv / "share").iterdir()} == programs - {"alpha"}
    doctor = machine.run("doctor")
    assert (doctor.code, doctor.out) == (0, ""), doctor.out
    assert doctor.err.startswith(f"{machine.venv}: nothing is wrong\n")
    assert leftovers(machine) == []
    assert faults(machine.store, machine.index.folder) == []


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "there"])
def test_on_one_environment(machine: Machine, lockfiles: list[Path], is_new: bool) -> None:
    if not is_new:
        machine.run("sync", lockfiles[0]).succeeded()
    words: list[tuple[str | Path, ...]] = [
        ("sync", lockfiles[0]),
        ("lock", "alpha==2.0"),
        ("sync", lockfiles[1]),
        ("lock", "alpha==1.0"),
        ("sync", lockfiles[1]),
        ("lock", "alpha==2.0"),
    ]
    outcomes = ended([machine.spawn(*word) for word in words])
    assert [code for code, _ in outcomes] == [0] * len(words), outcomes
    judge(machine)


def test_on_one_store(machine: Machine, lockfiles: list[Path]) -> None:
    venvs = [machine.work / f"venv{number}" for number in range(4)]
    outcomes = ended([machine.spawn("sync", lockfiles[at % 2], "--venv", venv) for at, venv in enumerate(venvs)])
    assert [code for code, _ in outcomes] == [0] * len(venvs), outcomes
    for at, venv in enumerate(venvs):
        assert machine.python(PROBE, venv=venv).out == list(WHOLE)[at % 2]
        assert machine.run("doctor", "--venv", venv).code == 0
    assert len(list((machine.store / "multi-site-packages").glob("[!.]*/*/*"))) == 4
    assert len(list((machine.store / "environments").iterdir())) == 4
    assert faults(machine.store, machine.index.folder, every=True) == []
    assert leftovers(machine) == []


def waiting(machine: Machine, *words: str | Path) -> subprocess.Popen[str]:
    """Start a command on an environment that is held, and return once it waits."""
    process = machine.spawn(*words)
    assert process.stderr is not None
    assert process.stderr.readline() == f"waiting for another multisite that works on {machine.venv}\n"
    return process


def test_whoever_waits_changes_nothing_and_then_does_its_work(machine: Machine, lockfiles: list[Path]) -> None:
    machine.run("sync", lockfiles[0]).succeeded()
    with locked(machine.venv / ".multisite" / "lock"):
        before = snapshot(machine.venv, machine.store)
        process = waiting(machine, "sync", lockfiles[1])
        assert snapshot(machine.venv, machine.store) == before
        assert machine.python(PROBE).out == "1.0 1.0 1.0\n"
    assert ended([process])[0][0] == 0
    assert machine.python(PROBE).out == "2.0 2.0 2.0\n"
    judge(machine)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_waiting_can_be_given_up(machine: Machine, lockfiles: list[Path], number: int, code: int) -> None:
    machine.run("sync", lockfiles[0]).succeeded()
    with locked(machine.venv / ".multisite" / "lock"):
        before = snapshot(machine.venv, machine.store)
        process = waiting(machine, "sync", lockfiles[1])
        process.send_signal(number)
        ((found, text),) = ended([process])
        assert (found, text) == (code, {130: "interrupted\n", 143: "terminated\n"}[code])
        assert snapshot(machine.venv, machine.store) == before
    judge(machine)


def test_what_was_removed_meanwhile(machine: Machine, lockfiles: list[Path]) -> None:
    machine.run("sync", lockfiles[0]).succeeded()
    with locked(machine.venv / ".multisite" / "lock"):
        process = waiting(machine, "sync", lockfiles[1])
        shutil.rmtree(machine.venv)
    ((code, text),) = ended([process])
    reason = f"error: {machine.venv}: it was removed while this command waited for it"
    assert (code, text.splitlines()) == (3, [reason, "next: run the command again"])
    assert not machine.venv.exists()

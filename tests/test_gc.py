"""``multisite gc`` on real environments: what goes, what stays, and what others do meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite.registry import registrations
from tests.builders import write_tree
from tests.container import NOBODY, can_be_made, open_folder
from tests.independent_store_check import faults
from tests.killing import DYING, leftovers
from tests.machine import Machine, snapshot

PROBE = "import {0}; print({0}.version)"
# At how many of the changes to the disk that a command makes it is stopped or killed.
TRIED = 4


def fill(machine: Machine) -> None:
    for version in ("1.0", "2.0", "3.0"):
        machine.wheel("alpha", version, requires=["beta"])
    machine.wheel("beta")
    for name in ("joint-a", "joint-b"):  # which have a folder together
        files = {"joint": {"__init__.py": "version = 1\n", f"{name[-1]}.py": ""}}
        machine.wheel(name, files=files, requires=["joint-b"] if name == "joint-a" else [])


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        fill(machine)
        yield machine


def stored(machine: Machine) -> set[str]:
    """Return what is in the store: entries as name and version, and how many shared folders and tables."""
    store = machine.store
    found = {"-".join(path.parts[-3:-1]) for path in store.glob("multi-site-packages/[!.]*/*/*")}
    found |= {f"{len(list(store.glob(f'{name}/[!.]*')))} {name}" for name in ("shared", "tables", "environments")}
    return found


def test_what_an_environment_uses_stays(machine: Machine) -> None:
    machine.run("lock", "alpha", "joint-a").succeeded()
    before = snapshot(machine.store, machine.venv)
    done = machine.run("gc", "--now", "--json").succeeded()
    assert done.json["goes"] == []
    assert [item["state"] for item in done.json["environments"]] == ["there"]
    after = snapshot(machine.store, machine.venv)
    locks = str(machine.store / "locks")
    assert {path: facts for path, facts in after.items() if not path.startswith(locks)} == {
        path: facts for path, facts in before.items() if not path.startswith(locks)
    }
    assert machine.run("gc").err.splitlines()[-1] == f"{machine.store}: nothing to remove; entries in use: 4"


def test_what_a_deleted_environment_used_goes(machine: Machine) -> None:
    machine.run("lock", "alpha").succeeded()
    machine.run("lock", "joint-a", "--venv", "other").succeeded()
    shutil.rmtree(machine.work / "other")
    planned = machine.run("gc", "--dry-run", "--json").succeeded().json
    assert stored(machine) == {
        *("alpha-3.0", "beta-1.0", "joint-a-1.0", "joint-b-1.0"),
        *("1 shared", "2 tables", "2 environments"),
    }
    done = machine.run("gc", "--json").succeeded().json
    assert {**done, "dry_run": True} == planned
    kinds = [item["kind"] for item in done["goes"]]
    assert kinds == ["table", "shared folder", "entry", "entry", "alias", "alias", "environment"]
    assert stored(machine) == {"alpha-3.0", "beta-1.0", "0 shared", "1 tables", "1 environments"}
    assert machine.python(PROBE.format("alpha")).out == "3.0\n"
    assert machine.run("doctor").code == 0
    assert faults(machine.store, machine.index.folder) == []
    machine.run("lock", "joint-a", "--venv", "other").succeeded()
    assert machine.python("import joint.a, joint.b", venv=machine.work / "other").code == 0


def test_what_is_said(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    shutil.rmtree(machine.venv)
    done = machine.run("gc", "-n").succeeded()
    (entry, environment) = done.out.splitlines()
    assert entry.startswith("- entry beta/1.0/py3-none-any-")
    assert environment == f"- environment {machine.venv}"
    start = f"{machine.store}: would remove 1 table, 1 entry, 1 alias, 1 environment; frees "
    assert done.err.splitlines()[-1].startswith(start)
    done = machine.run("gc").succeeded()
    start = f"{machine.store}: removed 1 table, 1 entry, 1 alias, 1 environment; freed "
    assert done.err.splitlines()[-1].startswith(start)
    done = machine.run("gc", "-q").succeeded()
    assert (done.out, done.err) == ("", "")


def test_earlier_locks_keep_what_they_held(machine: Machine) -> None:
    for version in ("1.0", "2.0", "3.0"):
        machine.run("lock", f"alpha=={version}").succeeded()
    everything = {"alpha-1.0", "alpha-2.0", "alpha-3.0", "beta-1.0", "0 shared", "3 tables", "1 environments"}
    machine.run("gc").succeeded()
    assert stored(machine) == everything
    machine.run("gc", "--keep-locks", "1", "--keep-days", "0").succeeded()
    assert stored(machine) == everything - {"alpha-1.0", "3 tables"} | {"2 tables"}
    machine.run("gc", "--now").succeeded()
    assert stored(machine) == everything - {"alpha-1.0", "alpha-2.0", "3 tables"} | {"1 tables"}
    assert machine.python(PROBE.format("alpha")).out == "3.0\n"
    assert machine.run("doctor").code == 0
    machine.run("lock", "alpha==1.0").succeeded()
    assert machine.python(PROBE.format("alpha")).out == "1.0\n"


def test_a_running_program_goes_on(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    code = "import sys, alpha; print('up', flush=True); sys.stdin.read(); import beta; print(beta.version)"
    command = [str(machine.venv / "bin" / "python"), "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        machine.run("lock", "joint-a").succeeded()
        machine.run("gc").succeeded()
        assert program.communicate("")[0] == "1.0\n"


def test_a_moved_environment_keeps_its_entries_and_registers(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    moved = machine.work / "moved"
    machine.venv.rename(moved)
    done = machine.run("gc").succeeded()
    assert f"{machine.venv} was moved: it is {moved} now; multisite sync there registers it\n" in done.err
    assert machine.python(PROBE.format("beta"), venv=moved).out == "1.0\n"
    machine.run("sync", "--venv", moved).succeeded()
    assert [item.path for item in registrations(machine.store)] == [moved]
    assert machine.run("gc", "--json").json["environments"][0]["state"] == "there"


def test_one_out_of_reach_keeps_its_entries_until_it_is_forgotten(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    (registration,) = registrations(machine.store)
    path = machine.store / "environments" / f"{registration.id}.json"
    path.write_text(path.read_text().replace(f'"device": {registration.device}', '"device": 0'))
    shutil.rmtree(machine.venv)
    done = machine.run("gc", "--now").succeeded()
    assert "beta-1.0" in stored(machine)
    reason = f"its disk is not mounted: {machine.work} is on another"
    assert f"warning: {machine.venv} is out of reach ({reason}); it keeps 1 entries" in done.err
    assert f"If it is gone for good: multisite gc --forget {registration.id}" in done.err
    machine.run("gc", "--forget", machine.venv).succeeded()
    assert stored(machine) == {"0 shared", "0 tables", "0 environments"}


def test_a_moved_environment_stays_what_it_is_when_another_takes_its_place(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    (before,) = registrations(machine.store)
    machine.venv.rename(machine.work / "moved")
    machine.run("lock", "beta").succeeded()
    machine.run("sync", "--venv", "moved").succeeded()
    assert {item.path: item.id for item in registrations(machine.store)}[machine.work / "moved"] == before.id


def test_a_copy_is_its_own(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    shutil.copytree(machine.venv, machine.work / "copy", symlinks=True)
    machine.run("sync", "--venv", "copy").succeeded()
    shutil.rmtree(machine.venv)
    machine.run("gc", "--now").succeeded()
    assert "1 environments" in stored(machine)
    assert machine.python(PROBE.format("beta"), venv=machine.work / "copy").out == "1.0\n"


@pytest.mark.parametrize("words", [["--forget", "nowhere"], ["--keep-locks", "-1"], ["--keep-days", "x"]])
def test_wrong_usage(machine: Machine, words: list[str]) -> None:
    machine.run("lock", "beta").succeeded()
    assert machine.run("gc", *words).code == 2


def test_there_is_no_store(machine: Machine) -> None:
    done = machine.run("gc")
    assert (done.code, done.err.splitlines()[0]) == (3, f"error: store {machine.store}: there is no store")
    assert not machine.store.exists()


def test_a_later_store_is_left_alone(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    shutil.rmtree(machine.venv)
    path = machine.store / "store.json"
    path.write_text(path.read_text().replace('"min_writer": 1', '"min_writer": 2'))
    done = machine.run("gc")
    assert (done.code, done.err.splitlines()[-1]) == (3, "next: upgrade multisite: pip install --upgrade multisite")
    assert "beta-1.0" in stored(machine)


def test_a_damaged_registration_stops_it(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    (registration,) = registrations(machine.store)
    path = machine.store / "environments" / f"{registration.id}.json"
    path.write_text("{")
    done = machine.run("gc")
    assert done.code == 3
    assert f"error: {path}: not a valid registration of an environment" in done.err
    assert f"multisite gc --forget {registration.id}" in done.err
    assert "beta-1.0" in stored(machine)
    machine.run("sync").succeeded()
    machine.run("gc").succeeded()
    assert machine.python(PROBE.format("beta")).out == "1.0\n"


# Others at work.


def stopped(machine: Machine, change: int, *words: str | Path) -> subprocess.Popen[str]:
    """Start a command that stops at its *change*-th change to the disk; return once it has, or has ended."""
    command = [sys.executable, str(DYING), str(change), "SIGSTOP", *map(str, words)]
    process = subprocess.Popen(
        command, cwd=machine.work, env=machine.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return process


def went_on(process: subprocess.Popen[str]) -> str:
    """Let a command go on to its end, which must be a good one; return what it said."""
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, f"{out}\n{err}"
    return err


def changes(machine: Machine, *words: str | Path) -> int:
    command = [sys.executable, str(DYING), "0", "SIGKILL", *map(str, words)]
    done = subprocess.run(command, cwd=machine.work, env=machine.environ(), capture_output=True, text=True, check=True)
    return int(done.stderr.splitlines()[-1])


def picture(machine: Machine) -> None:
    """Have something to collect, and something to keep; remember it."""
    machine.run("lock", "alpha==1.0").succeeded()
    machine.run("lock", "joint-a", "--venv", "other").succeeded()
    shutil.rmtree(machine.work / "other")
    shutil.copytree(machine.folder / "store", machine.folder / "picture")


def restore(machine: Machine) -> None:
    shutil.rmtree(machine.store)
    shutil.copytree(machine.folder / "picture", machine.store, symlinks=True)
    shutil.rmtree(machine.work / "other", ignore_errors=True)


def judge(machine: Machine) -> None:
    """Demand that both environments are whole, and that the next garbage collection leaves nothing over."""
    assert machine.python(PROBE.format("alpha")).out == "1.0\n"
    if (machine.work / "other").exists():
        assert machine.python("import joint.a, joint.b", venv=machine.work / "other").succeeded().err == ""
        assert machine.run("doctor", "--venv", "other").code == 0
    assert machine.run("doctor").code == 0
    machine.run("gc", "--now").succeeded()
    assert machine.run("gc", "--now", "--json").json["goes"] == []
    assert leftovers(machine) == []
    assert not list((machine.store / "condemned").glob("*"))
    assert faults(machine.store, machine.index.folder) == []


def tried(request: pytest.FixtureRequest, number: int) -> range:
    every = 1 if request.config.getoption("--exhaustive") else -(-number // TRIED)
    return range(1 + every // 2, number + 1, every)


@pytest.mark.slow
def test_a_lock_goes_on_wherever_garbage_is_collected_meanwhile(
    machine: Machine, request: pytest.FixtureRequest
) -> None:
    picture(machine)
    words = ("lock", "joint-a", "--venv", "other")
    restore(machine)
    number = changes(machine, *words)
    for change in tried(request, number):
        restore(machine)
        process = stopped(machine, change, *words)
        machine.run("gc", "--now").succeeded()
        went_on(process)
        assert (machine.work / "other").exists()
        judge(machine)


@pytest.mark.slow
def test_garbage_is_collected_to_the_end_whatever_is_locked_meanwhile(
    machine: Machine, request: pytest.FixtureRequest
) -> None:
    picture(machine)
    restore(machine)
    number = changes(machine, "gc", "--now")
    for change in tried(request, number):
        restore(machine)
        process = stopped(machine, change, "gc", "--now")
        with machine.spawn("lock", "joint-a", "--venv", "other") as other:
            assert other.stderr is not None
            # It comes to its end, or waits for what is condemned; then garbage collection goes on.
            said = ""
            for line in other.stderr:
                said += line
                if line.startswith("waiting for multisite gc"):
                    break
            went_on(process)
            said += other.stderr.read()
        assert other.returncode == 0, said
        judge(machine)


@pytest.mark.slow
def test_a_killed_garbage_collection_leaves_a_whole_store(machine: Machine, request: pytest.FixtureRequest) -> None:
    picture(machine)
    restore(machine)
    number = changes(machine, "gc", "--now")
    for change in tried(request, number):
        restore(machine)
        command = [sys.executable, str(DYING), str(change), "SIGKILL", "gc", "--now"]
        subprocess.run(command, cwd=machine.work, env=machine.environ(), capture_output=True, check=False)
        assert machine.run("doctor").code == 0
        if change % 2:
            machine.run("lock", "joint-a", "--venv", "other").succeeded()
        judge(machine)


def test_two_at_once(machine: Machine) -> None:
    picture(machine)
    restore(machine)
    middle = changes(machine, "gc", "--now") // 2
    restore(machine)
    one = stopped(machine, middle, "gc", "--now")
    with machine.spawn("gc", "--now") as other:
        assert other.stderr is not None
        assert other.stderr.readline() == f"waiting for another multisite gc on {machine.store}\n"
        went_on(one)
        other.stderr.read()
    assert other.returncode == 0
    judge(machine)


# Other accounts.


def test_a_store_that_others_read_and_cannot_register_in(machine: Machine) -> None:
    with open_folder() as folder:
        machine.variables["MULTISITE_STORE"] = str(folder / "store")
        machine.run("lock", "beta").succeeded()
        root = folder / "store"
        done = machine.run("gc")
        reason = "other accounts can read it, and cannot register the environments that use it"
        assert (done.code, done.err.splitlines()[0]) == (3, f"error: store {root}: {reason}")
        assert f"chmod 700 {root}" in done.err
        assert f"warning: store {root}: {reason}; multisite gc will ask for --force" in machine.run("gc", "-n").err
        machine.run("gc", "--force").succeeded()
        (root / "environments").chmod(0o1777)
        machine.run("gc").succeeded()
        (root / "environments").chmod(0o755)
        root.chmod(0o700)
        machine.run("gc").succeeded()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_the_store_of_another_account(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    for path in (machine.store, *machine.store.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    done = machine.run("gc", "--force")
    assert (done.code, done.err.splitlines()) == (
        3,
        [f"error: store {machine.store}: it is nobody's, and so is its garbage", "next: run it as nobody"],
    )


@pytest.mark.skipif(not can_be_made(), reason="no container can be made here")
def test_an_environment_of_another_account_that_may_not_be_seen(machine: Machine) -> None:
    """The other account's home is closed to the owner of the store, who is not root."""
    machine.run("lock", "beta").succeeded()
    (registration,) = registrations(machine.store)
    write_tree(machine.work / "home", {".venv": {}})
    path = machine.store / "environments" / f"{registration.id}.json"
    path.write_text(path.read_text().replace(str(machine.venv), str(machine.work / "home" / ".venv")))
    (machine.work / "home").chmod(0)
    shutil.rmtree(machine.venv)
    done = machine.run_unprivileged("gc", "--now", "--json")
    (found,) = done.succeeded().json["environments"]
    assert found["state"] == "unreachable"
    assert found["reason"].endswith("Permission denied")
    assert "beta-1.0" in stored(machine)
    (machine.work / "home").chmod(0o755)

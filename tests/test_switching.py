"""How an environment changes: at whatever step the process dies, and whatever else happened to it before."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite.names import normalize
from tests.machine import Machine, snapshot

PROBE = "import alpha, importlib.metadata as m; print(alpha.version, m.version('alpha'), m.version('beta'))"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        for version, target in (("1.0", "one"), ("2.0", "two"), ("3.0", "three")):
            machine.wheel(
                "alpha",
                version,
                files={"alpha.py": f"version = {version!r}\ndef {target}():\n    print(version)\n"},
                entry_points={"console_scripts": {"alpha": f"alpha:{target}", f"alpha-{target}": f"alpha:{target}"}},
                data={"data": {"share": {"alpha": {f"{target}.txt": target}}}},
                requires=[f"beta=={version}"],
            )
            machine.wheel("beta", version)
        yield machine


# Death at every step. The driver forks, so that each attempt costs little; the child ends at its n-th change of a file.
DRIVER = """\
import json, os, sys
from multisite.cli import run

venv, words = sys.argv[1], sys.argv[2:]
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.utime", "os.chmod"}

def attempt(number):
    child = os.fork()
    if not child:
        left = [number]
        def hook(event, arguments):
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            paths = [os.fspath(item) for item in arguments[:2] if isinstance(item, (str, os.PathLike))]
            if (event in CHANGES or writes) and any(path.startswith(venv + os.sep) for path in paths):
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1
        sys.addaudithook(hook)
        os._exit(run(words))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for line in sys.stdin:
    print(json.dumps(attempt(int(line))), flush=True)
"""


def facts(machine: Machine) -> dict[str, object]:
    """Return what the environment consists of; what differs from one run to the next left out."""
    found = snapshot(machine.venv, content=True)
    found.pop(str(machine.venv / ".multisite/table"))
    state = json.loads((machine.venv / ".multisite/environment.json").read_text())
    for item in state["history"]:
        item["time"] = 0
    state["id"] = ""
    return {**found, str(machine.venv / ".multisite/environment.json"): state}


@pytest.mark.slow
@pytest.mark.parametrize("is_new", [False, True], ids=["changed", "new"])
def test_death_at_every_step(machine: Machine, is_new: bool) -> None:
    old, new = machine.work / "old.toml", machine.work / "new.toml"
    for lockfile, version in ((new, "2.0"), (old, "1.0")):
        machine.run("lock", f"alpha=={version}").succeeded()
        shutil.copy(machine.lockfile, lockfile)
    before = machine.folder / "before"
    if is_new:
        shutil.rmtree(machine.venv)
        machine.run("sync", old, "--venv", "other").succeeded()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", machine.venv], check=True)
    shutil.copytree(machine.venv, before, symlinks=True)
    machine.run("sync", new).succeeded()
    expected = facts(machine)
    outcomes = {"1.0 1.0 1.0\n", "2.0 2.0 2.0\n"} if not is_new else {"", "2.0 2.0 2.0\n"}
    command = [sys.executable, "-c", DRIVER, str(machine.venv), "sync", str(new), "-q"]
    driver = subprocess.Popen(
        command, cwd=machine.work, env=machine.environ(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert driver.stdin is not None
    assert driver.stdout is not None
    seen = []
    code, number = 9, 0
    with driver:
        while code == 9:
            shutil.rmtree(machine.venv)
            shutil.copytree(before, machine.venv, symlinks=True)
            driver.stdin.write(f"{number}\n")
            driver.stdin.flush()
            code = json.loads(driver.stdout.readline())
            done = machine.python(PROBE)
            assert done.out in outcomes, number
            if done.out:
                assert done.err == "", number
            seen.append(done.out)
            if code == 9:
                machine.run("sync", new).succeeded()
                assert facts(machine) == expected, number
            number += 1
        driver.stdin.close()
    assert code == 0
    assert number > 20
    # Once it is new, it stays so.
    assert set(seen) == outcomes
    assert seen == sorted(seen)


def test_death_and_then_another_lockfile(machine: Machine) -> None:
    """A program that the dead process wrote is known as ours, though no state says so yet."""
    machine.run("lock", "alpha==1.0").succeeded()
    first = (machine.venv / ".multisite/environment.json").read_bytes()
    machine.run("lock", "alpha==2.0").succeeded()
    (machine.venv / ".multisite/environment.json").rename(machine.venv / ".multisite/next.json")
    (machine.venv / ".multisite/environment.json").write_bytes(first)
    done = machine.run("lock", "alpha==3.0").succeeded()
    assert "left alone" not in done.err
    assert machine.program("alpha").out == "3.0\n"
    assert not (machine.venv / "bin/alpha-two").exists()
    assert not (machine.venv / ".multisite/next.json").exists()


# Lockfiles that somebody else changes.


def test_a_lockfile_that_git_switches(machine: Machine) -> None:
    lockfile = machine.work / "pylock.toml"
    machine.run("lock", "alpha==1.0", "-o", "pylock.toml").succeeded()
    one = lockfile.read_bytes()
    machine.run("lock", "alpha==2.0").succeeded()
    assert machine.state.lockfile == "../pylock.toml"
    assert not machine.lockfile.exists()
    two = lockfile.read_bytes()
    for content, version in ((one, "1.0"), (two, "2.0"), (one, "1.0")):
        lockfile.write_bytes(content)
        done = machine.python(PROBE)
        assert (done.out, done.err) == (f"{version} {version} {version}\n", "")
    assert (machine.venv / "bin/alpha-two").exists()
    machine.run("sync").succeeded()
    assert not (machine.venv / "bin/alpha-two").exists()
    assert machine.python(PROBE).err == ""


def test_a_lockfile_that_is_edited(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    with machine.lockfile.open("a") as file:
        file.write("# a remark\n")
    done = machine.python(PROBE)
    assert done.out == "1.0 1.0 1.0\n"
    assert done.err == (
        f"multisite: {machine.venv}: the lockfile has changed since the environment was made from it; "
        f"run: multisite sync --venv {machine.venv}\n"
    )
    machine.run("sync").succeeded()
    assert machine.lockfile.read_text().endswith("# a remark\n")
    assert machine.python(PROBE).err == ""


def test_a_lockfile_that_is_gone(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    content = machine.lockfile.read_bytes()
    machine.lockfile.unlink()
    done = machine.run("sync").succeeded()
    assert "is gone; " in done.err
    assert machine.lockfile.read_bytes() == content


@pytest.mark.parametrize("words", [["sync"], ["sync", "-q"]], ids=" ".join)
@pytest.mark.parametrize("way", [0, 1, "doctor", "lock"])
def test_a_lockfile_elsewhere_that_is_gone(machine: Machine, words: list[str], way: int | str) -> None:
    machine.run("lock", "alpha==1.0", "-o", "pylock.toml").succeeded()
    lockfile = machine.work / "pylock.toml"
    content = lockfile.read_bytes()
    lockfile.unlink()
    before = snapshot(machine.venv, content=True)
    done = machine.run(*words)
    assert done.code == 3
    error, following = done.err.splitlines()
    assert error == f"error: {lockfile}: it is gone, and the environment {machine.venv} follows it"
    assert snapshot(machine.venv, content=True) == before
    ways = [sentence.partition(": ")[2] for sentence in following.removeprefix("next: ").split("; or ")]
    if isinstance(way, int):
        for command in ways[way].split(" && "):
            if command.startswith("multisite "):
                machine.run(*command.split()[1:]).succeeded()
            else:
                subprocess.run(command, shell=True, check=True)
    else:
        machine.run(*{"doctor": ["doctor", "--fix"], "lock": ["lock", "alpha==1.0"]}[way]).succeeded()
    machine.run("sync").succeeded()
    followed = machine.lockfile if way == 1 else lockfile
    assert followed.read_bytes() == content
    assert machine.environment.lockfile_of(machine.state) == followed
    assert lockfile.exists() == (way != 1)
    assert machine.python(PROBE).err == ""
    assert machine.run("doctor").code == 0


def test_a_lockfile_elsewhere_that_is_gone_and_no_copy_was_kept(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0", "-o", "pylock.toml").succeeded()
    (machine.work / "pylock.toml").unlink()
    shutil.rmtree(machine.venv / ".multisite/history")
    done = machine.run("sync")
    assert (done.code, done.err.splitlines()[-1]) == (
        3,
        f"next: name what you need: multisite lock REQUIREMENT --venv {machine.venv}",
    )


def test_the_lockfile_in_the_environment_goes_when_another_is_followed(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    machine.run("lock", "alpha==1.0", "-o", "pylock.toml").succeeded()
    assert not machine.lockfile.exists()
    machine.run("lock", "alpha==2.0", "-o", machine.lockfile).succeeded()
    (machine.work / "pylock.toml").unlink()
    machine.lockfile.write_text(machine.lockfile.read_text() + "# mine\n")
    done = machine.run("lock", "alpha==2.0", "-o", "pylock.dev.toml").succeeded()
    lockfile = machine.work / "pylock.dev.toml"
    message = f"{machine.lockfile} is not the environment's lockfile, which is {lockfile}; it is left alone"
    assert f"note [files] {message}\n" in done.err
    assert machine.lockfile.read_text().endswith("# mine\n")
    assert machine.run("doctor").code == 0


@pytest.mark.parametrize("name", ["lock.txt", "pylock.txt", "pylock.a.b.toml"])
def test_a_lockfile_has_one_of_its_names(machine: Machine, name: str) -> None:
    done = machine.run("lock", "-q", "alpha==1.0", "-o", name)
    error = f"{machine.work / name}: a lockfile is called pylock.toml or pylock.NAME.toml (PEP 751)"
    assert (done.code, done.err) == (2, f"error: {error}\nnext: -o {machine.work / 'pylock.toml'}\n")
    assert not machine.venv.exists()


def test_a_damaged_lockfile_of_the_environment(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    content = machine.lockfile.read_bytes()
    machine.lockfile.write_text("nonsense")
    done = machine.run("sync")
    command = done.err.splitlines()[-1].removeprefix("next: put it back: ")
    assert (done.code, command[:5]) == (1, "gzip ")
    subprocess.run(command, shell=True, check=True)
    assert machine.lockfile.read_bytes() == content
    machine.run("sync").succeeded()


def test_advice_for_a_damaged_lockfile_in_the_folder_does_not_lead_back_to_it(machine: Machine) -> None:
    (machine.work / "pylock.toml").write_text("nonsense")
    assert "next: write it anew: multisite lock" in machine.run("sync").err
    advice = "next: put it right or remove it, or name what you need: multisite lock REQUIREMENT\n"
    assert machine.run("lock").err.endswith(advice)


def test_a_lockfile_behind_a_link(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    shared = machine.folder / "shared.toml"
    machine.lockfile.rename(shared)
    machine.lockfile.symlink_to(shared)
    machine.run("lock", "alpha==2.0").succeeded()
    assert machine.lockfile.is_symlink()
    assert b'version = "2.0"' in shared.read_bytes()
    assert machine.python(PROBE).out == "2.0 2.0 2.0\n"


def test_an_environment_behind_a_link_with_a_lockfile_elsewhere(machine: Machine) -> None:
    (machine.folder / "disk").mkdir()
    machine.run("lock", "alpha==1.0", "--venv", machine.folder / "disk/venv").succeeded()
    machine.venv.symlink_to(machine.folder / "disk/venv")
    machine.run("lock", "alpha==2.0", "-o", "pylock.toml").succeeded()
    done = machine.python(PROBE)
    assert (done.out, done.err) == ("2.0 2.0 2.0\n", "")
    assert machine.run("sync").err.endswith("unchanged; 2 distributions\n")


# Environments that move.


def test_a_copy_is_an_environment_of_its_own(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    copy = machine.work / "copy"
    shutil.copytree(machine.venv, copy, symlinks=True)
    machine.run("sync", "--venv", copy).succeeded()
    first, second = (json.loads((venv / ".multisite/environment.json").read_text()) for venv in (machine.venv, copy))
    assert first["id"] != second["id"]
    assert len(list((machine.store / "environments").iterdir())) == 2
    assert (copy / "bin/alpha").read_text().startswith(f"#!{copy}/bin/python")
    machine.run("lock", "alpha==2.0", "--venv", copy).succeeded()
    assert machine.python(PROBE).out == "1.0 1.0 1.0\n"
    assert machine.python(PROBE, venv=copy).out == "2.0 2.0 2.0\n"


def test_a_moved_environment(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    identity = machine.state.id
    moved = machine.work / "deep" / "er"
    moved.parent.mkdir()
    machine.venv.rename(moved)
    assert machine.python(PROBE, venv=moved).out == "1.0 1.0 1.0\n"
    machine.run("sync", "--venv", moved).succeeded()
    assert machine.program("alpha", venv=moved).out == "1.0\n"
    assert json.loads((moved / ".multisite/environment.json").read_text())["id"] == identity
    (registration,) = (machine.store / "environments").iterdir()
    assert json.loads(registration.read_text())["path"] == str(moved)


# Stores.


def test_the_environment_remembers_its_store(machine: Machine) -> None:
    machine.variables["MULTISITE_STORE"] = ""
    machine.run("lock", "alpha==1.0", "--store", "here").succeeded()
    before = snapshot(machine.venv, machine.work / "here")
    assert machine.run("sync").err.endswith("unchanged; 2 distributions\n")
    assert snapshot(machine.venv, machine.work / "here") == before
    assert not (machine.folder / "home/.local").exists()


def test_a_relative_store(machine: Machine) -> None:
    machine.variables["MULTISITE_STORE"] = "../relative"
    machine.run("lock", "alpha==1.0").succeeded()
    assert machine.state.store == str(machine.folder / "relative")
    assert machine.python(PROBE).out == "1.0 1.0 1.0\n"


def test_another_store(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    machine.run("lock", "alpha==2.0").succeeded()
    machine.run("sync", "--store", "other").succeeded()
    assert list((machine.store / "environments").iterdir()) == []
    assert len(list((machine.work / "other/environments").iterdir())) == 1
    assert machine.state.history == ()
    machine.store.rename(machine.folder / "away")
    assert machine.python(PROBE).out == "2.0 2.0 2.0\n"
    assert machine.run("doctor", "--store", "other").code == 0


def test_a_store_that_moved(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    machine.run("lock", "alpha==2.0").succeeded()
    machine.store.rename(machine.folder / "moved")
    machine.variables["MULTISITE_STORE"] = str(machine.folder / "moved")
    machine.index.requests.clear()
    machine.run("sync").succeeded()
    assert not machine.index.requests
    assert len(machine.state.history) == 1
    assert machine.python(PROBE).out == "2.0 2.0 2.0\n"


needs_modes = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="file modes do not bind root, and there is no setpriv"
)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    items = [(path, path.stat().st_mode) for path in [folder, *folder.rglob("*")] if not path.is_symlink()]
    for path, mode in items:
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in items:
            path.chmod(mode)


@needs_modes
def test_a_store_that_is_read_only(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    before = snapshot(machine.store, content=True)
    with read_only(machine.store):
        machine.run_unprivileged("sync", machine.lockfile, "--venv", "second").succeeded()
        assert machine.python(PROBE, venv=machine.work / "second").out == "1.0 1.0 1.0\n"
        done = machine.run_unprivileged("lock", "alpha==2.0", "--venv", "second")
    assert done.code == 3
    assert done.err.splitlines()[-2] == (
        f"error: store {machine.store}: it may not be written to, and has no alpha and beta"
    )
    assert snapshot(machine.store, content=True) == before
    assert machine.python(PROBE, venv=machine.work / "second").out == "1.0 1.0 1.0\n"


@needs_modes
def test_an_environment_that_is_read_only(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    with read_only(machine.venv):
        assert machine.run_unprivileged("sync").err.endswith("unchanged; 2 distributions\n")
        done = machine.run_unprivileged("lock", "alpha==2.0")
    assert done.code == 3
    assert f"error: {machine.venv}: it cannot be changed: {machine.venv}/.multisite may not be written to" in done.err
    assert machine.python(PROBE).out == "1.0 1.0 1.0\n"


# Damage.


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1}', b"\xff\xfe"])
def test_a_damaged_state(machine: Machine, content: bytes) -> None:
    machine.run("lock", "alpha==1.0", "-o", "pylock.toml").succeeded()
    identity = machine.state.id
    (machine.venv / ".multisite/environment.json").write_bytes(content)
    done = machine.run("lock", "alpha==2.0").succeeded()
    assert "left alone" not in done.err
    assert " ~ alpha 1.0 -> 2.0\n" in done.err
    assert machine.state.id == identity
    assert not (machine.venv / "bin/alpha-one").exists()
    assert not (machine.venv / "share/alpha/one.txt").exists()
    assert machine.python(PROBE).out == "2.0 2.0 2.0\n"
    assert machine.run("doctor").code == 0


def test_a_damaged_state_and_table(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    (machine.venv / ".multisite/environment.json").write_bytes(b"{")
    (machine.venv / ".multisite/table").write_bytes(b"MSTABLE\n")
    machine.run("sync").succeeded()
    assert machine.program("alpha").out == "1.0\n"
    assert sorted(machine.state.files) == ["bin/alpha", "bin/alpha-one", "share/alpha/one.txt"]


def test_a_state_of_a_later_multisite_is_left_for_it(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    (machine.venv / ".multisite/environment.json").write_text('{"format": 3}')
    before = snapshot(machine.venv, content=True)
    for words in (["lock", "alpha==2.0"], ["sync"], ["list"]):
        done = machine.run(*words)
        assert done.code == 3
        assert "environment.json has format 3; this multisite knows format 2\n" in done.err
    assert snapshot(machine.venv, content=True) == before


DATA = {
    "file": {"data": {"share": {"d": "file"}}},
    "folder": {"data": {"share": {"d": {"e": {"f": "inner"}, "g": "x"}}}},
}


@pytest.mark.parametrize(("before", "after"), [("file", "folder"), ("folder", "file")])
def test_a_data_file_that_becomes_a_folder_and_back(machine: Machine, before: str, after: str) -> None:
    machine.wheel("delta", "1.0", data=DATA[before])
    machine.wheel("delta", "2.0", data=DATA[after])
    machine.run("lock", "delta==1.0").succeeded()
    done = machine.run("lock", "delta==2.0").succeeded()
    assert "left alone" not in done.err
    place = machine.venv / "share" / "d"
    assert place.is_file() == (after == "file")
    assert machine.run("sync").succeeded().err.endswith("unchanged; 1 distribution\n")
    assert machine.run("doctor").code == 0


@pytest.mark.parametrize(("before", "after"), [("file", "folder"), ("folder", "file")])
def test_what_somebody_changed_stays_in_its_way(machine: Machine, before: str, after: str) -> None:
    machine.wheel("delta", "1.0", data=DATA[before])
    machine.wheel("delta", "2.0", data=DATA[after])
    machine.run("lock", "delta==1.0").succeeded()
    place = machine.venv / "share" / "d"
    mine = place if before == "file" else place / "e" / "mine"
    mine.write_text("mine")
    assert "left alone" in machine.run("lock", "delta==2.0").succeeded().err
    assert mine.read_text() == "mine"


def test_doctor_never_takes_away_what_is_somebody_elses(machine: Machine) -> None:
    scripts = dict.fromkeys(("delta", "python", "changed"), "delta:x")
    machine.wheel("delta", entry_points={"console_scripts": scripts})
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", machine.venv], check=True)
    (machine.venv / "bin/delta").write_text("my own work")
    machine.run("lock", "delta").succeeded()
    (machine.venv / "bin/changed").write_text("my change")
    own = (machine.venv / "bin/python").readlink()
    done = machine.run("doctor", "--fix")
    assert done.code == 1
    assert f"{machine.venv}/bin/changed is kept as {machine.venv}/bin/changed.old\n" in done.err
    assert (machine.venv / "bin/python").readlink() == own
    assert (machine.venv / "bin/delta").read_text() == "my own work"
    assert (machine.venv / "bin/changed.old").read_text() == "my change"
    assert "bin/python is the environment's own: the program of delta cannot be had under that name" in done.out
    fixes = [finding["fix"] for finding in machine.run("doctor", "--json").json["findings"]]
    moved = f"mv {machine.venv}/bin/delta {machine.venv}/bin/delta.old && multisite sync --venv {machine.venv}"
    assert fixes == [moved, None]


def test_a_folder_of_data_files_that_is_a_link(machine: Machine) -> None:
    machine.wheel("delta", "1.0", data={"data": {"jupyter": {"a": "1", "sub": {"b": "2"}}}})
    machine.wheel("delta", "2.0")
    elsewhere = machine.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    machine.run("lock", "alpha==1.0").succeeded()
    (machine.venv / "jupyter").symlink_to(elsewhere)
    machine.run("lock", "delta==1.0").succeeded()
    machine.run("lock", "delta==2.0").succeeded()
    assert [path.name for path in elsewhere.rglob("*")] == ["mine"]
    assert (machine.venv / "jupyter").is_symlink()
    assert machine.run("doctor").code == 0


def test_what_ends_the_interpreter_can_be_left_again(machine: Machine) -> None:
    machine.wheel("ending", files={"sitecustomize.py": "raise SystemExit(3)\n"})
    machine.run("lock", "alpha==1.0").succeeded()
    good = machine.work / "pylock.good.toml"
    shutil.copy(machine.lockfile, good)
    machine.run("lock", "ending").succeeded()
    assert machine.python("").code != 0
    (finding,) = machine.run("doctor", "--json").json["findings"]
    assert finding["message"].endswith("It starts without the finder: something that is locked ends it")
    assert finding["fix"] == f"lock without it: multisite lock --venv {machine.venv}"
    done = machine.run("sync").succeeded()
    assert "warning [interpreter] it did not start with what was locked until now: " in done.err
    machine.run("sync", good).succeeded()
    assert machine.python(PROBE).code == 0
    assert machine.run("doctor").code == 0


@pytest.mark.parametrize("name", ["environment.json", "next.json", "registration"])
def test_advice_for_what_a_later_multisite_wrote(machine: Machine, name: str) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    path = machine.venv / ".multisite" / name
    if name == "registration":
        (path,) = (machine.store / "environments").iterdir()
    path.write_text('{"format": 99}')
    upgrade = "upgrade multisite: pip install --upgrade multisite"
    assert machine.run("sync").err.endswith(f"next: {upgrade}\n")
    doctor = machine.run("doctor", "--json")
    assert doctor.code != 0
    assert [finding["fix"] for finding in doctor.json["findings"]] == [upgrade]


def test_an_environment_that_venv_cleared(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", machine.venv], check=True)
    fixes = {finding["fix"] for finding in machine.run("doctor", "--json").json["findings"]}
    assert fixes == {f"multisite lock --venv {machine.venv}"}


def test_system_site_packages_come_with_a_new_environment_only(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    done = machine.run("sync", "--system-site-packages").succeeded()
    path = machine.venv / "pyvenv.cfg"
    assert "--system-site-packages is for a new environment, and this one does not see them" in done.err
    assert f"    write include-system-site-packages = true into {path}\n" in done.err
    path.write_text(path.read_text().replace("= false", "= true"))
    assert "new environment" not in machine.run("sync", "--system-site-packages").succeeded().err


def test_a_store_that_was_half_removed(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    (machine.store / "store.json").unlink()
    shutil.rmtree(machine.store / "multi-site-packages")
    assert [item["check"] for item in machine.run("doctor", "--json").json["findings"]] == ["store-unusable"]
    machine.run("sync").succeeded()
    assert machine.python(PROBE).code == 0
    assert machine.run("doctor").code == 0


@pytest.mark.parametrize("name", ["", "lock", "table", "environment.json", "next.json", "runtime", "facts", "history"])
def test_something_else_in_the_place_of_our_own(machine: Machine, name: str) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    path = machine.venv / ".multisite" / name
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("mine")
    else:
        path.unlink(missing_ok=True)
        (path / "mine").mkdir(parents=True)
    fixes = {finding["fix"] for finding in machine.run("doctor", "--json").json["findings"]}
    assert fixes <= {f"multisite sync --venv {machine.venv}"}
    kept = path.with_name(f"{path.name}.old")
    done = machine.run("sync").succeeded()
    assert f"warning [interpreter] something else was in the place of multisite's own; it is {kept} now\n" in done.err
    assert kept.exists()
    assert machine.python(PROBE).code == 0
    assert machine.run("doctor").code == 0


# An environment of an earlier multisite.

FILES = """\
import importlib.metadata
print(sorted(map(str, importlib.metadata.files("alpha"))))
print(importlib.metadata.distribution("alpha").read_text("RECORD"))
"""


def in_the_first_format(machine: Machine) -> bytes:
    """Return environment.json as the first format had it."""
    state = machine.state
    document = json.loads(state.to_document())
    (record,) = machine.store.glob("multi-site-packages/alpha/1.0/*/site-packages/*.dist-info/RECORD")
    paths = [line.partition(",")[0] for line in record.read_text(encoding="utf-8").splitlines()]
    document["format"] = 1
    document["files"] = {path: dataclasses.asdict(file) for path, file in state.files.items()}
    document["installs"] = {
        "alpha": {
            "added": list(state.installs[normalize("alpha")].added),
            "removed": [path for path in paths if path.startswith("alpha-1.0.data/")],
        }
    }
    others = {"store": 0, "artifact": None, "shared": None, "requested": False, "direct_url": None}
    document["builds"] = {name: {**others, **item} for name, item in document["builds"].items()}
    return json.dumps(document, sort_keys=True, indent=1).encode()


def test_an_environment_of_the_first_format_is_read_and_renewed(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    path, state = machine.venv / ".multisite/environment.json", machine.state
    now, found = path.read_bytes(), machine.python(FILES).succeeded().out
    path.write_bytes(in_the_first_format(machine))
    assert path.read_bytes() != now
    assert machine.state.files == state.files
    assert machine.python(FILES).succeeded().out == found
    assert "alpha-1.0.data" not in found
    assert machine.run("doctor").code == 0
    machine.run("sync").succeeded()
    assert path.read_bytes() == now
    path.write_bytes(in_the_first_format(machine))
    machine.run("lock", "alpha==2.0").succeeded()
    assert not (machine.venv / "share/alpha/one.txt").exists()


def test_a_running_process_is_told_where_somebody_emptied_the_importer_cache(machine: Machine) -> None:
    machine.run("lock", "beta==1.0").succeeded()
    told = "sys.path_importer_cache.clear(); importlib.invalidate_caches()"
    code = f"import sys, importlib, beta; input('begun\\n'); {told}; import alpha; print(alpha.version)"
    command = [str(machine.venv / "bin" / "python"), "-u", "-c", code]
    with subprocess.Popen(
        command, cwd=machine.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        machine.run("lock", "alpha==1.0").succeeded()
        assert process.communicate("\n")[0] == "1.0\n"

"""An environment made by its blueprint: the same as without one, as few steps as there should be, and never half."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from multisite import wholesale
from multisite.dispatch import DispatchTable
from multisite.environment import Environment
from multisite.quick import answered
from tests.machine import Machine
from tests.test_settled import START, counted

QUICK = {
    "multisite.quick",
    "multisite.settled",
    "multisite.ending",
    "multisite.raising",
    "multisite.blueprint",
    "multisite.aside",
    "multisite.writing",
    "multisite.wholesale",
}
ITS_OWN = {
    "_sha256",
    "_sha2",
    "_ctypes",
    "binascii",
    "fcntl",
}  # built in or beside the interpreter, as that was compiled
FILES = 20


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        files = {"alpha.py": "version = '1.0'\ndef main():\n    print(version)\n"}
        programs = {"console_scripts": {"alpha": "alpha:main", "alpha-too": "alpha:main"}}
        scripts = {"alpha.sh": "#!/bin/sh\necho\n", "alpha-script": b"#!python\nimport alpha\nprint(alpha.version)\n"}
        data = {"share": {"alpha": {"text.txt": "text", "empty": "", "large": bytes(range(256)) * 5000}}}
        machine.wheel("alpha", files=files, entry_points=programs, data={"scripts": scripts, "data": data})
        for number in range(2):  # they collide, so that they share a folder
            shared = {"shared": {"__init__.py": "", f"part{number}.py": f"number = {number}\n"}}
            machine.wheel(f"shared{number}", files=shared)
        machine.wheel("beta", files={"beta": {f"m{number}.py": "" for number in range(FILES)} | {"__init__.py": ""}})
        machine.run("lock", "alpha", "beta", "shared0", "shared1", "--venv", "first").succeeded()
        shutil.copy(machine.work / "first" / "pylock.toml", machine.work)
        yield machine


def tree(environment: Path) -> dict[str, Any]:
    """Return all that is in an environment but what tells it from any other."""
    found: dict[str, Any] = {}
    for path in sorted(environment.rglob("*")):
        name, mode = path.relative_to(environment).as_posix(), path.lstat().st_mode
        content = os.readlink(path) if path.is_symlink() else b"" if path.is_dir() else path.read_bytes()
        if name == ".multisite/table" and isinstance(content, bytes):
            binding, table = DispatchTable.decode(content, path)
            found[name] = (mode, table, {**binding, "id": "", "mtime_ns": 0})
        elif name == ".multisite/environment.json" and isinstance(content, bytes):
            found[name] = (mode, re.sub(rb'"id":"\w+"', b"", content))
        elif name != ".multisite/lock":  # of those who wait for each other
            found[name] = (mode, content)
    return found


def made_quickly(machine: Machine, *words: str | Path) -> dict[str, int]:
    _, modules, calls = counted(machine, *words)
    assert modules - ITS_OWN == START | QUICK
    return calls


@pytest.mark.parametrize("name", ["other", ".venv", "deep/er"])
def test_it_is_the_same_as_without_a_blueprint(machine: Machine, name: str) -> None:
    folder = machine.work / name
    folder.parent.mkdir(exist_ok=True)
    machine.run("sync", "pylock.toml", "--venv", name).succeeded()
    ordinary, state = tree(folder), Environment.open(folder).read_state()
    registered = json.loads((machine.store / "environments" / f"{getattr(state, 'id', '')}.json").read_bytes())
    shutil.rmtree(folder)
    made_quickly(machine, "sync", "pylock.toml", "--venv", name)
    assert tree(folder) == ordinary
    anew = Environment.open(folder).read_state()
    known = json.loads((machine.store / "environments" / f"{getattr(anew, 'id', '')}.json").read_bytes())
    assert {**known, "id": "", "seen": 0} == {**registered, "id": "", "seen": 0}
    assert not list((machine.store / "pins").glob("[!.]*"))


def test_it_works(machine: Machine) -> None:
    machine.run("sync", "pylock.toml", "--venv", "third", "--python", sys.executable).succeeded()
    made_quickly(machine, "sync", "pylock.toml", "--venv", "other", "-q", "--python", sys.executable)
    other = machine.work / "other"
    probe = "import alpha, shared.part0, shared.part1, beta.m1; print(alpha.version)"
    assert machine.python(probe, venv=other).out == "1.0\n"
    assert machine.program("alpha", venv=other).out == "1.0\n"
    assert machine.program("alpha-script", venv=other).out == "1.0\n"
    assert machine.run("doctor", "--venv", "other").succeeded()
    assert "unchanged" in machine.run("sync", "--venv", "other").succeeded().err
    machine.run("gc", "--now").succeeded()
    assert machine.python(probe, venv=other).out == "1.0\n"


def test_the_same_is_said(machine: Machine) -> None:
    ordinary = machine.run("sync", "pylock.toml", "--venv", "other").succeeded().err.splitlines()
    shutil.rmtree(machine.work / "other")
    assert counted(machine, "sync", "pylock.toml", "--venv", "other")[0] == ordinary


def test_without_a_lockfile_it_is_that_of_the_current_folder(machine: Machine) -> None:
    ordinary = machine.run("sync").succeeded().err.splitlines()
    expected = tree(machine.venv)
    shutil.rmtree(machine.venv)
    made_quickly(machine, "sync")
    assert tree(machine.venv) == expected
    shutil.rmtree(machine.venv)
    assert counted(machine, "sync")[0] == ordinary
    said = counted(machine, "sync")[0]
    assert said == [f"syncing {machine.lockfile}", f"{machine.venv}: unchanged; 4 distributions"]


def test_the_next_command_has_nothing_to_do(machine: Machine) -> None:
    command = ("sync", "pylock.toml", "--venv", "other")
    made_quickly(machine, *command)
    said, modules, _ = counted(machine, *command)
    assert said == [f"syncing {machine.work / 'pylock.toml'}", f"{machine.work / 'other'}: unchanged; 4 distributions"]
    assert modules == START | {"multisite.quick", "multisite.settled"}
    assert said[1:] == counted(machine, "sync", "--venv", "other")[0][1:]
    ordinary = machine.run("sync", "--venv", "other").succeeded().err.splitlines()
    assert counted(machine, "sync", "--venv", "other")[0] == ordinary
    (machine.work / "other" / "share" / "alpha" / "text.txt").unlink()
    assert "mended" in counted(machine, *command)[0][1]


def test_a_lockfile_of_one_size_and_time_may_be_another(machine: Machine) -> None:
    command = ("sync", "pylock.toml", "--venv", "other")
    made_quickly(machine, *command)
    assert quickly(machine, *command) is not None
    lockfile = machine.work / "pylock.toml"
    before, content = lockfile.stat(), lockfile.read_bytes()
    lockfile.write_bytes(content.swapcase())
    os.utime(lockfile, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert quickly(machine, *command) is None


RUN = "import sys; {before}; from multisite.__main__ import main; sys.argv[0] = 'multisite'; sys.exit(main())"


@pytest.mark.parametrize("whole", [True, False])
def test_it_takes_no_more_steps_than_it_should(machine: Machine, whole: bool) -> None:
    """Each entry's files count for nothing, and no program is run."""
    held = os.open(machine.work, os.O_RDONLY)
    if whole and (wholesale.waiting(0) or not wholesale.sure(held)):
        pytest.skip("each file is flushed by itself here")
    os.close(held)
    before = "pass" if whole else "sys.modules['_ctypes'] = None"
    command = [sys.executable, "-c", RUN.format(before=before), "sync", "pylock.toml", "--venv", "other"]
    trace = machine.folder / "trace"
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace here")
    calls = "trace=%file,fsync,syncfs,copy_file_range,clone,clone3,fork,vfork"
    done = subprocess.run(
        [strace, "-f", "-e", calls, "-o", str(trace), *command], cwd=machine.work, env=machine.environ(), check=False
    )
    if done.returncode:
        pytest.skip("strace may not trace here")
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    made = [line for line in lines if f"{machine.work}/" in line or f"{machine.store}/" in line]
    opened = [line for line in made if " open" in line]
    new = [line for line in opened if "O_CREAT" in line]
    other = machine.work / "other"
    files = sum(path.is_file() and not path.is_symlink() for path in other.rglob("*"))
    copies = 4
    flushed = files - copies - 3  # nor are three programs
    data = [other / "share", *(other / "share").rglob("*")]
    folders = len([path for path in other.rglob("*") if path.is_dir() and not path.is_symlink() and path not in data])
    assert len([line for line in lines if "execve(" in line]) == 1
    assert len(new) == files + 2  # a pin and a registration besides
    # Read: lockfile, store.json, sources of copies; the folders above the environment, of registrations, and its own.
    once_more = 0 if whole else flushed + folders + 2  # its own, and the registration
    assert len(opened) - len(new) == 6 + copies + once_more  # and the pin
    assert not [line for line in opened if "multi-site-packages" in line and "/data/" not in line]
    assert len([line for line in lines if " fsync(" in line]) == 2 + once_more
    assert len([line for line in lines if " syncfs(" in line]) == whole
    assert len([line for line in lines if " clone" in line]) == (2 if whole else 10)
    # Each folder on the way to a distribution once: those of two with their shared one, and two of their own. And the
    # RECORD of the one that has data files.
    looks = [line for line in made if "stat" in line.partition("(")[0] and f'"{machine.store}/' in line]
    ways = [line for line in looks if "/multi-site-packages" in line or "/shared" in line]
    assert len(ways) == len({line.partition('"')[2].partition('"')[0] for line in ways}) == 1 + 2 * 4 + 3 + 1


def lose_entry(machine: Machine) -> None:
    shutil.rmtree(machine.store / "multi-site-packages" / "beta")


def lose_data(machine: Machine) -> None:
    next(machine.store.glob("multi-site-packages/alpha/*/*/data/data/share/alpha/text.txt")).unlink()


def lengthen_data(machine: Machine) -> None:
    with next(machine.store.glob("multi-site-packages/alpha/*/*/data/data/share/alpha/text.txt")).open("a") as file:
        file.write("more")


def damage_data(machine: Machine) -> None:
    path = next(machine.store.glob("multi-site-packages/alpha/*/*/data/data/share/alpha/text.txt"))
    path.chmod(0o644)
    path.write_text("TEXT", encoding="utf-8")


def open_entry(machine: Machine) -> None:
    (machine.store / "multi-site-packages" / "beta").chmod(0o777)


def condemn(machine: Machine) -> None:
    (machine.store / "condemned").mkdir(exist_ok=True)
    (machine.store / "condemned" / "0123456789abcdef.condemned").touch()


def open_store(machine: Machine) -> None:
    machine.run("share")


def leave_half(machine: Machine) -> None:
    (machine.work / ".other.0123456789abcdef.tmp").mkdir()


def lose_table(machine: Machine) -> None:
    shutil.rmtree(machine.store / "tables")


def ask_for_bytecode(machine: Machine) -> None:
    machine.variables["MULTISITE_COMPILE"] = "all"


def lose_active_environment(machine: Machine) -> None:
    machine.variables["VIRTUAL_ENV"] = str(machine.work / "gone")


def rename_other(machine: Machine) -> None:
    (entry,) = (machine.store / "multi-site-packages" / "beta").glob("*/*")
    entry.rename(entry.with_name("another"))


def change_blueprint(machine: Machine) -> None:
    (path,) = (machine.folder / "home" / ".cache" / "multisite" / "blueprints").iterdir()
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    "change",
    [
        lose_entry,
        lose_data,
        lengthen_data,
        damage_data,
        open_entry,
        condemn,
        open_store,
        leave_half,
        lose_table,
        rename_other,
        change_blueprint,
        ask_for_bytecode,
        lose_active_environment,
    ],
    ids=lambda change: change.__name__,
)
def test_whatever_is_unusual_is_left_to_the_ordinary_way(machine: Machine, change: Callable[[Machine], object]) -> None:
    change(machine)
    before = sorted(machine.work.iterdir())
    registered = sorted((machine.store / "environments").iterdir())
    assert quickly(machine, "sync", "pylock.toml", "--venv", "other") is None
    assert sorted(machine.work.iterdir()) == before
    assert sorted((machine.store / "environments").iterdir()) == registered
    assert not list((machine.store / "pins").glob("[!.]*"))


def quickly(machine: Machine, *words: str) -> tuple[str, ...] | None:
    before, folder = dict(os.environ), Path.cwd()
    try:
        os.environ.clear()
        os.environ.update(machine.environ())
        os.chdir(machine.work)
        return answered(words)
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


def test_an_active_environment_that_is_gone_is_not_made(machine: Machine) -> None:
    machine.variables["VIRTUAL_ENV"] = str(machine.work / "gone")
    machine.run("sync", "pylock.toml", "--venv", "third", "--python", sys.executable).succeeded()
    assert quickly(machine, "sync", "pylock.toml", "--python", sys.executable) is None


@pytest.mark.parametrize(
    "words",
    [
        ("pylock.toml", "--venv", "a b"),
        ("pylock.toml", "--venv", "a" * 130),
        ("pylock.toml", "--venv", "no/such/folder"),
        ("pylock.toml", "--venv", "first"),
        ("pylock.toml", "--venv", "other", "--python", "3.11"),
        ("pylock.toml", "--venv", "other", "--group", "x"),
        ("pylock.toml", "--venv", "other", "--json"),
        ("pylock.toml", "--venv", "other", "--compile", "all"),
        ("pylock.toml", "--venv", "other", "--store", "one", "--store", "two"),
        ("pylock.toml", "--venv", "other", "--store", "elsewhere"),
        ("pylock.toml", "pylock.toml", "--venv", "other"),
        ("", "--venv", "other"),
        ("missing.toml", "--venv", "other"),
    ],
    ids=" ".join,
)
def test_what_is_asked_for_besides_is_left_to_the_ordinary_way(machine: Machine, words: tuple[str, ...]) -> None:
    before = sorted(machine.work.iterdir())
    assert quickly(machine, "sync", *words) is None
    assert sorted(machine.work.iterdir()) == before


KILLED = """\
import os, sys
left = [int(sys.argv.pop(1))]
CHANGES = {"os.rename", "os.mkdir", "os.link", "os.symlink", "os.remove"}
def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if event in CHANGES or writes:
        if left[0] == 0:
            os._exit(9)
        left[0] -= 1
sys.addaudithook(hook)
from multisite.__main__ import main
sys.argv[0] = "multisite"
sys.exit(main())
"""


FAILING = """\
import sys, _thread, multisite.raising as raising
{change}
from multisite.__main__ import main
sys.argv[0] = "multisite"
sys.exit(main())
"""
NO_MEMORY = """\
def fail(self):
    raise MemoryError("no memory")
raising._Raising.{what} = fail
"""
NO_ORDINARY_WAY = "sys.modules['multisite.cli'] = None\n"
NO_THREADS = """\
def refuse(*arguments):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = refuse
"""


def changed(machine: Machine, change: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FAILING.format(change=change), "sync", "pylock.toml", "--venv", "other", *words]
    return subprocess.run(
        command, cwd=machine.work, env=machine.environ(), check=False, capture_output=True, encoding="utf-8"
    )


def run_changed(machine: Machine, change: str) -> int:
    return changed(machine, change, "-q").returncode


def all_there(machine: Machine) -> list[Path]:
    return sorted(path for folder in (machine.work, machine.store) for path in folder.rglob("*"))


INTERRUPTED = """\
import os, signal
rename = os.rename
def interrupted(old, new):
    rename(old, new)
    if new.endswith("/other"):
        signal.raise_signal(signal.SIGINT)
os.rename = interrupted
"""


def test_interrupted_once_it_has_its_name_it_stays_registered(machine: Machine) -> None:
    assert run_changed(machine, INTERRUPTED) == 130
    identity = Environment.open(machine.work / "other").read_state()
    assert (machine.store / "environments" / f"{getattr(identity, 'id', '')}.json").exists()
    assert not list((machine.store / "pins").iterdir())


ENDED = """\
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
{before}
rename = os.rename
def ended(old, new):
    rename(old, new)
    if new.endswith(".json"):
        os.kill(os.getpid(), signal.{name})
os.rename = ended
own = raising._Raising._own
def unhurried(self):
    for aside in self.asides:  # so that the signal comes before the folder has its name
        aside.wait()
    return own(self)
raising._Raising._own = unhurried
"""


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("SIGINT", 130, "interrupted\n"), ("SIGTERM", 143, "terminated\n"), ("SIGHUP", 129, "terminated\n")],
)
def test_a_signal_that_ends_it_leaves_nothing(machine: Machine, name: str, code: int, said: str) -> None:
    before = all_there(machine)
    # A runner may have had it ignored (nohup), which children take over.
    heard = "" if name == "SIGINT" else f"signal.signal(signal.{name}, signal.SIG_DFL)"
    done = changed(machine, ENDED.format(before=heard, name=name), "-q")
    assert (done.returncode, done.stderr) == (code, said)
    assert all_there(machine) == before


def test_a_signal_that_is_ignored_ends_nothing(machine: Machine) -> None:
    ignored = ENDED.format(before="signal.signal(signal.SIGHUP, signal.SIG_IGN)", name="SIGHUP")
    assert run_changed(machine, ignored + NO_ORDINARY_WAY) == 0
    assert (machine.work / "other").exists()


TWICE = """\
wait = raising.Aside.wait
def again(self):
    raising.Aside.wait = wait
    raise KeyboardInterrupt
def interrupted(self):
    for aside in self.asides:
        aside.wait()
    raising.Aside.wait = again
    raise KeyboardInterrupt
raising._Raising._write_programs = interrupted
"""


def test_interrupted_again_while_it_waits_it_leaves_nothing(machine: Machine) -> None:
    before = all_there(machine)
    assert run_changed(machine, TWICE) == 130
    assert all_there(machine) == before


STUCK = """\
import multisite.files
def refuse(path):
    raise PermissionError(13, "Permission denied", str(path))
multisite.files.remove_tree = refuse
"""
AT_PROGRAMS = """\
def fail(self):
    raise {what}
raising._Raising._write_programs = fail
"""


def test_interrupted_where_nothing_can_be_removed_it_still_ends(machine: Machine) -> None:
    done = changed(machine, STUCK + AT_PROGRAMS.format(what="KeyboardInterrupt"), "-q")
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert not (machine.work / "other").exists()


SLOW = """\
import fcntl, os, time
flush = raising._Raising._flush
def slow(self, held, paths, registration):
    time.sleep(0.5)
    flush(self, held, paths, registration)
    again = os.open(self.temporary, os.O_RDONLY)
    try:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("held")
raising._Raising._flush = slow
"""


def test_the_folder_is_held_as_long_as_threads_write_in_it(machine: Machine) -> None:
    done = changed(machine, SLOW + AT_PROGRAMS.format(what="OSError"), "-q")
    assert (done.returncode, done.stdout) == (0, "held\n")
    assert (machine.work / "other").exists()


def test_a_pin_that_is_gone_is_no_failure(machine: Machine) -> None:
    """Garbage collection of another host may take it for one of a process that has ended."""
    expected = changed(machine, NO_ORDINARY_WAY).stderr
    shutil.rmtree(machine.work / "other")
    change = """\
import os
rename = os.rename
def renamed(old, new):
    rename(old, new)
    if new.endswith("/other"):
        for name in os.listdir({pins!r}):
            os.unlink(os.path.join({pins!r}, name))
os.rename = renamed
"""
    done = changed(machine, change.format(pins=str(machine.store / "pins")))
    assert (done.returncode, done.stderr) == (0, expected)
    assert " + alpha 1.0\n" in expected


def test_its_owner_alone_writes_to_what_is_made_in_the_store(machine: Machine) -> None:
    notes = machine.folder / "home" / ".cache" / "multisite" / "settled"
    for folder in (machine.store / "pins", notes):
        shutil.rmtree(folder)
    assert run_changed(machine, "import os\nos.umask(0)\n" + NO_ORDINARY_WAY) == 0
    (note,) = notes.iterdir()
    paths = (machine.store / "pins", notes, note)
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o755, 0o755, 0o600]


DROPPED = """\
own = raising._Raising._own
def drop(self):
    for aside in self.asides:
        aside.wait()
    raising.os.unlink(self.registration)
    return own(self)
raising._Raising._own = drop
"""


def test_one_whose_registration_is_gone_is_made_anew(machine: Machine) -> None:
    assert run_changed(machine, DROPPED) == 0
    identity = Environment.open(machine.work / "other").read_state()
    assert (machine.store / "environments" / f"{getattr(identity, 'id', '')}.json").exists()


SHORT = """\
import os
whole = os.write
os.write = lambda descriptor, data: whole(descriptor, data[:10] if data[:9] == b"MSSETTLED" else data)
"""


def test_a_note_that_cannot_be_written_is_done_without(machine: Machine) -> None:
    notes = machine.folder / "home" / ".cache" / "multisite" / "settled"
    before = sorted(notes.iterdir())
    assert run_changed(machine, SHORT) == 0
    assert (machine.work / "other").exists()
    assert sorted(notes.iterdir()) == before


def test_a_note_that_cannot_be_removed_either_is_left(machine: Machine) -> None:
    done = changed(machine, SHORT + STUCK)
    assert done.returncode == 0
    assert done.stderr.endswith(f"{machine.work / 'other'}: made; 4 distributions\n")


def test_a_lockfile_that_is_a_pipe_is_read_once(machine: Machine) -> None:
    content = (machine.work / "pylock.toml").read_bytes()
    command = [sys.executable, "-m", "multisite", "sync", "--venv", "other", "-q", "/dev/stdin"]
    done = subprocess.run(command, cwd=machine.work, env=machine.environ(), check=False, input=content)
    assert done.returncode == 0
    assert (machine.work / "other" / "pylock.toml").read_bytes() == content


@pytest.mark.parametrize("what", ["_flush", "_registration", "_pin"])
def test_a_thread_that_fails_fails_the_command(machine: Machine, what: str) -> None:
    change = NO_MEMORY.format(what=what).replace("(self)", "(self, *arguments)")
    registered = sorted((machine.store / "environments").iterdir())
    assert run_changed(machine, change) != 0
    assert not (machine.work / "other").exists()
    assert sorted((machine.store / "environments").iterdir()) == registered
    assert not list((machine.store / "pins").iterdir())


def test_where_no_thread_can_be_started_it_is_made_without(machine: Machine) -> None:
    machine.run("sync", "pylock.toml", "--venv", "other").succeeded()
    expected = tree(machine.work / "other")
    shutil.rmtree(machine.work / "other")
    assert run_changed(machine, NO_THREADS) == 0
    assert tree(machine.work / "other") == expected


ELSEWHERE = """\
import os
def elsewhere(*arguments):
    raise OSError(18, "Invalid cross-device link")
os.copy_file_range = elsewhere
raising._ENOUGH = 1  # with a second thread
"""
OLD_LIBC = """\
import os
del os.copy_file_range
raising._ENOUGH = 1
"""


@pytest.mark.parametrize("change", [ELSEWHERE, OLD_LIBC], ids=["another filesystem", "old libc"])
def test_files_are_copied_where_no_blocks_are_shared(machine: Machine, change: str) -> None:
    machine.run("sync", "pylock.toml", "--venv", "other").succeeded()
    expected = tree(machine.work / "other")
    shutil.rmtree(machine.work / "other")
    assert run_changed(machine, change + NO_ORDINARY_WAY) == 0
    assert tree(machine.work / "other") == expected


def test_an_interpreter_that_chooses_another_each_time_has_no_blueprint(machine: Machine) -> None:
    shim = machine.folder / "shim"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    for name in ("other", "another"):
        machine.run("sync", "pylock.toml", "--venv", name, "--python", shim).succeeded()
    assert quickly(machine, "sync", "pylock.toml", "--venv", "third", "--python", str(shim)) is None


def test_killed_at_any_step_it_is_there_or_not(machine: Machine) -> None:
    ordinary = machine.run("sync", "pylock.toml", "--venv", "other").succeeded()
    other = machine.work / "other"
    expected = tree(other)
    shutil.rmtree(other)
    assert ordinary.code == 0
    number, ended = 0, 9
    while ended == 9:
        command = [sys.executable, "-c", KILLED, str(number), "sync", "pylock.toml", "--venv", "other", "-q"]
        ended = subprocess.run(command, cwd=machine.work, env=machine.environ(), check=False).returncode
        assert not other.exists() or tree(other) == expected
        if other.exists():
            shutil.rmtree(other)
        for left in machine.work.glob(".other.*"):  # or the next one goes the ordinary way, which does this
            shutil.rmtree(left)
        number += 7
    assert ended == 0
    assert number > 50
    machine.run("gc", "--now").succeeded()
    assert not list((machine.store / "pins").glob("[!.]*"))


@pytest.mark.parametrize("torn", [b"", bytes(100), bytes(4096) + bytes(range(256)) * 4])
def test_what_a_power_failure_has_torn_is_written_again(machine: Machine, torn: bytes) -> None:
    made_quickly(machine, "sync", "pylock.toml", "--venv", "other")
    paths = [machine.work / "other" / name for name in ("bin/alpha", "bin/alpha.sh", "share/alpha/large")]
    before = [path.read_bytes() for path in paths]
    for path, content in zip(paths, before, strict=True):
        path.write_bytes(torn if len(torn) < len(content) or not torn.strip(b"\0") else b"")
        os.utime(path, (10**9, 10**9))  # there is a boot between
    machine.run("sync", "--venv", "other").succeeded()
    assert [path.read_bytes() for path in paths] == before
    paths[0].write_text("mine", encoding="utf-8")
    assert "left alone" in machine.run("sync", "--venv", "other").succeeded().err

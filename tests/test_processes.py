"""What a command runs ends with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from multisite import processes
from multisite.processes import ended_by, run_program
from tests.machine import Machine, hear_interrupts

PYTHON = sys.executable


def test_what_a_program_is_given_and_says() -> None:
    code = "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ['X']); sys.exit('and why')"
    done = run_program([PYTHON, "-c", code], environ={"X": "1"}, cwd=Path("/"), given=b"words")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"words / 1\n", b"and why\n")
    assert ended_by(done) is None


def test_nobody_is_asked() -> None:
    assert run_program([PYTHON, "-c", "print(input())"], environ={}).returncode == 1


def test_what_is_begun_beside_it() -> None:
    said: list[str] = []
    code = "import sys; sys.stdout.write('and ' + sys.stdin.read())"
    done = run_program([PYTHON, "-c", code], environ={}, given=b"words", meanwhile=lambda: said.append("begun"))
    assert (said, done.stdout) == (["begun"], b"and words")


def test_what_fails_beside_it_ends_it(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    code = f"import pathlib, time; time.sleep(60); pathlib.Path({str(ended)!r}).touch()"

    def fail() -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        run_program([PYTHON, "-c", code], environ={}, meanwhile=fail)
    assert not ended.exists()


def test_an_interruption_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    hear_interrupts()
    made: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options)
            made.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_program([PYTHON, "-c", "import time; time.sleep(60)"], environ={})
        assert [process.returncode for process in made] == [-signal.SIGTERM]
    finally:
        made[0].kill()


def test_a_second_interruption_while_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[Any] = []
    real = processes._frozen

    def interrupted(number: int) -> Any:
        found = real(number)
        if not stopped:
            stopped.extend(found)
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(processes, "_frozen", interrupted)
    process = subprocess.Popen([PYTHON, "-c", "import time; time.sleep(60)"])
    try:
        with pytest.raises(KeyboardInterrupt):
            processes.end(process)
        assert process.wait(timeout=30) == -signal.SIGKILL
    finally:
        process.kill()
    assert stopped


def test_nothing_is_begun_beside_a_program_that_is_not_there() -> None:
    said: list[str] = []
    with pytest.raises(FileNotFoundError):
        run_program(["/absent"], environ={}, meanwhile=lambda: said.append("begun"))
    assert said == []


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        run_program(["/absent"], environ={})


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV"), (40, "signal 40")]
)
def test_who_ended_it(number: int, name: str) -> None:
    done = run_program(["/bin/sh", "-c", f"kill -{int(number)} $$"], environ={})
    assert ended_by(done) == f"sh was ended by {name}"


@pytest.mark.skipif(not shutil.which("ps"), reason="no ps here")
def test_what_ps_says_where_there_is_no_proc() -> None:
    for told in (processes._listed(), processes._processes()):
        family = {process.number: process for process in told}
        assert family[os.getpid()].parent == os.getppid()


FAMILY = """
    import os, signal, subprocess, sys, time
    from pathlib import Path
    from multisite.processes import run_program

    def end(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    run_program([sys.executable, "-c", sys.argv[1]], environ=os.environ)
"""
PARENT = """
import os, signal, subprocess, sys, time
{deaf}
for generation in range({generations}):
    if os.fork():
        break
    os.setsid()
open(f"at-{{os.getpid()}}", "w").close()
time.sleep(300)
"""


def alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def started(folder: Path, count: int) -> list[int]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = [int(path.name[3:]) for path in folder.glob("at-*")]
        if len(found) == count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{count} processes were to start")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it is /proc that tells who lives")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("deaf", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"], ids=["hears", "deaf"])
def test_all_that_was_started_ends_with_the_command(tmp_path: Path, number: int, deaf: str) -> None:
    hear_interrupts()
    command = [PYTHON, "-c", textwrap.dedent(FAMILY), PARENT.format(deaf=deaf, generations=2)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        family = started(tmp_path, 3)
        assert all(map(alive, family))
        os.kill(process.pid, number)
        process.wait()
    assert not any(map(alive, family))


BACKEND = """
import os, time

def build_wheel(folder, settings=None, metadata=None):
    open(f"{place}/at-{{os.getpid()}}", "w").close()
    time.sleep(300)

build_editable = build_wheel
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it is /proc that tells who lives")
@pytest.mark.parametrize("words", [["lock", "./mine"], ["lock", "-e", "./mine"], ["sync", "given.toml"]])
def test_a_build_ends_with_its_command(tmp_path: Path, words: list[str]) -> None:
    hear_interrupts()
    with Machine.opened(tmp_path / "machine") as machine:
        project = machine.project(machine.work / "mine", "mine")
        (project / "_build" / "backend.py").write_text(BACKEND.format(place=tmp_path))
        (machine.work / "given.toml").write_text(
            'lock-version = "1.0"\ncreated-by = "me"\n[[packages]]\nname = "mine"\ndirectory = {path = "mine"}\n'
        )
        with machine.spawn(*words) as process:
            [backend] = started(tmp_path, 1)
            os.kill(process.pid, signal.SIGTERM)
            process.communicate()
        assert process.returncode == 143
        assert not alive(backend)
        assert not machine.venv.exists()

"""The standard streams as daemons, full disks and impatient readers leave them."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Done, Machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine.opened(tmp_path_factory.mktemp("streams") / "machine") as machine:
        machine.wheel("alpha")
        machine.run("lock", "alpha").succeeded()
        yield machine


def shell(machine: Machine, words: str, streams: str) -> Done:
    """Run a command of the command line as a shell would with these redirections."""
    line = f"{shlex.join(machine.command())} {words} {streams}"
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=machine.work, env=machine.environ(), capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_sync_needs_no_stream(machine: Machine, streams: str, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    done = shell(machine, f"sync {machine.lockfile} --venv {venv}", streams)
    assert done.code == 0
    assert "Traceback" not in done.err
    assert machine.python("import alpha; print(alpha.version)", venv=venv).out == "1.0\n"


@pytest.mark.parametrize("words", ["list", "list --json", "doctor --json", "--version", "--help", "list --help"])
def test_results_that_nobody_wants(machine: Machine, words: str) -> None:
    assert shell(machine, words, ">&-") == Done(0, "", "")


@pytest.mark.parametrize("words", ["list", "list --json", "doctor --json", "--version", "--help", "list --help"])
def test_results_that_cannot_be_written(machine: Machine, words: str) -> None:
    done = shell(machine, words, ">/dev/full")
    assert done == Done(3, "", "error: standard output: No space left on device\n")


@pytest.mark.parametrize(("words", "code"), [("lock 'a b'", 2), ("--nope", 2), ("sync absent.toml", 2), ("list", 0)])
def test_sentences_that_cannot_be_written(machine: Machine, words: str, code: int) -> None:
    assert shell(machine, words, "2>/dev/full >/dev/null").code == code
    assert shell(machine, words, "2>&- >/dev/null").code == code


@pytest.mark.parametrize("words", ["list", "list --json", "--version"])
def test_unbuffered_results_that_cannot_be_written(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setitem(machine.variables, "PYTHONUNBUFFERED", "1")
    done = shell(machine, words, ">/dev/full")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: standard output: No space left on device\n")


def test_a_large_result_that_cannot_be_written_is_told_once(machine: Machine) -> None:
    names = [f"{'many' * 15}-{number:02}" for number in range(80)]  # more lines than a buffer holds
    for name in names:
        machine.wheel(name)
    machine.run("lock", *names, "--venv", "many").succeeded()
    done = shell(machine, "list --venv many", ">/dev/full")
    assert done.code == 3
    assert done.err.startswith("error: standard output: No space left on device\n")
    assert done.err.count("error:") == 1


def test_a_reader_that_leaves(machine: Machine) -> None:
    assert shell(machine, "list", "| true").err == ""


def test_closed_streams_are_not_the_next_files(machine: Machine, tmp_path: Path) -> None:
    """What git, uv or a build says on stdout must not be written into a file of the store."""
    venv = tmp_path / "venv"
    store = tmp_path / "store"
    done = shell(machine, f"sync {machine.lockfile} --venv {venv} --store {store}", "<&- >&- 2>&-")
    assert done.code == 0
    done = shell(machine, f"doctor --deep --venv {venv} --store {store}", "")
    assert (done.code, done.out) == (0, "")


def test_names_that_the_locale_has_no_letters_for(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    project = machine.project(machine.work / "m\xfc", "mine")
    machine.run("lock", "-e", project, "--venv", "plain").succeeded()
    for name, value in {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}.items():
        monkeypatch.setitem(machine.variables, name, value)
    done = shell(machine, "list --venv plain", "")
    assert (done.code, done.err) == (0, "")
    assert r"/m\xfc" in done.out

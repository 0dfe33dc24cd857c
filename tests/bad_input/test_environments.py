"""Places that cannot be an environment, and environments that are damaged."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import builders
from tests.bad_input.case import Case, Cases, Words, existing, locked

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases()


@bad(3, "ROOT/work/.venv: it is a file, not a folder", "choose another folder: --venv DIR", states=("new",))
def an_environment_that_is_a_file(machine: Machine) -> Words:
    machine.venv.write_text("precious")
    return ["lock", "alpha"]


@bad(
    3,
    "ROOT/work/file/.venv: it cannot be made: ROOT/work/file is a file",
    "choose another folder: --venv DIR",
    states=("new",),
)
def an_environment_below_a_file(machine: Machine) -> Words:
    (machine.work / "file").write_text("precious")
    return ["lock", "alpha", "--venv", "file/.venv"]


@bad(
    3,
    "ROOT/work/.venv: it is no virtual environment: it has no pyvenv.cfg",
    "choose another folder: --venv DIR",
    states=("new",),
)
def a_folder_with_something_else(machine: Machine) -> Words:
    builders.write_tree(machine.venv, {"cat.jpg": "precious"})
    return ["lock", "alpha"]


@bad(
    3, "ROOT/work/.venv: it is a link to gone, which is not there", "choose another folder: --venv DIR", states=("new",)
)
def a_link_that_leads_nowhere(machine: Machine) -> Words:
    machine.venv.symlink_to("gone")
    return ["lock", "alpha"]


@bad(
    3,
    "ROOT/work/.venv: it is no virtual environment: it has no pyvenv.cfg",
    "choose another folder: --venv DIR",
    states=("new",),
)
def an_environment_of_another_tool(machine: Machine) -> Words:
    builders.write_tree(machine.venv, {"conda-meta": {"history": ""}, "bin": {"python": ""}})
    return ["sync", locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")]


@bad(
    3,
    "ROOT/work/.venv: it is no virtual environment: its pyvenv.cfg names no home",
    "choose another folder: --venv DIR",
    states=("new",),
)
def an_environment_without_a_home(machine: Machine) -> Words:
    builders.write_tree(machine.venv, {"pyvenv.cfg": "nonsense\n"})
    return ["lock", "alpha"]


@bad(
    3,
    "ROOT/work/.venv: its interpreter, ROOT/work/.venv/bin/python, cannot be used: it does not work as a Python interpreter (exit code 7)",
    "remove what keeps it from starting: a .pth file or sitecustomize.py, most often",
    states=("existing",),
)
def an_environment_whose_interpreter_does_not_start(machine: Machine) -> Words:
    (site,) = machine.venv.glob("lib/python3*/site-packages")
    (site / "aa.pth").write_text("import os; os._exit(7)\n")
    return ["lock", "alpha"]


@bad(
    3,
    "ROOT/work/.venv/.multisite/environment.json: environment.json has format 3; this multisite knows format 2",
    "upgrade multisite: pip install --upgrade multisite",
    states=("existing",),
)
def an_environment_of_a_later_format(machine: Machine) -> Words:
    path = machine.venv / ".multisite" / "environment.json"
    path.write_text(path.read_text().replace('"format":2', '"format":3'))
    return ["lock", "alpha"]


@bad(
    3,
    "ROOT/work/closed/.venv: it cannot be made: ROOT/work/closed may not be written to",
    "choose another folder: --venv DIR",
    states=("new",),
    unprivileged=True,
)
def an_environment_that_cannot_be_made(machine: Machine) -> Words:
    (machine.work / "closed").mkdir(mode=0o555)
    return ["lock", "alpha", "--venv", "closed/.venv"]


@bad(
    3,
    "ROOT/work/.venv: it cannot be changed: ROOT/work/.venv/.multisite may not be written to",
    "run it as its owner, or choose another folder: --venv DIR",
    states=("existing",),
    unprivileged=True,
)
def an_environment_that_cannot_be_written(machine: Machine) -> Words:
    for folder in [machine.venv, *machine.venv.rglob("*")]:
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o555)
    return ["lock", "alpha"]


@bad(
    3,
    "ROOT/work/a:b: activation scripts cannot hold 'ROOT/work/a:b', because of the ':' in it",
    "choose another folder: --venv DIR",
    states=("new",),
)
def a_name_that_activation_scripts_cannot_hold(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", "a:b"]


@bad(
    3,
    "ROOT/work/a\udcff/b: activation scripts cannot hold 'ROOT/work/a\\udcff/b', because of the '\\udcff' in it",
    "choose another folder: --venv DIR",
    states=("new",),
)
def an_environment_whose_name_is_no_text(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", os.fsdecode(b"a\xff/b")]


@bad(
    3,
    "ROOT/work/both: an environment and the store (ROOT/work/both) cannot lie in one another",
    "choose another folder: --venv DIR or --store DIR",
    states=("new",),
)
def an_environment_that_is_the_store(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", "both", "--store", "both"]


@bad(
    3,
    "ROOT/work/inside: an environment and the store (ROOT/work/inside/store) cannot lie in one another",
    "choose another folder: --venv DIR or --store DIR",
    states=("new",),
)
def a_store_inside_of_a_new_environment(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", "inside", "--store", "inside/store"]


@bad(
    3,
    "ROOT/store/inside: an environment and the store (ROOT/store) cannot lie in one another",
    "choose another folder: --venv DIR or --store DIR",
    states=("new",),
)
def an_environment_inside_of_the_store(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", machine.store / "inside"]


@bad(3, "ROOT/work/.venv: there is no such folder", "make one: multisite lock --venv DIR", states=("new",))
def no_environment_to_examine(machine: Machine) -> Words:
    return ["doctor"]


@bad(3, "ROOT/work/gone: there is no such folder", "make one: multisite lock --venv DIR", states=("new",))
def no_environment_to_list(machine: Machine) -> Words:
    return ["list", "--venv", "gone"]


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)


def test_a_current_folder_that_is_gone(machine: Machine) -> None:
    existing(machine)
    command = ["/bin/sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
    for words in (["list", "--venv", machine.venv], ["sync", "-q"]):
        done = subprocess.run(
            [*command, *machine.command(*words)],
            cwd=machine.work,
            env={**machine.environ(), "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.splitlines() == [
            "error: the current folder cannot be used: No such file or directory",
            "next: cd to one that is there, and try again",
        ]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".multisite/environment.json", b"{"),
        (".multisite/environment.json", b""),
        (".multisite/table", b"torn"),
        (".multisite/runtime", None),
        ("pylock.toml", None),
    ],
)
def test_a_damaged_environment_is_mended_by_sync(machine: Machine, path: str, content: bytes | None) -> None:
    existing(machine)
    damaged = machine.venv / path
    if content is not None:
        damaged.write_bytes(content)
    elif damaged.is_dir():
        shutil.rmtree(damaged)
    else:
        damaged.unlink()
    machine.run("sync").succeeded()
    assert machine.run("doctor").code == 0
    assert machine.python("import kept; print(kept.version)").out == "1.0\n"


@pytest.mark.parametrize("folder", [False, True], ids=["missing", "an empty folder"])
@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("multisite.lockstep.Lockstep.write", OSError(errno.ENOSPC, "No space left on device", "/x")),
        ("multisite.switching.conclude", KeyboardInterrupt()),
        ("multisite.bootstrap.Bootstrap.write", PermissionError(errno.EACCES, "Permission denied", "/x")),
    ],
)
def test_a_new_environment_that_fails_goes_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, place: str, failure: BaseException, folder: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    if folder:
        machine.venv.mkdir()
    lock = locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")
    with monkeypatch.context() as patched:
        patched.setattr(place, fail)
        assert machine.run("sync", lock).code == (130 if isinstance(failure, KeyboardInterrupt) else 3)
    assert machine.venv.exists() is folder
    assert not folder or list(machine.venv.iterdir()) == []
    assert list((machine.store / "environments").glob("*.json")) == []
    machine.run("sync", lock).succeeded()
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"


def test_an_environment_stays_whoever_reads_the_report(machine: Machine) -> None:
    lock = locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")
    reading, writing = os.pipe()
    os.close(reading)
    with machine.spawn("sync", "--json", lock, stdout=writing) as process:
        os.close(writing)
        process.communicate()
    assert process.returncode == 1
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"

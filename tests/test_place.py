"""Where commands work: they wait for each other, and meet what is there already."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite.acquaintance import Acquaintance
from multisite.cache import Cache
from multisite.errors import NotAnEnvironment
from multisite.files import locked
from multisite.place import Place
from tests.index import Fault
from tests.machine import Machine, snapshot

PROBE = "import beta; print(beta.version, beta.__file__)"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel("beta")
        machine.wheel("gamma", entry_points={"console_scripts": {"gamma": "gamma:main"}})
        yield machine


def test_commands_wait_for_each_other(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    with machine.spawn("lock", "gamma", "--json") as process:
        process.communicate()
    with locked(machine.venv / ".multisite/lock"):
        process = machine.spawn("lock", "beta")
        assert process.stderr is not None
        assert process.stderr.readline() == f"waiting for another multisite that works on {machine.venv}\n"
        assert list(machine.state.builds) == ["gamma"]
    with process:
        process.communicate()
    assert process.returncode == 0
    assert list(machine.state.builds) == ["beta"]


def test_two_at_once_make_one_environment(machine: Machine) -> None:
    with machine.spawn("lock", "beta") as first, machine.spawn("lock", "beta") as second:
        said = [process.communicate()[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert machine.python(PROBE).out.startswith("1.0 ")
    assert len(list((machine.store / "environments").iterdir())) == 1
    assert machine.run("doctor").code == 0


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_an_interruption_leaves_things_as_they_were(
    machine: Machine, number: signal.Signals, code: int, said: str
) -> None:
    import threading

    machine.run("lock", "beta").succeeded()
    released = threading.Event()
    machine.index.fail("gamma-1.0-py3-none-any.whl", Fault(hold=released))
    before = snapshot(machine.venv)
    with machine.spawn("lock", "gamma") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "locking the command line\n"
        while "/files/gamma-1.0-py3-none-any.whl" not in machine.index.requests:
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate()  # it waits for no server; were the file released before, it could still arrive
        released.set()
    assert (process.returncode, err) == (code, f"{said}\n")
    assert snapshot(machine.venv) == before
    assert not list((machine.store / "pins").glob("*"))


@pytest.mark.parametrize("maker", ["venv", "uv", "virtualenv"])
def test_an_environment_that_somebody_else_made(machine: Machine, maker: str) -> None:
    from uv import find_uv_bin

    commands = {
        "venv": [sys.executable, "-m", "venv", "--without-pip"],
        "uv": [find_uv_bin(), "venv", "-q", "--python", sys.executable],
        "virtualenv": [sys.executable, "-m", "virtualenv", "-q", "--without-pip"],
    }
    subprocess.run([*commands[maker], str(machine.venv)], check=True, env=machine.environ())
    site = machine.environment.site_packages
    (site / "own.py").write_text("mine = 1\n")
    (machine.venv / "bin/gamma").write_text("#!/bin/sh\necho mine\n")
    machine.variables["VIRTUAL_ENV"] = str(machine.venv)
    done = machine.run("lock", "beta", "gamma", cwd=machine.folder).succeeded()
    assert "warning [files] bin/gamma: a file that is not ours is there, and is left alone\n" in done.err
    assert machine.python(PROBE + "; import own; print(own.mine)").out.endswith("\n1\n")
    assert (machine.venv / "bin/gamma").read_text() == "#!/bin/sh\necho mine\n"
    machine.run("lock", "beta", cwd=machine.folder).succeeded()
    assert (machine.venv / "bin/gamma").exists()


def test_an_active_environment_that_is_gone(machine: Machine) -> None:
    machine.variables["VIRTUAL_ENV"] = str(machine.folder / "gone")
    said = f"error: {machine.folder}/gone: VIRTUAL_ENV names it as the active environment, and there is no such folder"
    for words in (["lock", "beta"], ["sync"], ["list"], ["doctor"]):
        done = machine.run(*words)
        assert done.code == 3
        assert done.err.splitlines() == [said, "next: unset VIRTUAL_ENV, or name an environment: --venv DIR"]
    assert not (machine.folder / "gone").exists()
    machine.run("lock", "beta", "--venv", "other").succeeded()
    assert machine.run("list", "--venv", "other").out.endswith("\n")


def test_the_environments_interpreter_by_other_names(machine: Machine) -> None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    machine.run("lock", "beta", "--python", sys.executable).succeeded()
    for same in (own, f"python{own}", sys.executable):
        assert "remade" not in machine.run("lock", "beta", "--python", same).succeeded().err


def test_seed(machine: Machine) -> None:
    import ensurepip

    bundled = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"), None)
    if bundled is None:
        pytest.skip("this Python brings no wheel of pip")
    shutil.copy(bundled, machine.index.folder)
    machine.run("lock", "beta", "--seed").succeeded()
    listed = machine.program("pip", "list", "--disable-pip-version-check", "--format=freeze")
    assert listed.out.splitlines() == ["beta==1.0", f"pip=={bundled.name.split('-')[1]}"], listed.err


def test_a_start_up_file_that_keeps_the_interpreter_from_starting(machine: Machine) -> None:
    machine.wheel("beta")
    machine.run("lock", "beta").succeeded()
    (path,) = machine.venv.glob("lib/python*/site-packages/00-multisite.pth")
    path.write_bytes(b"\xff\xfe")
    assert machine.run("doctor").code != 0
    machine.run("sync").succeeded()
    assert machine.python("import beta").code == 0
    assert machine.run("doctor", "--json").json["findings"] == []


def test_an_environment_that_is_removed_meanwhile(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    known = Acquaintance(cache=Cache(), environ=machine.environ())
    with Place(machine.venv, machine.environ(), acquaintance=known, notice=lambda text: None) as place:
        shutil.rmtree(machine.venv)
        with pytest.raises(NotAnEnvironment, match="it was removed meanwhile"):
            place.demand_writable("0" * 64)

"""Environments that are made anew in their place: with another interpreter of the version, or with another version."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine, snapshot

DYING = Path(__file__).parent / "probes" / "dying.py"
PROBE = "import beta, alpha, sys; print('%d.%d' % sys.version_info[:2])"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        machine.wheel("alpha", "2.0", entry_points={"console_scripts": {"alpha": "alpha:main"}}, files=ALPHA)
        machine.wheel("beta", "1.0", requires=["alpha"], data={"headers": {"beta.h": "int beta;\n"}})
        # No interpreter but those that a test puts there.
        (tmp_path / "empty").mkdir()
        machine.variables |= {"PATH": str(tmp_path / "empty"), "PYENV_ROOT": str(tmp_path / "pyenv")}
        yield machine


ALPHA = {"alpha.py": "def main():\n    print('2.0')\n"}


def installed(machine: Machine, name: str, interpreters: dict[str, Path], *, real: str | None = None) -> Path:
    """Install the Python *real* (or that of the *name*) with pyenv under *name*; return its folder."""
    minor = real or ".".join(name.split(".")[:2])
    if minor not in interpreters:
        pytest.skip(f"no Python {minor} here")
    command = [str(interpreters[minor]), "-I", "-c", "import sys; print(sys.base_prefix)"]
    prefix = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    folder = Path(machine.variables["PYENV_ROOT"], "versions", name)
    (folder / "bin").mkdir(parents=True)
    shutil.copy((prefix / "bin" / f"python{minor}").resolve(), folder / "bin" / f"python{minor}")
    for program in ("python", "python3"):
        (folder / "bin" / program).symlink_to(f"python{minor}")
    for library in ("lib", "include"):
        (folder / library).symlink_to(prefix / library)
    return folder


def is_sound(machine: Machine) -> None:
    doctor = machine.run("doctor")
    assert (doctor.code, doctor.out) == (0, "")
    before = snapshot(machine.venv)
    assert machine.run("sync").succeeded().err.endswith("unchanged; 2 distributions\n")
    assert snapshot(machine.venv) == before


def site(machine: Machine, version: str) -> Path:
    return machine.venv / "lib" / f"python{version}" / "site-packages"


@pytest.mark.parametrize("words", [("sync",), ("lock", "beta"), ("doctor", "--fix")], ids=" ".join)
def test_another_of_the_same_version_takes_over(
    machine: Machine, words: tuple[str, ...], interpreters: dict[str, Path]
) -> None:
    first = installed(machine, "3.11.0", interpreters)
    machine.run("lock", "alpha", "--python", first).succeeded()
    machine.run("lock", "beta").succeeded()
    (site(machine, "3.11") / "own.py").write_text("mine = 1\n")
    history = machine.state.history
    lockfile = machine.lockfile.read_bytes()
    shutil.rmtree(first)
    second = installed(machine, "3.11.1", interpreters)
    doctor = machine.run("doctor", "--json")
    assert doctor.code == 3
    (finding,) = doctor.json["findings"]
    gone = f"its interpreter is gone: {machine.venv}/bin/python leads to {first}/bin/python"
    assert finding["check"] == "interpreter-unusable"
    assert finding["message"].startswith(f"{machine.venv}: {gone}")
    assert finding["fix"] == f"multisite sync --venv {machine.venv}"
    done = machine.run(*words).succeeded()
    if "doctor" not in words:
        assert "note [interpreter] the environment was remade with Python 3.11." in done.err
        assert f"({second}/bin/python" in done.err
    assert machine.python(PROBE + "; import own; print(own.mine)").out == "3.11\n1\n"
    assert machine.program("alpha").out == "2.0\n"
    assert machine.program("python3.11", "-c", PROBE).out == "3.11\n"
    assert machine.state.history == history
    assert machine.lockfile.read_bytes() == lockfile
    is_sound(machine)


def test_there_is_none_of_that_version(machine: Machine, interpreters: dict[str, Path]) -> None:
    first = installed(machine, "3.11.0", interpreters)
    machine.run("lock", "beta", "--python", first).succeeded()
    (site(machine, "3.11") / "own.py").write_text("mine = 1\n")
    shutil.rmtree(first)
    other = installed(machine, "3.12.0", interpreters)
    before = snapshot(machine.venv, content=True)
    fix = f"multisite sync --venv {machine.venv} --python PYTHON"
    commands: list[list[str]] = [["sync"], ["lock", "beta"], ["doctor"], ["doctor", "--fix", "--json"]]
    for words in commands:
        done = machine.run(*words)
        assert done.code == 3
        gone = f"its interpreter is gone: {machine.venv}/bin/python leads to "
        assert gone in done.err + done.out
        assert fix in done.err + done.out
        if "--json" in words:
            assert [finding["fix"] for finding in done.json["findings"]] == [fix]
    assert f"next: install Python 3.11 again, or name another: {fix}\n" in machine.run("sync").err
    assert machine.run("list").out.split() == "Distribution Version Build alpha 2.0 beta 1.0".split()[:3] + [
        word for row in machine.run("list", "--json").json for word in (row["name"], row["version"], row["build"])
    ]
    assert snapshot(machine.venv, content=True) == before
    done = machine.run("sync", "--python", other).succeeded()
    stays = "own.py stayed in lib/python3.11/site-packages, where Python 3.12."
    assert f"warning [interpreter] {stays}" in done.err
    assert machine.python(PROBE).out == "3.12\n"
    assert not (machine.venv / "bin/python3.11").is_symlink()
    assert (site(machine, "3.11") / "own.py").exists()
    is_sound(machine)


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "version = 3.11.0\n"])
def test_a_configuration_that_is_lost(machine: Machine, content: str | None, interpreters: dict[str, Path]) -> None:
    folder = installed(machine, "3.11.0", interpreters)
    machine.run("lock", "beta", "--python", folder).succeeded()
    (site(machine, "3.11") / "own.py").write_text("mine = 1\n")
    path = machine.venv / "pyvenv.cfg"
    text = path.read_text()
    path.unlink()
    if content is not None:
        path.write_text(content)
    doctor = machine.run("doctor", "--json")
    (finding,) = doctor.json["findings"]
    assert (doctor.code, finding["check"]) == (3, "interpreter-unusable")
    assert "pyvenv.cfg" in finding["message"]
    assert finding["fix"] == f"multisite sync --venv {machine.venv}"
    machine.run("sync").succeeded()
    if not content:
        assert path.read_text() == text
    assert machine.python(PROBE + "; import own; print(own.mine)").out == "3.11\n1\n"
    is_sound(machine)


def test_a_folder_that_is_none_of_ours_stays(machine: Machine) -> None:
    (machine.venv / "lib/python3.11/site-packages").mkdir(parents=True)
    done = machine.run("doctor", "--json")
    assert done.code == 3
    assert done.json == {
        "environment": str(machine.venv),
        "findings": [
            {
                "check": "environment-unusable",
                "severity": "error",
                "subject": str(machine.venv),
                "message": f"{machine.venv}: it is no virtual environment: it has no pyvenv.cfg",
                "fix": "choose another folder: --venv DIR",
            }
        ],
    }
    assert machine.run("sync").code == 3


def test_a_home_that_is_gone_under_a_copied_interpreter(machine: Machine, interpreters: dict[str, Path]) -> None:
    first = installed(machine, "3.11.0", interpreters)
    machine.run("lock", "beta", "--python", first).succeeded()
    python = machine.venv / "bin/python"
    python.unlink()
    python.write_text("#!/bin/sh\necho no libpython >&2\nexit 127\n")
    python.chmod(0o755)
    shutil.rmtree(first)
    installed(machine, "3.11.1", interpreters)
    assert f"there is no {first}/bin, which its pyvenv.cfg names" in machine.run("sync").succeeded().err
    assert (machine.venv / "bin/python.old").read_text().startswith("#!/bin/sh")
    assert machine.python(PROBE).out == "3.11\n"
    is_sound(machine)


def test_what_keeps_it_from_starting_is_not_the_interpreter(machine: Machine, interpreters: dict[str, Path]) -> None:
    machine.run("lock", "beta", "--python", installed(machine, "3.11.0", interpreters)).succeeded()
    (site(machine, "3.11") / "aa.pth").write_text("import os; os._exit(3)\n")
    before = snapshot(machine.venv)
    done = machine.run("sync")
    assert (done.code, "cannot be used: it does not work as a Python interpreter" in done.err) == (3, True)
    assert snapshot(machine.venv) == before


@pytest.mark.parametrize(("old", "new"), [("3.11", "3.12"), ("3.13", "3.8")])
def test_another_version_and_back(machine: Machine, old: str, new: str, interpreters: dict[str, Path]) -> None:
    first, second = (installed(machine, f"{version}.0", interpreters) for version in (old, new))
    project = machine.project(machine.work, "gamma", text='requires-python = ">=3.8"\ndependencies = ["beta"]\n')
    machine.run("lock", "--python", first).succeeded()
    (site(machine, old) / "own.py").write_text("mine = 1\n")
    configuration = (machine.venv / "pyvenv.cfg").read_text()
    probe = f"{PROBE}; import gamma; print(gamma.where)"
    assert machine.python(probe).out == f"{old}\n{project}/src/gamma.py\n"
    done = machine.run("lock", "--python", second).succeeded()
    assert f"was remade with Python {new}." in done.err
    assert f"{second} was asked for, and it had Python {old}." in done.err
    assert f"own.py stayed in lib/python{old}/site-packages, where Python {new}." in done.err
    assert machine.python(probe).out == f"{new}\n{project}/src/gamma.py\n"
    assert not (machine.venv / f"include/site/python{old}").exists()
    doctor = machine.run("doctor")
    assert (doctor.code, doctor.out) == (0, "")
    machine.run("lock", "--python", old).succeeded()
    assert machine.python(f"{probe}; import own").out == f"{old}\n{project}/src/gamma.py\n"
    assert (machine.venv / "pyvenv.cfg").read_text() == configuration
    assert machine.run("doctor").code == 0


def test_what_is_really_installed_for_the_other_version_is_named(
    machine: Machine, interpreters: dict[str, Path]
) -> None:
    first, second = (installed(machine, f"{version}.0", interpreters) for version in ("3.11", "3.12"))
    machine.run("lock", "beta", "--python", first).succeeded()
    wheel = machine.wheel("delta")
    shutil.unpack_archive(wheel, site(machine, "3.11"), "zip")
    (site(machine, "3.11") / "loose.py").touch()
    done = machine.run("sync", "--python", second, "--json")
    messages = [finding["message"] for finding in done.json["findings"]]
    assert messages[1].startswith("delta 1.0, loose.py stayed in lib/python3.11/site-packages, where Python 3.12.")
    assert done.json["written"] is True


def test_an_environment_of_somebody_else_is_not_remade(machine: Machine, interpreters: dict[str, Path]) -> None:
    first, second = (installed(machine, f"{version}.0", interpreters) for version in ("3.11", "3.12"))
    subprocess.run([first / "bin/python3.11", "-m", "venv", "--without-pip", machine.venv], check=True)
    before = snapshot(machine.venv)
    done = machine.run("lock", "beta", "--python", second)
    assert done.code == 3
    assert "next: remove it first, or choose another: --venv DIR\n" in done.err
    assert snapshot(machine.venv) == before


@pytest.mark.exhaustive
def test_death_while_it_is_remade(machine: Machine, interpreters: dict[str, Path]) -> None:
    """Whenever it dies, the interpreter starts with what is locked, and one more command ends it."""
    first, second = (installed(machine, f"{version}.0", interpreters) for version in ("3.11", "3.12"))
    machine.run("lock", "beta", "--python", first).succeeded()
    shutil.copytree(machine.venv, machine.folder / "before", symlinks=True)
    number, code, seen = 0, -signal.SIGKILL, []
    while code == -signal.SIGKILL:
        number += 1
        shutil.rmtree(machine.venv)
        shutil.copytree(machine.folder / "before", machine.venv, symlinks=True)
        command = [sys.executable, str(DYING), str(number), "SIGKILL", "sync", "-q", "--python", str(second)]
        environ = {**machine.environ(), "PATH": os.environ["PATH"]}
        code = subprocess.run(command, cwd=machine.work, env=environ, check=False, capture_output=True).returncode
        seen.append(machine.python(PROBE).out)
        machine.run("sync", "--python", second).succeeded()
        assert machine.python(PROBE).out == "3.12\n", number
        assert machine.run("doctor").out == "", number
    assert code == 0
    assert number > 10
    assert seen == sorted(seen)
    assert set(seen) == {"3.11\n", "3.12\n"}


def test_the_interpreter_that_it_had_comes_first(machine: Machine, interpreters: dict[str, Path]) -> None:
    own = installed(machine, "3.11.0", interpreters)
    machine.run("lock", "beta", "--python", own).succeeded()
    installed(machine, "3.11.9", interpreters)
    shutil.rmtree(machine.venv / "bin")
    machine.run("sync").succeeded()
    assert (machine.venv / "bin/python").readlink() == own / "bin/python3.11"
    assert machine.program("alpha").out == "2.0\n"
    is_sound(machine)


@pytest.mark.parametrize("whole", [True, False])
def test_a_site_packages_folder_that_is_gone(machine: Machine, whole: bool, interpreters: dict[str, Path]) -> None:
    machine.run("lock", "beta", "--python", installed(machine, "3.11.0", interpreters)).succeeded()
    shutil.rmtree(site(machine, "3.11") if whole else site(machine, "3.11").parent)
    machine.run("sync").succeeded()
    assert machine.python(PROBE).out == "3.11\n"
    is_sound(machine)

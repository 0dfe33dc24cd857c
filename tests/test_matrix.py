"""The command line on each Python that it supports, with environments of each Python that these may have."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.killing import leftovers
from tests.machine import Done, Machine
from tests.pythons import SUPPORTED, found_pythons

ROOT = Path(__file__).parents[1]
COMMAND_LINES = [version for version in SUPPORTED if version not in {"3.8", "3.9"}]
PROBE = """\
import alpha, importlib.metadata as m, sys
print(alpha.version, m.version('beta'), '%d.%d' % sys.version_info[:2])
"""
pytestmark = [pytest.mark.index, pytest.mark.slow]


@pytest.fixture(scope="session")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the program ``multisite``, installed from this checkout for a Python of this version."""
    installed: dict[str, Path] = {}

    def install(version: str) -> Path:
        if version not in installed:
            folder = tmp_path_factory.mktemp(f"cli-{version}")
            venv = str(folder / "venv")
            for words in (
                ["venv", "--quiet", "--python", str(found_pythons()[version]), venv],
                ["pip", "install", "--quiet", "--python", venv, str(ROOT)],
            ):
                subprocess.run([find_uv_bin(), *words], check=True, env=_clean())
            installed[version] = folder / "venv" / "bin" / "multisite"
        return installed[version]

    return install


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        for version in ("1.0", "2.0"):
            machine.wheel(
                "alpha",
                version,
                files={"alpha.py": f"version = {version!r}\ndef main():\n    print(version)\n"},
                entry_points={"console_scripts": {"alpha": "alpha:main"}},
                requires=[f"beta=={version}"],
            )
            machine.wheel("beta", version, files={"joint": {"__init__.py": "", "beta.py": ""}})
            machine.wheel("gamma", version, files={"joint": {"gamma.py": ""}})
        yield machine


def run(machine: Machine, program: Path, *words: str | Path) -> Done:
    command = [str(program), *map(str, words)]
    done = subprocess.run(command, cwd=machine.work, env=machine.environ(), capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("environment", SUPPORTED)
@pytest.mark.parametrize(
    "command", [pytest.param(version, marks=pytest.mark.xdist_group(f"cli-{version}")) for version in COMMAND_LINES]
)
def test_the_main_job(
    machine: Machine,
    command_line: Callable[[str], Path],
    command: str,
    environment: str,
    interpreters: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    if missing := {command, environment} - interpreters.keys():
        pytest.skip(f"no Python {', '.join(sorted(missing))} here")
    program = command_line(command)
    run(machine, program, "lock", "alpha==1.0", "gamma==1.0", "--python", interpreters[environment]).succeeded()
    first = machine.folder / "first.toml"
    first.write_bytes(machine.lockfile.read_bytes())
    assert machine.python(PROBE) == Done(0, f"1.0 1.0 {environment}\n", "")
    run(machine, program, "lock", "alpha==2.0", "gamma==2.0").succeeded()
    assert machine.python(PROBE) == Done(0, f"2.0 2.0 {environment}\n", "")
    run(machine, program, "sync", first).succeeded()
    assert machine.python(PROBE + "import joint.beta, joint.gamma") == Done(0, f"1.0 1.0 {environment}\n", "")
    assert machine.program("alpha") == Done(0, "1.0\n", "")
    for option in ([], ["--deep"]):
        doctor = run(machine, program, "doctor", *option)
        assert (doctor.code, doctor.out) == (0, "")
        assert doctor.err.startswith(f"{machine.venv}: nothing is wrong\n{machine.venv}: uv pip list, pip-audit")
    names = [row["name"] for row in run(machine, program, "list", "--json").succeeded().json]
    assert names == ["alpha", "beta", "gamma"]
    assert leftovers(machine) == []
    with capsys.disabled():
        print(f" [command line on {command}, environment of {environment}]", end="")

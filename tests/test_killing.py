"""All or nothing: whenever ``lock`` or ``sync`` is killed, the environment is what it was, or what it is to be."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.independent_store_check import faults
from tests.killing import Ground, Situation
from tests.machine import Machine

SIGNALS = ("SIGKILL", "SIGINT", "SIGTERM")
SITUATIONS = ("new-lock", "new-sync", "fetch-lock", "fetch-sync", "stored-lock", "stored-sync")
MODULE = "version = {0!r}\ndef main():\n    print(version)\n"


def fill(machine: Machine) -> None:
    """Make the wheels of two locks: programs and data that come, change and go, and a folder that two share."""
    for version, other in (("1.0", "one"), ("2.0", "two")):
        machine.wheel(
            "alpha",
            version,
            files={"alpha.py": MODULE.format(version), f"alpha_{other}": {"__init__.py": ""}},
            entry_points={"console_scripts": {"alpha": "alpha:main", f"alpha-{other}": "alpha:main"}},
            data={"data": {"share": {"alpha.txt": version, other: {"file.txt": other}}}},
            requires=[f"joint-b=={version}"],
        )
        for name in ("joint-a", "joint-b"):
            machine.wheel(name, version, files={"joint": {"__init__.py": version and "", f"{name[-1]}.py": ""}})
    machine.wheel("gone", files={"gone.py": ""}, data={"scripts": {"gone": "#!python\nprint('gone')\n"}})
    machine.wheel("new", files={"new.py": "", "new.pth": "import sys\n"})


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ground, dict[str, Situation]]]:
    patch = pytest.MonkeyPatch()
    patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    with Machine.opened(tmp_path_factory.mktemp("ground") / "machine") as machine:
        fill(machine)
        ground = Ground(machine)
        first = ground.locked("first", ["alpha==1.0", "joint-a==1.0", "gone"])
        second = ground.locked("second", ["alpha==2.0", "joint-a==2.0", "new"])
        yield ground, dict(zip(SITUATIONS, ground.situations(first, second), strict=True))
    patch.undo()


@pytest.fixture
def ground(grounds: tuple[Ground, dict[str, Situation]]) -> Ground:
    return grounds[0]


@pytest.fixture
def situation(grounds: tuple[Ground, dict[str, Situation]], request: pytest.FixtureRequest) -> Situation:
    return grounds[1][request.param]


def store_faults(ground: Ground) -> list[str]:
    """Return what is wrong in the store, but for small files that wait for garbage collection."""
    found = faults(ground.machine.store, ground.machine.index.folder)
    return [fault for fault in found if not (fault.startswith("left over: ") and fault.endswith(".tmp"))]


every_situation = [pytest.param(name, marks=pytest.mark.xdist_group(f"killing-{name}")) for name in SITUATIONS]


def test_the_locks_differ(grounds: tuple[Ground, dict[str, Situation]]) -> None:
    """What the other tests compare with is what it should be."""
    situation = grounds[1]["fetch-lock"]
    first, second = situation.before, situation.after
    assert first is not None
    assert first.scripts == {"alpha", "alpha-one", "gone"}
    assert second.scripts == {"alpha", "alpha-two"}
    assert first.holds["versions"] == ["alpha 1.0", "gone 1.0", "joint-a 1.0", "joint-b 1.0"]
    assert second.holds["versions"] == ["alpha 2.0", "joint-a 2.0", "joint-b 2.0", "new 1.0"]
    assert "/shared/" in first.holds["modules"]["joint"] != second.holds["modules"]["joint"]


LOADING = """\
import os, signal, sys
module, number = sys.argv[1], getattr(signal, sys.argv[2])
sys.argv[1:] = ["list", "--venv", "nowhere"]
sys.addaudithook(lambda event, found: event == "import" and found[0] == module and os.kill(os.getpid(), number))
from multisite.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "name", "ended"),
    [
        ("multisite.cli", "SIGINT", (130, "interrupted\n")),
        ("multisite.arguments", "SIGINT", (130, "interrupted\n")),
        ("multisite.arguments", "SIGTERM", (-15, "")),
        ("multisite.commands", "SIGINT", (130, "interrupted\n")),
        ("multisite.commands", "SIGTERM", (143, "terminated\n")),
        ("multisite.logged", "SIGTERM", (143, "terminated\n")),
    ],
)
def test_killed_while_it_loads(module: str, name: str, ended: tuple[int, str]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADING, module, name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == ended


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("situation", every_situation, indirect=True)
def test_killed_at_a_change_of_the_disk(ground: Ground, situation: Situation, name: str) -> None:
    changes = ground.changes(situation)
    chance = random.Random(f"{situation.name} {situation.command[0]} {name}")
    for change in sorted(chance.sample(range(1, changes + 1), 2)):
        assert ground.kill_at(situation, change, name) == [], change
        assert store_faults(ground) == [], change


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("situation", every_situation[-1:], indirect=True)
def test_killed_at_every_change_of_the_disk(ground: Ground, situation: Situation, name: str) -> None:
    for change in range(1, ground.changes(situation) + 1):
        assert ground.kill_at(situation, change, name) == [], change
        assert store_faults(ground) == [], change


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("situation", every_situation, indirect=True)
def test_killed_at_some_moment(ground: Ground, situation: Situation, name: str) -> None:
    seconds = ground.duration(situation)
    chance = random.Random(f"{name} {situation}")
    for moment in (chance.uniform(0, seconds) for _ in range(5)):
        assert ground.kill_after(situation, moment, name) == [], moment
        assert store_faults(ground) == [], moment

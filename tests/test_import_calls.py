"""What an import asks the disk below site-packages and the store: each call counted, on each Python, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine
from tests.pythons import SUPPORTED, found_pythons

VERSIONS = [
    pytest.param(version, marks=[] if version in {"3.8", "3.13"} else [pytest.mark.slow]) for version in SUPPORTED
]
MODULES = 12
SUBPACKAGES = 3
FILES = {
    "large/__init__.py": "".join(f"from large import m{number}\n" for number in range(MODULES)),
    **{f"large/m{number}.py": f"from large.p{number % SUBPACKAGES} import leaf\n" for number in range(MODULES)},
    **{f"large/p{number}/__init__.py": "" for number in range(SUBPACKAGES)},
    **{f"large/p{number}/leaf.py": "who = __name__\n" for number in range(SUBPACKAGES)},
}
# Site-packages itself: its own finder asks when it has changed, and so does who looks whether something in it replaces
# what is locked, for each of two names; that one lists it once.
SITE = {"stat site-packages": 4, "listdir site-packages": 1}
# The import system calls the functions of the module that `os` is made of, by their names there, and so does `os`
# itself once it has them from there; what it opens is audited.
PROBE = """\
import json, os, sys
calls = []
watched = sys.argv[1:]
system = sys.modules.get("posix") or sys.modules["nt"]
def seen(kind, path):
    path = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
    if path.startswith(tuple(watched)):
        calls.append([kind, path])
def counted(name):
    function = getattr(system, name)
    def call(path=".", *arguments, **options):
        seen(name, path)
        return function(path, *arguments, **options)
    setattr(system, name, call)
    setattr(os, name, call)
for name in "stat", "lstat", "listdir", "scandir", "access", "readlink":
    counted(name)
sys.addaudithook(lambda event, arguments: seen("open", arguments[0]) if event == "open" else None)
import large, single
for name in sys.argv[3:]:
    try:
        __import__(name)
    except ImportError:
        pass
imported = [name for name in sys.modules if name.startswith(("large", "single"))]
sys.stdout.write(json.dumps([len(imported), [[kind, path] for kind, path in calls]]))
"""


@pytest.fixture(params=VERSIONS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if request.param not in found_pythons():
        pytest.skip(f"no Python {request.param} here")
    with Machine.opened(tmp_path / "machine") as machine:
        machine.wheel("large", files=FILES)
        machine.wheel("single")
        machine.run("lock", "large", "single", "--python", found_pythons()[request.param]).succeeded()
        yield machine


def calls(machine: Machine, *options: str, more: tuple[str, ...] = ()) -> tuple[int, dict[str, int]]:
    """Return how many modules were imported, and how often each call named a path of some kind."""
    watched = (str(machine.store), str(machine.environment.site_packages))
    modules, found = json.loads(machine.program("python", *options, "-c", PROBE, *watched, *more).out)
    counts: dict[str, int] = {}
    for kind, path in found:
        place = Path(path).suffix or ("site-packages" if path == watched[1] else "a folder")
        counts[f"{kind} {place}"] = counts.get(f"{kind} {place}", 0) + 1
    return modules, counts


def test_each_module_costs_one_call(machine: Machine) -> None:
    calls(machine)  # writes what bytecode there is not yet
    modules, found = calls(machine)
    assert modules == 2 + MODULES + 2 * SUBPACKAGES
    assert found == {"open .pyc": modules, "open .txt": 2, **SITE}


@pytest.mark.parametrize("option", ["-O", "-OO"])
def test_an_optimized_import_costs_as_much_the_second_time(machine: Machine, option: str) -> None:
    _, first = calls(machine, option)
    assert first["open .py"] == 2 + MODULES + 2 * SUBPACKAGES
    modules, found = calls(machine, option)
    assert found == {"open .pyc": modules, "open .txt": 2, **SITE}


def test_what_is_not_there_costs_one_look_at_the_folder(machine: Machine) -> None:
    calls(machine)
    names = tuple(f"missing_{number}" for number in range(50))
    _, found = calls(machine, more=names)
    assert found["stat site-packages"] == 4 + len(names)
    _, found = calls(machine, more=("large.missing", "large.missing_too"))
    assert (found["stat a folder"], found["listdir a folder"]) == (2, 1)


def test_without_an_index_the_ordinary_way(machine: Machine) -> None:
    for path in machine.store.rglob("modules.txt"):
        path.unlink()
    modules, found = calls(machine)
    assert modules == 2 + MODULES + 2 * SUBPACKAGES
    assert found["stat .py"] >= modules


@pytest.mark.parametrize(
    "text",
    [
        "",
        "multisite modules 2 1\n\tsingle.py\n",
        "multisite modules 1 9\n\tsingle.py\n",
        "multisite modules 1 0\n",
        "\xff",
    ],
    ids=["empty", "later", "torn", "of nothing", "of other characters"],
)
def test_an_index_that_cannot_be_used(machine: Machine, text: str) -> None:
    for path in machine.store.rglob("modules.txt"):
        path.write_text(text, encoding="latin-1")
    modules, _ = calls(machine)
    assert modules == 2 + MODULES + 2 * SUBPACKAGES

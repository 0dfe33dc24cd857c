"""What the first questions for metadata in a process cost, in things that can be counted: names, functions, modules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.machine import Machine
from tests.pythons import SUPPORTED, found_pythons

# Importing what answers is not counted. What it takes is counted by our functions that run.
ASKED = """\
import importlib.metadata, json, sys
from importlib.metadata import entry_points, version
disk = []
kinds = ("open", "os.listdir", "os.scandir")
begun = []
before = set(sys.modules)
sys.addaudithook(lambda kind, given: disk.append((kind, str(given[0]))) if kind in kinds else None)
def seen(frame, event, value):
    if event == "call" and frame.f_globals["__name__"].startswith("_multisite"):
        begun.append(frame.f_code.co_name)
sys.setprofile(seen)
eval(sys.argv[1])
sys.setprofile(None)
disk = list(disk)
loaded = sorted(set(sys.modules) - before)
print(json.dumps({"disk": disk, "begun": begun, "loaded": loaded}))
"""
MORE = tuple(f"beta{number}" for number in range(12))
POINTS = {"entry_points.txt": "[group]\nfirst = alpha\nsecond = alpha\n"}


@pytest.fixture(params=SUPPORTED)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    if request.param not in found_pythons():
        pytest.skip(f"no Python {request.param} here")
    with Machine.opened(tmp_path / "machine") as machine:
        machine.wheel("alpha", dist_info_files=POINTS)
        for name in MORE:
            machine.wheel(name)
        for venv, names in (("few", ()), ("many", MORE)):
            words = ("--venv", machine.work / venv, "--python", found_pythons()[request.param])
            machine.run("lock", "alpha", *names, *words).succeeded()
        yield machine


def asked(machine: Machine, venv: str, question: str) -> dict[str, Any]:
    done = machine.program("python", "-I", "-c", ASKED, question, venv=machine.work / venv)
    found: dict[str, Any] = json.loads(done.succeeded().out)
    return found


@pytest.mark.parametrize("question", ["version('alpha')", "entry_points()"])
def test_one_folder_is_listed_and_nothing_opened_or_loaded(machine: Machine, question: str) -> None:
    (site,) = (machine.work / "many" / "lib").glob("python*/site-packages")
    found = asked(machine, "many", question)
    # The library's folders have had no metadata since the last sync, by their times.
    assert found["disk"] == [["os.listdir", str(site)]]
    assert found["loaded"] == []


@pytest.mark.parametrize(("question", "limit"), [("version('alpha')", 40), ("entry_points()", 60)])
def test_the_functions_that_run_do_not_grow_with_what_is_not_asked_for(
    machine: Machine, question: str, limit: int
) -> None:
    few, many = (asked(machine, venv, question)["begun"] for venv in ("few", "many"))
    if question != "entry_points()" and "_searched" in few:
        pytest.skip("up to 3.9 the standard library goes through the names itself")
    assert many == few
    assert len(many) <= limit, " ".join(many)

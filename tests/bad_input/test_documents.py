"""Documents of multisite's own that somebody made up: in a store, in an environment.

What they say is told, nothing outside is read, written or removed, garbage collection takes nothing that is used, and
what is derived is made again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.bad_input.case import shown
from tests.machine import Machine

Change: TypeAlias = Callable[[Any], Any]

MANIFEST = "store/multi-site-packages/alpha/*/*/manifest.json"
ORIGINS = "store/multi-site-packages/alpha/*/*/artifacts.json"
ALIAS = "store/artifacts/sha256/*/*.json"
SHARED = "store/shared/[!.]*/shared.json"
REGISTRATION = "store/environments/*.json"
STATE = "work/.venv/.multisite/environment.json"
DEEP = "[" * 100_000
RECURSION = "not JSON that can be read: *"


def new(**values: object) -> Change:
    return lambda document: {**document, **values}


def inner(key: str, at: object, **values: object) -> Change:
    def change(document: Any) -> Any:
        document[key][at].update(values)
        return document

    return change


def other_file(name: str) -> Change:
    def change(document: Any) -> Any:
        document["files"][name] = {"owner": "alpha", "sha256": "0" * 64, "size": 1}
        return document

    return change


CLIMBS = "../../../../evil"
# What is changed, and what ``verify`` says then, without the path of the document.
VERIFIED: dict[str, tuple[str, Change | str, str]] = {
    "data that climb": (
        MANIFEST,
        inner("data", 0, path=CLIMBS),
        f"data[0]: data/{CLIMBS} is not in a folder of the entry",
    ),
    "data from the root": (
        MANIFEST,
        inner("data", 0, path="/etc/evil"),
        "data[0]: data//etc/evil is not in a folder of the entry",
    ),
    "a scheme that climbs": (
        MANIFEST,
        inner("data", 0, scheme="../.."),
        "data[0]: ../../share/a.txt is not in a folder of the entry",
    ),
    "metadata elsewhere": (MANIFEST, new(dist_info=f"{CLIMBS}-1.dist-info"), f"dist_info: '{CLIMBS}-1.dist-info' is *"),
    "start-up code elsewhere": (MANIFEST, new(pth={"../x.pth": "import x"}), "pth: '../x.pth' is not a plain name"),
    "another distribution": (MANIFEST, new(name=CLIMBS), "it is that of *"),
    "a manifest without end": (MANIFEST, DEEP, RECURSION),
    "an alias that climbs": (ALIAS, new(entry=CLIMBS), f"not a build's name: '{CLIMBS}'"),
    "an alias from the root": (ALIAS, new(entry="/etc/1.0/x"), "not a build's name: '/etc/1.0/x'"),
    "an alias with another digest": (
        ALIAS,
        new(digest="../x"),
        "digest: expected 64 hexadecimal digits, found '../x'",
    ),
    "an alias without end": (ALIAS, DEEP, RECURSION),
    "a file name that climbs": (
        ORIGINS,
        inner("artifacts", 0, filename=f"{CLIMBS}.whl"),
        f"artifacts[0].filename: '{CLIMBS}.whl' is not a plain file name",
    ),
    "a file name from the root": (
        ORIGINS,
        inner("artifacts", 0, filename="/etc/x.whl"),
        "artifacts[0].filename: '/etc/x.whl' is not a plain file name",
    ),
    "a file name for terminals": (
        ORIGINS,
        inner("artifacts", 0, filename="\x1b[31m.whl"),
        "artifacts[0].filename: '\\x1b[31m.whl' is not a plain file name",
    ),
    "a size below zero": (
        ORIGINS,
        inner("artifacts", 0, size=-1),
        "artifacts[0].size: expected a number from 0 on, found -1",
    ),
    "an artifact's hash that climbs": (
        ORIGINS,
        inner("artifacts", 0, sha256="../.."),
        "artifacts[0].sha256: expected 64 hexadecimal digits, found '../..'",
    ),
    "a source that climbs": (
        ORIGINS,
        new(sources=["../.."]),
        "sources: expected 64 hexadecimal digits, found '../..'",
    ),
    "members that climb": (SHARED, new(members=[CLIMBS]), f"its member {CLIMBS} is not in the store, *"),
    "a shared digest that climbs": (
        SHARED,
        new(digest="../.."),
        "digest: expected 64 hexadecimal digits, found '../..'; digest: not the folder's name, HASH",
    ),
}
# What ``gc`` refuses then.
REGISTERED: dict[str, tuple[Change | str, str]] = {
    "builds that climb": (new(builds=[CLIMBS]), f"builds: not a build's name: '{CLIMBS}'"),
    "an id that climbs": (new(id=CLIMBS), f"id: expected 32 hexadecimal digits, found '{CLIMBS}'"),
    "a path from anywhere": (new(path="a/.."), "path: expected a path from the root, found 'a/..'"),
    "a shared folder that climbs": (new(shared=["../.."]), "shared: expected 64 hexadecimal digits, found '../..'"),
    "a table that climbs": (new(table="../.."), "table: expected 64 hexadecimal digits, found '../..'"),
    "a time before all": (new(seen=-1), "seen: expected a number from 0 on, found -1"),
    "a history that climbs": (
        new(history=[{"time": 1, "builds": [], "shared": [], "table": CLIMBS}]),
        f"history[0].table: expected 64 hexadecimal digits, found '{CLIMBS}'",
    ),
    "without end": (DEEP, RECURSION),
}
# What the doctor says then.
STATES: dict[str, tuple[Change | str, str]] = {
    "builds that climb": (
        inner("builds", "alpha", build=CLIMBS),
        f"builds.alpha.build: not a build's name: 'alpha/{CLIMBS}'",
    ),
    "a shared folder that climbs": (
        inner("builds", "alpha", shared=CLIMBS),
        f"builds.alpha.shared: expected 64 hexadecimal digits, found '{CLIMBS}'",
    ),
    "files that climb": (other_file("../../precious"), "files.../../precious: the path leads out of the environment"),
    "files from the root": (other_file("/etc/passwd"), "files./etc/passwd: the path leads out of the environment"),
    "an id that climbs": (new(id=CLIMBS), f"id: expected 32 hexadecimal digits, found '{CLIMBS}'"),
    "without end": (DEEP, RECURSION),
}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine.opened(tmp_path_factory.mktemp("documents") / "machine") as machine:
        machine.wheel("alpha", data={"data": {"share": {"a.txt": "x"}}})
        for name in ("a", "b"):
            machine.wheel(f"joint-{name}", files={"joint": {"__init__.py": "", f"{name}.py": ""}})
        machine.run("lock", "alpha", "joint-a", "joint-b").succeeded()
        for part in ("store", "work"):
            subprocess.run(["cp", "-a", machine.folder / part, machine.folder / f"kept-{part}"], check=True)
        yield machine


@pytest.fixture
def machine(pristine: Machine) -> Machine:
    for part in ("store", "work"):
        shutil.rmtree(pristine.folder / part)
        subprocess.run(["cp", "-a", pristine.folder / f"kept-{part}", pristine.folder / part], check=True)
    (pristine.folder / "precious").write_text("precious")
    return pristine


def changed(machine: Machine, pattern: str, change: Change | str) -> Path:
    path = min(machine.folder.glob(pattern))
    path.write_text(change if isinstance(change, str) else json.dumps(change(json.loads(path.read_bytes()))))
    return path


def demand(machine: Machine, text: str, expected: str) -> None:
    found = shown(text, machine)
    start, is_open, _ = expected.partition("*")
    assert found.startswith(start) if is_open else found == expected


def entries(machine: Machine) -> list[str]:
    return sorted(str(path) for path in machine.store.glob("multi-site-packages/[!.]*/*/*"))


def judge(machine: Machine) -> None:
    """Everything is as it was: nothing outside is touched, and the environment has what it is locked to."""
    assert (machine.folder / "precious").read_text() == "precious"
    assert sorted(path.name for path in machine.folder.iterdir() if not path.name.startswith(("uv-", "."))) == [
        *("home", "kept-store", "kept-work", "precious", "store", "wheels", "work")
    ]
    machine.run("sync").succeeded()
    assert machine.run("doctor", "--json").json["findings"] == []
    machine.python("import alpha, joint.a, joint.b").succeeded()
    machine.run("gc", "--now", "--force").succeeded()
    assert machine.run("verify").code == 0


@pytest.mark.parametrize("name", VERIFIED)
def test_of_an_entry(machine: Machine, name: str) -> None:
    pattern, change, expected = VERIFIED[name]
    path, before = changed(machine, pattern, change), entries(machine)
    (finding,) = machine.run("verify", "--json").json["findings"]
    message = finding["message"]
    for start in (f"{finding['subject']}: ", f"{path.relative_to(machine.store).as_posix()}: ", f"{path.name}: "):
        message = message.removeprefix(start)
    demand(machine, message, expected)
    assert finding["fix"].startswith("multisite verify --repair")
    machine.run("verify", "--repair").succeeded()
    assert entries(machine) == before
    judge(machine)


@pytest.mark.parametrize("name", REGISTERED)
def test_of_the_registry(machine: Machine, name: str) -> None:
    change, expected = REGISTERED[name]
    path, before = changed(machine, REGISTRATION, change), entries(machine)
    refused = machine.run("gc", "--now", "--force")
    assert (refused.code, entries(machine)) == (3, before)
    sentence, _, after = refused.err.partition("error: ")[2].partition("\nnext: ")
    demand(machine, sentence.removeprefix(f"{path}: not a valid registration of an environment: "), expected)
    assert after.startswith("multisite sync in that environment writes it anew")
    assert machine.run("verify").code == 1
    judge(machine)


@pytest.mark.parametrize("name", STATES)
def test_of_an_environment(machine: Machine, name: str) -> None:
    change, expected = STATES[name]
    path = changed(machine, STATE, change)
    found = machine.run("doctor", "--json")
    assert found.code == 3
    message = found.json["findings"][0]["message"]
    demand(machine, message.removeprefix(f"{path}: not a valid environment.json: "), expected)
    judge(machine)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"format": 1, "pid": 1, "host": "x", "time": 1}\n../../evil\n', "line 2: not a build's name: '../../evil'"),
        ('{"format": 1, "pid": 1, "host": "x", "time": 1}\nshared/../..\n', "*"),
        (DEEP, RECURSION),
        ('{"format": 1, "pid": "x", "host": 1, "time": []}\n', "*"),
    ],
    ids=["builds that climb", "shared folders that climb", "without end", "other kinds of values"],
)
def test_of_a_command(machine: Machine, content: str, expected: str) -> None:
    (machine.store / "pins").mkdir(exist_ok=True)
    path, before = machine.store / "pins" / f"{'0' * 32}.pin", entries(machine)
    path.write_text(content)
    done = machine.run("gc", "--now", "--force")
    assert entries(machine) == before
    if done.code:  # what a dead process wrote counts for nothing, whatever it is
        assert (done.code, "next: remove the file when no multisite runs" in done.err) == (3, True)
        sentence = done.err.partition("error: ")[2].partition("\nnext: ")[0]
        demand(machine, sentence.removeprefix(f"{path}: not a valid pin: "), expected)
        path.unlink()
    judge(machine)

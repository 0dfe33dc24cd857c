"""Several stores for one environment: the first is written to, the others are read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from multisite.layers import listed, moved
from multisite.registry import registrations
from tests.machine import Machine, snapshot
from tests.pythons import found_pythons

PROBE = """\
import alpha, beta, importlib.metadata as m
print(alpha.version, m.version('alpha'), beta.version, m.version('beta'))
print(*(f.__file__.split('/multi-site-packages')[0] for f in (alpha, beta)), sep='\\n')
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        for version in ("1.0", "2.0"):
            machine.wheel("alpha", version, requires=[f"beta=={version}"])
            machine.wheel("beta", version)
        yield machine


@pytest.fixture
def system(machine: Machine) -> Path:
    """Return a store in which beta 1.0 is, and which an environment of its own uses."""
    folder = machine.folder / "system"
    machine.run("lock", "beta==1.0", "--store", folder, "--venv", "admin").succeeded()
    return folder


def layered(machine: Machine, *stores: Path) -> Machine:
    machine.variables["MULTISITE_STORE"] = os.pathsep.join(map(str, stores))
    return machine


def entries(store: Path) -> list[str]:
    return sorted(path.parent.name + " " + path.name for path in (store / "multi-site-packages").glob("[!.]*/*"))


def used(store: Path) -> dict[str, list[str]]:
    return {item.path.name: [str(build) for build in item.builds] for item in registrations(store)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("/a", ("/a",)),
        ("/a/../b/:/c", ("/b", "/c")),
        (":/c", (None, "/c")),
        ("/a::/c", ("/a", None, "/c")),
    ],
)
def test_a_list(text: str, expected: tuple[str | None, ...]) -> None:
    assert listed(text.replace(":", os.pathsep)) == tuple(path and Path(path) for path in expected)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ((), ("/one", "/two")),
        (("/x",), ("/x", "/two")),
        (("/x", "/y", "/z"), ("/x", "/y")),
        ((None, "/y"), ("/one", "/y")),
        (("/two",), ("/two", "/two")),
        (("/x", "/one", "/two"), ("/one", "/two")),
    ],
)
def test_stores_that_moved(named: tuple[str | None, ...], expected: tuple[str, ...]) -> None:
    paths = [None if path is None else Path(path) for path in named]
    assert moved(["/one", "/two"], paths) == expected


def test_what_a_lower_store_has_is_not_fetched(machine: Machine, system: Path) -> None:
    machine.index.requests.clear()
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    assert machine.fetched() == ["alpha-1.0-py3-none-any.whl"]
    assert (entries(machine.store), entries(system)) == (["alpha 1.0"], ["beta 1.0"])
    assert machine.state.stores == (str(machine.store), str(system))
    assert machine.python(PROBE).out == f"1.0 1.0 1.0 1.0\n{machine.store}\n{system}\n"
    # Each store knows what is used of it.
    (alpha,) = used(machine.store)[".venv"]
    (beta,) = used(system)[".venv"]
    assert (alpha[:9], beta[:8]) == ("alpha/1.0", "beta/1.0")
    before = snapshot(machine.venv, machine.store, system)
    assert machine.run("sync").err.endswith("unchanged; 2 distributions\n")
    assert snapshot(machine.venv, machine.store, system) == before
    assert machine.run("doctor").code == 0
    rows = {row["name"]: row["store"] for row in machine.run("list", "--json").json}
    assert rows == {"alpha": str(machine.store), "beta": str(system)}


def test_the_option_given_twice(machine: Machine, system: Path) -> None:
    machine.run("lock", "alpha==1.0", "--store", "own", "--store", system).succeeded()
    assert machine.state.stores == (str(machine.work / "own"), str(system))
    # Without it, an environment knows its stores.
    machine.variables["MULTISITE_STORE"] = ""
    assert machine.run("sync").err.endswith("unchanged; 2 distributions\n")
    assert machine.run("doctor").code == 0


def test_one_store_by_two_names_is_one(machine: Machine, system: Path) -> None:
    (machine.folder / "link").symlink_to(system)
    layered(machine, system, machine.folder / "link").run("lock", "beta==1.0").succeeded()
    assert machine.state.stores == (str(system),)


def test_a_store_that_nothing_is_used_of_is_not_known(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "beta==2.0").succeeded()
    assert machine.state.stores == (str(machine.store),)
    assert used(system).keys() == {"admin"}
    shutil.rmtree(system)
    assert machine.python("import beta; print(beta.version)").err == ""


def test_the_system_s_store_is_found(machine: Machine) -> None:
    data = machine.folder / "usr" / "share"
    machine.variables["XDG_DATA_DIRS"] = str(data)
    machine.run("lock", "beta==1.0", "--store", data / "multisite", "--venv", "admin").succeeded()
    machine.variables["MULTISITE_STORE"] = ""
    machine.run("lock", "alpha==1.0").succeeded()
    assert machine.state.stores == (
        str(machine.folder / "home" / ".local" / "share" / "multisite"),
        str(data / "multisite"),
    )
    # Whoever names stores means these alone.
    machine.run("lock", "alpha==1.0", "--store", machine.store, "--venv", "other").succeeded()
    assert entries(machine.store) == ["alpha 1.0", "beta 1.0"]


def test_switching_between_lockfiles_with_tables_from_two_stores(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    first = machine.lockfile.read_bytes()
    machine.run("lock", "alpha==2.0").succeeded()
    assert machine.state.stores == (str(machine.store), str(system))  # the former table leads there
    machine.lockfile.write_bytes(first)
    done = machine.python(PROBE)
    assert (done.out, done.err) == (f"1.0 1.0 1.0 1.0\n{machine.store}\n{system}\n", "")


def test_an_environment_that_leaves_a_store(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    layered(machine, machine.store).run("sync").succeeded()
    assert used(system).keys() == {"admin"}
    assert machine.state.stores == (str(machine.store),)
    assert machine.python(PROBE).out == f"1.0 1.0 1.0 1.0\n{machine.store}\n{machine.store}\n"


def test_garbage_of_a_lower_store_that_an_environment_has_in_its_own(machine: Machine, system: Path) -> None:
    """The same build lies in both, and the environment uses that of its own store: the lower store's keeps nobody."""
    machine.run("lock", "alpha==1.0", "--store", system, "--venv", "other").succeeded()
    shutil.rmtree(machine.work / "other")
    machine.run("gc", "--now", "--store", system).succeeded()
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    machine.run("lock", "alpha==1.0", "--store", system, "--venv", "other").succeeded()
    assert entries(system) == ["alpha 1.0", "beta 1.0"]
    shutil.rmtree(machine.work / "other")
    machine.run("gc", "--now", "--store", system).succeeded()
    assert (entries(machine.store), entries(system)) == (["alpha 1.0"], ["beta 1.0"])
    assert machine.program("python", "-c", PROBE).succeeded().out.startswith("1.0 1.0 1.0 1.0")


def test_stores_at_other_places(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    one, two = machine.folder / "one", machine.folder / "two"
    machine.store.rename(one)
    system.rename(two)
    there = f"1.0 1.0 1.0 1.0\n{one}\n{two}\n"
    both = os.pathsep.join(map(str, (one, two)))
    assert machine.python(PROBE, variables={"MULTISITE_STORE": both}).out == there
    assert layered(machine, one, two).run("list", "--json").json[1]["store"] == str(two)
    assert machine.run("doctor").code == 0
    machine.run("sync").succeeded()
    assert machine.python(PROBE).out == there
    # The second alone; and one that is named is where it was, whatever its place.
    two.rename(system)
    assert machine.python(PROBE, variables={"MULTISITE_STORE": os.pathsep + str(system)}).out.endswith(f"{system}\n")
    system.rename(two)
    for places in ([two, one], [machine.folder / "new", one, two]):
        variables = {"MULTISITE_STORE": os.pathsep.join(map(str, places))}
        assert machine.python(PROBE, variables=variables).out == there
        assert machine.program("python", "-E", "-c", PROBE, variables=variables).out == there


def test_a_store_that_is_missing(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    system.rename(machine.folder / "away")
    done = machine.python("import alpha\ntry:\n    import beta\nexcept ModuleNotFoundError as error:\n    print(error)")
    assert done.err == (
        f"multisite: {machine.venv}: its store is missing or cannot be read, what is locked there cannot be imported: "
        f"{system}; run: multisite sync --venv {machine.venv}\n"
    )
    assert done.out.startswith("No module named 'beta': beta 1.0 is locked, but not in the store ")
    doctor = machine.run("doctor")
    assert doctor.code == 3
    assert f"store {system}: there is no store" in doctor.out
    # What is named and missing is an error; what only the environment knew is done without.
    done = machine.run("sync")
    assert (done.code, done.err.splitlines()[-2]) == (3, f"error: store {system}: there is no store")
    machine.variables["MULTISITE_STORE"] = ""
    machine.run("sync").succeeded()
    assert machine.python(PROBE).out == f"1.0 1.0 1.0 1.0\n{machine.store}\n{machine.store}\n"


def test_one_that_is_missing_and_not_needed(machine: Machine, system: Path) -> None:
    between = machine.folder / "between"
    machine.run("lock", "alpha==2.0", "--store", between, "--venv", "other").succeeded()
    layered(machine, machine.store, between, system).run("lock", "alpha==1.0").succeeded()
    between.rename(machine.folder / "away")
    doctor = machine.run("doctor", "--json")
    (finding,) = doctor.json["findings"]
    assert (doctor.code, finding["check"], finding["severity"]) == (1, "store-absent", "warning")
    reason = "it is listed, and there is no store; nothing that is locked is in it"
    assert finding["message"] == f"store {between}: {reason}"
    layered(machine).run("sync").succeeded()
    assert machine.run("doctor", "--json").json["findings"] == []


def test_a_copy_is_known_by_any_of_its_stores(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    copy = machine.work / "copy"
    shutil.copytree(machine.venv, copy, symlinks=True)
    layered(machine, machine.folder / "new", system).run("sync", "--venv", copy).succeeded()
    states = [json.loads((path / ".multisite/environment.json").read_bytes()) for path in (machine.venv, copy)]
    assert len({state["id"] for state in states}) == 2
    assert {item.path for item in registrations(system)} >= {machine.venv, copy}


def test_a_damaged_entry_of_a_lower_store_is_made_anew_in_the_first(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    (damaged,) = system.rglob("beta.py")
    damaged.write_text("version = 'other'\n")
    assert machine.run("doctor").code == 1
    assert machine.run("doctor", "--fix").code == 0
    assert damaged.read_text() == "version = 'other'\n"
    assert machine.python(PROBE).out == f"1.0 1.0 1.0 1.0\n{machine.store}\n{machine.store}\n"


def test_a_shared_folder_with_members_of_two_stores(machine: Machine) -> None:
    machine.wheel("outer", files={"pkg": {"__init__.py": "where = __file__\n", "one.py": ""}})
    machine.wheel("inner", files={"pkg": {"part": {"__init__.py": ""}, "two.py": ""}})
    system = machine.folder / "system"
    machine.run("lock", "outer", "--store", system, "--venv", "admin").succeeded()
    layered(machine, machine.store, system).run("lock", "outer", "inner").succeeded()
    done = machine.python("import pkg.one, pkg.two, pkg.part; print(pkg.where, len(pkg.__path__))")
    assert done.out.startswith(f"{machine.store}/shared/")
    assert done.out.endswith("/pkg/__init__.py 1\n")
    assert machine.run("doctor", "--deep").code == 0
    assert machine.run("sync").err.endswith("unchanged; 2 distributions\n")
    # Where a member is really installed, the other is found in the store that its entry is in.
    site = machine.environment.site_packages
    shutil.copytree(next(machine.store.glob("multi-site-packages/inner/*/*/site-packages")), site, dirs_exist_ok=True)
    done = machine.python("import pkg.one, pkg.two; print(pkg.one.__file__)")
    assert done.out.startswith(f"{system}/multi-site-packages/outer/"), done


def test_a_first_store_that_nobody_may_write_to(machine: Machine, system: Path) -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("file modes do not bind root, and there is no setpriv")
    for path in [system, *system.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    layered(machine, system).run_unprivileged("lock", "beta==1.0").succeeded()
    assert machine.python("import beta; print(beta.version)").out == "1.0\n"
    machine.index.requests.clear()
    done = machine.run_unprivileged("lock", "alpha==1.0")
    assert done.code == 3
    error, way_out = done.err.splitlines()[-2:]
    assert error == f"error: store {system}: it may not be written to, and has no alpha"
    own = f"put a store of your own before it: MULTISITE_STORE=DIR{os.pathsep}{system}"
    assert way_out == f"next: have its owner lock or sync that there, or {own}"
    assert machine.fetched() == []
    layered(machine, machine.store, system).run_unprivileged("lock", "alpha==1.0").succeeded()
    assert machine.python(PROBE).out == f"1.0 1.0 1.0 1.0\n{machine.store}\n{system}\n"


def test_a_view_of_two_stores(machine: Machine, system: Path) -> None:
    layered(machine, machine.store, system).run("lock", "alpha==1.0").succeeded()
    machine.run("view").succeeded()
    view = next((machine.venv / ".multisite" / "view").glob("lib/*/site-packages"))
    assert {"alpha.py", "beta.py"} <= {path.name for path in view.iterdir()}
    assert machine.run("doctor").code == 0


# Compared with a plain environment.

ANSWERS = Path(__file__).parent / "probes" / "environment_answers.py"
WHEELS = {
    "one": {"files": {"one.py": "", "space": {"first": {"__init__.py": ""}}, "one.pth": "import sys\n"}},
    "two": {
        "files": {"two": {"__init__.py": "", "data.txt": "x"}, "space": {"second": {"__init__.py": ""}}},
        "entry_points": {"console_scripts": {"two": "two:main"}, "plugins": {"p": "two"}},
        "data": {"data": {"share": {"two.txt": "two"}}},
    },
    "outer": {"files": {"pkg": {"__init__.py": "", "one.py": ""}}},
    "inner": {"files": {"pkg": {"part": {"__init__.py": ""}, "two.py": ""}}, "requires": ["one"]},
}
NAMES = [
    "one",
    "two",
    "space",
    "space.first",
    "space.second",
    "pkg",
    "pkg.one",
    "pkg.two",
    "pkg.part",
    "nothing",
    "json",
]


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.13"])
def test_the_same_answers_as_in_a_plain_environment(tmp_path: Path, version: str) -> None:
    python = found_pythons().get(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    with Machine.opened(tmp_path / "machine") as machine:
        for name, options in WHEELS.items():
            machine.wheel(name, **options)  # type: ignore[arg-type]
        system, plain = machine.folder / "system", machine.folder / "plain"
        machine.run("lock", "two", "outer", "--store", system, "--venv", "admin", "--python", python).succeeded()
        layered(machine, machine.store, system).run("lock", *WHEELS, "--python", python).succeeded()
        assert len(entries(machine.store)) == len(entries(system)) == len(WHEELS) // 2
        uv = [find_uv_bin(), "--quiet", "--offline", "--no-config"]
        source = ["--no-index", "--find-links", machine.index.folder, "--python", plain / "bin" / "python"]
        # Not by uv, which puts a module of its own into those of old Pythons.
        for words in ([python, "-m", "venv", "--without-pip", plain], [*uv, "pip", "install", *source, *WHEELS]):
            subprocess.run([*map(str, words)], check=True, env=machine.environ())
        here, there = (_answers(machine, venv) for venv in (machine.venv, plain))
    assert here == there


def _answers(machine: Machine, venv: Path) -> dict[str, object]:
    done = machine.program("python", str(ANSWERS), *NAMES, venv=venv).succeeded()
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found

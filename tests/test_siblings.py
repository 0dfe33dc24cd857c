"""Libraries that look for each other across distributions, in a plain environment and in multisite's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite import settled
from multisite.quick import cache_folder
from multisite.store import Store
from tests.machine import Machine
from tests.pythons import found_pythons
from tests.siblings import PROBE, Siblings

pytestmark = pytest.mark.xdist_group("siblings")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        yield machine


@pytest.fixture
def siblings(machine: Machine) -> Siblings:
    made = Siblings(machine.folder / "c", machine.index.folder)
    made.all()
    return made


def shared(machine: Machine) -> list[Path]:
    return sorted((machine.store / "shared").glob("[!.]*"))


def plain(machine: Machine, *requirements: str, python: Path | str) -> Path:
    from uv import find_uv_bin

    folder = machine.folder / "plain"
    environ = machine.environ()
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", python, folder], env=environ, check=True)
    command = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *requirements]
    subprocess.run(command, env=environ, check=True)
    return folder


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("chained", [False, True], ids=["DT_RUNPATH", "DT_RPATH of the first only"])
def test_they_find_each_other_as_in_a_plain_environment(machine: Machine, version: str, chained: bool) -> None:
    python = found_pythons().get(version)
    if python is None:
        pytest.skip(f"no CPython {version} on this machine")
    Siblings(machine.folder / "c", machine.index.folder, chained=chained).all()
    machine.run("lock", "sib-app", "--python", python).succeeded()
    # Loaded alone, the library with no run path of its own finds nothing, here as there.
    probe = "import sib_app\n" + PROBE if chained else PROBE
    expected = machine.python(probe, venv=plain(machine, "sib-app", python=python)).succeeded()
    assert expected.out.splitlines()[:2] == ["102 102 1", "102"]
    assert machine.python(probe).succeeded() == expected
    assert len(shared(machine)) == 1
    assert machine.run("doctor", "--deep", "--json").succeeded().json["findings"] == []


def test_apart_they_do_not_find_each_other(machine: Machine, siblings: Siblings) -> None:
    """What the shared folder is for: the same files in their own entries do not load."""
    machine.run("lock", "sib-app").succeeded()
    (library,) = machine.store.glob("multi-site-packages/sib-math/*/*/site-packages/sib/math/lib/libmath.so.2")
    done = machine.python(f"import ctypes; ctypes.CDLL({str(library)!r})")
    assert done.code == 1
    assert "libcore.so.1: cannot open shared object file" in done.err


def test_one_folder_for_each_closure(machine: Machine, siblings: Siblings) -> None:
    machine.run("lock", "sib-app").succeeded()
    (first,) = shared(machine)
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*") if "__pycache__" not in str(path)}
    # Another environment with the same closure, and more.
    machine.wheel("other")
    machine.run("lock", "sib-app", "other", "--venv", "second").succeeded()
    assert shared(machine) == [first]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert machine.python(PROBE, venv=machine.work / "second").succeeded().out == machine.python(PROBE).succeeded().out
    # An upgrade of one member is another closure; the first environment keeps its own.
    siblings.core("2.0")
    machine.run("lock", "sib-app", "sib-core ==2.0", "--venv", "second").succeeded()
    assert len(shared(machine)) == 2
    assert machine.python(PROBE, venv=machine.work / "second").succeeded().out.startswith("202 202 2\n")
    assert machine.python(PROBE).succeeded().out.startswith("102 102 1\n")
    digests = {chosen.shared for chosen in machine.state.builds.values()}
    assert digests == {first.name}


def test_only_who_is_needed_is_in_it(machine: Machine, siblings: Siblings) -> None:
    machine.wheel("other")
    machine.run("lock", "sib-math", "sib-core", "other").succeeded()
    (folder,) = shared(machine)
    members = json.loads((folder / "shared.json").read_text())["members"]
    assert [member.split("/")[0] for member in members] == ["sib-core", "sib-math"]
    # One that nobody finds has no folder but its own.
    machine.run("lock", "sib-core", "--venv", "alone").succeeded()
    assert len(shared(machine)) == 1
    # Neither has one whose sibling is not locked: it does not load in a plain environment either.
    machine.run("lock", "sib-math", "--venv", "lonely").succeeded()
    assert len(shared(machine)) == 1


def test_a_store_of_an_earlier_multisite(machine: Machine, siblings: Siblings) -> None:
    """Manifests that know nothing of native files are made again, and the next sync moves the environment."""
    machine.run("lock", "sib-app").succeeded()
    expected = machine.python(PROBE).succeeded()
    written = {path: path.read_bytes() for path in machine.store.glob("multi-site-packages/*/*/*/manifest.json")}
    for path, content in written.items():
        document = json.loads(content)
        del document["native"]
        path.write_text(json.dumps({**document, "format": 1}))
    assert machine.run("doctor", "--json").succeeded().json["findings"] == []
    # What it has noted of a sync with nothing to do counts for the release that noted it.
    shutil.rmtree(Path(cache_folder(machine.environ()) or "") / settled.KIND)
    machine.run("sync").succeeded()
    assert {path: path.read_bytes() for path in written} == written
    assert machine.python(PROBE).succeeded() == expected


def test_the_shared_folder_holds_the_entries_files(machine: Machine, siblings: Siblings) -> None:
    machine.run("lock", "sib-app").succeeded()
    (folder,) = shared(machine)
    store = Store.open(machine.store)
    for entry in store.entries():
        for row in entry.record():
            assert (folder / "site-packages" / row.path).samefile(entry.located(row))
    # Bytecode is each folder's own.
    machine.python(PROBE).succeeded()
    assert list(folder.rglob("__pycache__"))
    assert not list((machine.store / "multi-site-packages").rglob("__pycache__"))


def test_a_member_that_is_really_installed(machine: Machine, siblings: Siblings) -> None:
    """Imports find it, and in a plain environment so do libraries; here these find the locked build as before."""
    from uv import find_uv_bin

    machine.run("lock", "sib-app").succeeded()
    siblings.core("2.0")
    both = plain(machine, "sib-app", "sib-core ==1.0", python=machine.environment.python.resolve()), machine.venv
    for venv in both:
        command = [
            find_uv_bin(),
            "pip",
            "install",
            "--quiet",
            "--python",
            str(venv / "bin" / "python"),
            "sib-core ==2.0",
        ]
        subprocess.run([*command, "--no-deps"], env=machine.environ(), check=True)
    code = "import pkgutil, sib_app, sib_core; print(sib_app.answer(), sib_core.version())\n"
    code += "print(sorted(found.name for found in pkgutil.iter_modules() if found.name.startswith('sib')))"
    expected, found = (machine.python(code, venv=venv).succeeded().out.splitlines() for venv in both)
    assert expected == ["202 2", "['sib_app', 'sib_core']"]
    assert found == ["102 2", "['sib_app', 'sib_core']"]


@pytest.mark.parametrize(("names", "expected"), [(["sib-user", "sib-data"], "802\n"), (["sib-both"], "802\n")])
def test_libraries_under_the_prefix(machine: Machine, names: list[str], expected: str) -> None:
    """``$ORIGIN/../../..`` leads from a package to the environment's ``lib``, where wheels put data files."""
    Siblings(machine.folder / "c", machine.index.folder).under_the_prefix()
    machine.run("lock", *names).succeeded()
    module = names[0].replace("-", "_")
    probe = f"import {module}; print({module}.answer())"
    python = machine.environment.python.resolve()
    assert machine.python(probe, venv=plain(machine, *names, python=python)).succeeded().out == expected
    assert machine.python(probe).succeeded().out == expected
    (folder,) = shared(machine)
    assert (folder / "site-packages").readlink() == Path("lib/python/site-packages")
    assert machine.run("doctor", "--deep", "--json").succeeded().json["findings"] == []
    # What an environment without it has stays as it was.
    assert (machine.venv / "lib" / f"lib{names[-1]}.so.1").is_file()


def test_a_library_under_the_prefix_that_nobody_looks_for(machine: Machine) -> None:
    Siblings(machine.folder / "c", machine.index.folder).under_the_prefix()
    machine.run("lock", "sib-data").succeeded()
    assert shared(machine) == []


class TestTheDoctor:
    @pytest.fixture
    def folder(self, machine: Machine, siblings: Siblings) -> Path:
        machine.run("lock", "sib-app").succeeded()
        (folder,) = shared(machine)
        return folder / "site-packages"

    def found(self, machine: Machine, *options: str) -> list[tuple[str, str]]:
        done = machine.run("doctor", "--json", *options)
        return [(finding["check"], finding["message"]) for finding in done.json["findings"]]

    def mended(self, machine: Machine, *options: str) -> None:
        machine.run("doctor", "--fix", *options).succeeded()
        assert self.found(machine, "--deep") == []
        machine.python(PROBE).succeeded()

    MEMBERS = "sib-app 1.0, sib-core 1.0, sib-math 1.0"

    def test_a_missing_folder(self, machine: Machine, folder: Path) -> None:
        shutil.rmtree(folder.parent)
        checks = dict(self.found(machine))
        assert checks["shared-damaged"] == (
            f"the folder that {self.MEMBERS} share is damaged: it is missing or cannot be read"
        )
        machine.run("sync").succeeded()
        assert self.found(machine) == []

    def test_a_missing_library(self, machine: Machine, folder: Path) -> None:
        (folder / "sib" / "math" / "lib" / "libmath.so.2").unlink()
        assert machine.python(PROBE).code == 1
        assert self.found(machine) == [
            (
                "shared-damaged",
                f"the folder that {self.MEMBERS} share is damaged: site-packages/sib/math/lib/libmath.so.2 is missing",
            )
        ]
        self.mended(machine)

    def test_a_library_that_was_replaced(self, machine: Machine, folder: Path) -> None:
        path = folder / "sib_core" / "lib" / "libcore.so.1"
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content[:-1] + b"\x01")
        os.utime(path, ns=(0, 0))
        assert self.found(machine) == []
        assert [check for check, _ in self.found(machine, "--deep")] == ["shared-damaged"]
        self.mended(machine, "--deep")

    def test_a_library_that_was_written_to(self, machine: Machine, folder: Path) -> None:
        """It is the entry's file as well, and both are made again."""
        path = folder / "sib_core" / "lib" / "libcore.so.1"
        path.chmod(0o644)
        with path.open("ab") as file:
            file.write(b"more")
        assert [check for check, _ in self.found(machine)] == ["entry-damaged"]
        self.mended(machine)


def test_shared_folders_are_named_where_gc_will_look(machine: Machine, siblings: Siblings) -> None:
    machine.run("lock", "sib-app").succeeded()
    (folder,) = shared(machine)
    (path,) = (machine.store / "environments").glob("*.json")
    registration, document = json.loads(path.read_text()), json.loads((folder / "shared.json").read_text())
    assert registration["shared"] == [folder.name]
    assert document["members"] == registration["builds"]

"""A view: what is locked as ordinary files, kept current, and no way into the store."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from multisite.view import ViewPlace, folder_lines
from tests.builders import Tree, write_tree
from tests.machine import Machine, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

REGULAR: Tree = {
    "__init__.py": "x = 1\n",
    "part.pyi": "y: int\n",
    "py.typed": "",
    "native.cpython-311-x86_64-linux-gnu.so": b"\x7fELF",
    "data.bin": b"\0" * 10,
}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as opened:
        opened.wheel("regular", files={"regular": REGULAR, "regular_data": {"more.txt": "m"}})
        opened.wheel("ns-one", files={"ns": {"one": {"__init__.py": ""}}})
        opened.wheel("ns-two", files={"ns": {"two.py": "two = 2\n"}})
        opened.wheel("single", files={"single.py": "", "single.pth": "import sys\nadded\n", "added": {"late.py": ""}})
        opened.run("lock", "regular", "ns-one", "ns-two", "single").succeeded()
        yield opened


def place(machine: Machine) -> ViewPlace:
    return ViewPlace.of(machine.environment)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_in_it(machine: Machine) -> None:
    before = snapshot(machine.store)
    done = machine.run("view").succeeded()
    assert done.err.endswith(f"{place(machine).folder}: written\n")
    site = place(machine).site_packages
    assert site == machine.venv / ".multisite/view" / machine.environment.site_packages.relative_to(machine.venv)
    found = files(site)
    modules = {path: data for path, data in found.items() if ".dist-info/" not in path}
    assert modules == {
        "regular/__init__.py": b"x = 1\n",
        "regular/part.pyi": b"y: int\n",
        "regular/py.typed": b"",
        "regular/native.cpython-311-x86_64-linux-gnu.so": b"",
        "ns/one/__init__.py": b"",
        "ns/two.py": b"two = 2\n",
        "single.py": b"",
        "single.pth": b"added\n",
        "added/late.py": b"",
        "multisite-view.pth": b"../../../../../lib/" + site.parent.name.encode() + b"/site-packages\n",
    }
    assert b"Name: regular" in found["regular-1.0.dist-info/METADATA"]
    assert snapshot(machine.store) == before
    assert (place(machine).folder / ".gitignore").read_text() == "*\n"


def test_nothing_in_it_is_the_stores(machine: Machine) -> None:
    machine.run("view", "--whole").succeeded()
    inodes = {path.stat().st_ino for path in machine.store.rglob("*") if path.is_file()}
    for path in place(machine).folder.rglob("*"):
        if path.is_symlink():
            assert path == place(machine).python
        elif path.is_file():
            assert path.stat().st_ino not in inodes, path


def test_what_writes_into_it_alters_nothing_else(machine: Machine) -> None:
    machine.run("view").succeeded()
    before = snapshot(machine.store, content=True)
    site = place(machine).site_packages
    for path in site.rglob("*"):
        if path.is_file():
            path.write_bytes(b"formatted")
            path.chmod(0o600)
    subprocess.run(["rm", "-rf", f"{site}/regular/", f"{site}/ns"], check=True)
    assert snapshot(machine.store, content=True) == before
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o044 for path in machine.store.rglob("*.py"))
    assert machine.python("import regular, ns.two; print(regular.x, ns.two.two)").out == "1 2\n"


def test_it_is_not_on_the_path_and_an_interpreter_of_its_own_reads_it(machine: Machine) -> None:
    machine.run("view").succeeded()
    assert ".multisite" not in machine.python("import sys, regular; print(sys.path, regular.__file__)").out
    code = "import sys, regular, ns.one, ns.two, single, late; print(regular.__file__); print(sys.prefix)"
    done = subprocess.run([place(machine).python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"{place(machine).site_packages}/regular/__init__.py",
        str(place(machine).folder),
    ]


def test_again_writes_nothing(machine: Machine) -> None:
    machine.run("view").succeeded()
    before = snapshot(place(machine).folder)
    assert machine.run("view").succeeded().err.endswith(": unchanged\n")
    machine.run("sync").succeeded()
    assert snapshot(place(machine).folder) == before


def test_lock_and_sync_keep_it_current(machine: Machine) -> None:
    machine.run("view").succeeded()
    site = place(machine).site_packages
    kept = (site / "regular/__init__.py").stat().st_ino
    machine.wheel("ns-two", "2.0", files={"ns": {"three.py": ""}})
    done = machine.run("lock", "regular", "ns-two", "-U").succeeded()
    assert f"{place(machine).folder}: written\n" in done.err
    assert {path for path in files(site) if path.startswith(("ns", "single"))} >= {"ns/three.py"}
    assert not (site / "ns/two.py").exists()
    assert not (site / "single.py").exists()
    assert (site / "regular/__init__.py").stat().st_ino == kept
    assert not list(place(machine).folder.glob("*.tmp"))


@pytest.mark.parametrize("how", ["missing", "another size", "document", "interpreter", "torn"])
def test_a_damaged_one_is_mended(machine: Machine, how: str) -> None:
    machine.run("view").succeeded()
    view = place(machine)
    before = files(view.site_packages)
    if how == "missing":
        (view.site_packages / "ns/two.py").unlink()
    elif how == "another size":
        (view.site_packages / "ns/two.py").write_text("other")
    elif how == "document":
        view.document.write_text("{")
    elif how == "interpreter":
        view.python.unlink()
    else:  # died before the tree was exchanged
        view.document.unlink()
        (view.site_packages / "ns/two.py").write_text("other")
    assert machine.run("view").succeeded().err.endswith(": written\n")
    assert files(view.site_packages) == before
    assert view.python.exists()


def test_whole(machine: Machine) -> None:
    machine.run("view", "--whole").succeeded()
    site = place(machine).site_packages
    assert (site / "regular/native.cpython-311-x86_64-linux-gnu.so").read_bytes() == b"\x7fELF"
    assert (site / "regular_data/more.txt").read_text() == "m"
    machine.run("view").succeeded()
    assert (site / "regular/data.bin").exists(), "whole it stays until it is told otherwise"
    machine.run("view", "--no-whole").succeeded()
    assert not (site / "regular/data.bin").exists()


def test_distributions_that_share_a_folder(machine: Machine) -> None:
    machine.wheel("addition", files={"regular": {"added.py": "", "__init__.py": "x = 1\n"}})
    machine.run("lock", "regular", "addition").succeeded()
    machine.run("view").succeeded()
    assert {"regular/added.py", "regular/part.pyi"} <= set(files(place(machine).site_packages))


def test_what_is_really_installed_is_seen_instead(machine: Machine) -> None:
    real = machine.environment.site_packages
    write_tree(real, {"regular": {"__init__.py": "x = 2\n"}, "regular-2.0.dist-info": {"METADATA": "Name: regular\n"}})
    write_tree(real, {"ns_one-0.dist-info": {}})  # what a half removal left
    machine.run("view").succeeded()
    found = files(place(machine).site_packages)
    assert "ns/one/__init__.py" in found
    assert not [path for path in found if path.startswith("regular")]
    code = "import regular; print(regular.x)"
    done = subprocess.run([place(machine).python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"


def test_an_editable_project_is_seen(machine: Machine) -> None:
    machine.project(machine.folder / "mine", "mine")
    machine.run("lock", "-e", "../mine").succeeded()
    machine.run("view").succeeded()
    code = "import mine; print(mine.where)"
    done = subprocess.run([place(machine).python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == machine.python(code).out.strip()


def test_removed(machine: Machine) -> None:
    machine.run("view", "--mypy", "--vscode").succeeded()
    assert sorted(os.listdir(machine.work)) == [".venv", ".vscode", "mypy.ini"]
    done = machine.run("view", "--remove").succeeded()
    assert done.err == (
        f"{place(machine).folder}: removed\n"
        f"{machine.work}/mypy.ini: mypy: removed\n"
        f"{machine.work}/.vscode/settings.json: vscode: removed\n"
    )
    assert os.listdir(machine.work) == [".venv"]
    assert not place(machine).folder.exists()
    assert machine.run("view", "--remove").succeeded().err == f"{place(machine).folder}: there is no view\n"
    machine.run("sync").succeeded()
    assert not place(machine).folder.exists()


def test_as_json(machine: Machine) -> None:
    (machine.work / "ty.toml").write_text("environment = {python = 'x'}\n")
    done = machine.run("view", "--ty", "--json", "-q")
    assert done.code == 1
    view = place(machine)
    assert json.loads(done.out) == {
        "environment": str(machine.venv),
        "view": str(view.folder),
        "site_packages": str(view.site_packages),
        "python": str(view.python),
        "outcome": "written",
        "settings": [
            {
                "tool": "ty",
                "file": str(machine.work / "ty.toml"),
                "state": "refused",
                "reason": "it says python = 'x'",
                "snippet": '[environment]\npython = ".venv/.multisite/view"',
            }
        ],
    }


def test_a_setting_that_is_refused_is_told_with_what_is_needed(machine: Machine) -> None:
    (machine.work / "mypy.ini").write_text("[mypy]\npython_executable = x\n")
    done = machine.run("view", "--mypy")
    assert done.code == 1
    assert done.err.splitlines()[-4:] == [
        f"warning: {machine.work}/mypy.ini: mypy: left alone, for it says python_executable = 'x'",
        "  what it needs there:",
        "    [mypy]",
        "    python_executable = $MYPY_CONFIG_FILE_DIR/.venv/.multisite/view/bin/python",
    ]


def test_lock_offers_it_to_an_editor(machine: Machine) -> None:
    assert "multisite view" not in machine.run("lock", "regular").err
    (machine.work / ".idea").mkdir()
    line = ".idea is here: for editors and type checkers to see what is locked, type: multisite view\n"
    assert machine.run("lock", "regular").err.endswith(line)
    assert line not in machine.run("lock", "regular", "-q").err
    machine.run("view").succeeded()
    assert "multisite view" not in machine.run("lock", "regular").err


def test_no_environment(machine: Machine) -> None:
    done = machine.run("view", "--venv", "nowhere")
    assert done.code == 3
    assert "there is no such folder" in done.err
    assert not (machine.work / "nowhere").exists()


def test_lines_that_are_code_are_none() -> None:
    text = "# comment\nimport os; os\nimport\tsys\n\nfolder  \n../other\nimportant\n"
    assert folder_lines(text) == ["folder", "../other", "important"]


@pytest.mark.parametrize(
    ("how", "check", "message"),
    [
        ("gone", "view-damaged", "ns/two.py missing or changed; only tools that read the view see that"),
        ("written to", "view-damaged", "ns/two.py missing or changed; only tools that read the view see that"),
        ("document", "view-stale", "it was made for something else than what is there now"),
        ("installed", "view-stale", "it was made for something else than what is there now"),
        ("format", "view-stale", "view.json has format 9; this multisite knows format 1"),
    ],
)
def test_the_doctor_looks_at_it(machine: Machine, how: str, check: str, message: str) -> None:
    machine.run("view").succeeded()
    assert machine.run("doctor").out == ""
    view, real = place(machine), machine.environment.site_packages
    if how == "gone":
        (view.site_packages / "ns/two.py").unlink()
    elif how == "written to":
        (view.site_packages / "ns/two.py").write_text("formatted")
    elif how == "document":
        view.document.write_text("{")
    elif how == "format":
        view.document.write_text('{"format": 9}')
    else:
        write_tree(real, {"regular-2.0.dist-info": {"METADATA": "Name: regular\nVersion: 2.0\n"}})
    findings = [one for one in machine.run("doctor", "--json").json["findings"] if one["check"].startswith("view")]
    assert [(one["check"], one["fix"]) for one in findings] == [(check, f"multisite view --venv {machine.venv}")]
    assert findings[0]["message"].endswith(message)
    if how not in {"installed", "format"}:
        assert machine.run("doctor", "--fix").code == 0
        assert machine.run("doctor").out == ""

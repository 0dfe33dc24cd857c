"""Metadata of what is locked, in site-packages for who looks from outside; who is inside sees each once."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from tests.builders import write_tree
from tests.machine import Done, Machine, snapshot
from tests.pythons import SUPPORTED, found_pythons

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK = """
import json, sys
try:
    import importlib.metadata as metadata
except ImportError:
    import importlib_metadata as metadata
found = list(metadata.distributions())
print(json.dumps({
    "all": sorted(f"{one.metadata['Name']} {one.version}" for one in found),
    "named": [one.version for one in metadata.distributions(name="Foo")],
    "first": metadata.version("foo"),
    "files": sorted(str(one) for one in metadata.files("foo") or () if one.suffix != ".pyc" and "-1.0" not in str(one)),
    "import": __import__("foo").where,
}))
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as opened:
        for version in ("1.0", "2.0"):
            opened.wheel(
                "Foo",
                version,
                {"foo.py": f"where = 'foo {version}'\n"},
                entry_points={"console_scripts": {"foo": "foo:x"}},
            )
        opened.wheel("bar", requires=["foo"])
        yield opened


def uv(machine: Machine, *words: str) -> Done:
    command = [find_uv_bin(), "pip", *words, "--python", str(machine.environment.python)]
    done = subprocess.run(command, env=machine.environ(), cwd=machine.work, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def listed(machine: Machine) -> list[str]:
    found = json.loads(uv(machine, "list", "--format", "json").succeeded().out)
    return [f"{one['name']} {one['version']}" for one in found]


def info(machine: Machine, name: str = "Foo-1.0") -> Path:
    return machine.environment.site_packages / f"{name}.dist-info"


def test_without_them_nobody_outside_sees_anything(machine: Machine) -> None:
    machine.run("lock", "foo==1", "bar").succeeded()
    assert listed(machine) == []


def test_asked_for_once_and_kept(machine: Machine) -> None:
    machine.run("lock", "foo==1", "bar", "--site-metadata").succeeded()
    assert machine.state.site_metadata
    assert listed(machine) == ["bar 1.0", "foo 1.0"]
    before = snapshot(machine.venv)
    machine.run("sync").succeeded()
    assert snapshot(machine.venv) == before
    machine.run("lock", "foo==2").succeeded()
    assert listed(machine) == ["foo 2.0"]
    machine.run("sync", "--no-site-metadata").succeeded()
    assert not machine.state.site_metadata
    assert [path.name for path in machine.environment.site_packages.iterdir()] == ["00-multisite.pth"]


def test_what_is_in_one(machine: Machine) -> None:
    machine.run("lock", "bar", "--site-metadata").succeeded()
    folder = info(machine, "bar-1.0")
    assert sorted(path.name for path in folder.iterdir()) == [
        ".multisite-stub",
        "INSTALLER",
        "METADATA",
        "RECORD",
        "REQUESTED",
        "WHEEL",
    ]
    rows = (folder / "RECORD").read_text().splitlines()
    assert sorted(row.partition(",")[0] for row in rows) == sorted(
        f"{folder.name}/{path.name}" for path in folder.iterdir()
    )
    assert (folder / "INSTALLER").read_text() == "multisite\n"
    assert not (info(machine, "Foo-2.0") / "REQUESTED").exists()
    assert not [path for path in folder.rglob("*") if path.is_symlink() or path.stat().st_nlink > 1]


@pytest.mark.parametrize("version", SUPPORTED)
def test_who_is_inside_sees_each_once(version: str, machine: Machine) -> None:
    if version not in found_pythons():
        pytest.skip(f"no CPython {version} on this machine")
    plain, shown = machine.work / "plain", machine.work / "shown"
    for venv, options in ((plain, ()), (shown, ("--site-metadata",))):
        machine.run("lock", "foo==1", "bar", "--venv", venv, "--python", found_pythons()[version], *options).succeeded()
    machine.variables["PYTHONPATH"] = str(machine.folder / "before")
    for path in ("", "before"):
        if path:
            write_tree(machine.folder / path, {"Foo-0.5.dist-info": {"METADATA": "Name: Foo\nVersion: 0.5\n"}})
        answers = [machine.python(ASK, venv=venv).succeeded() for venv in (plain, shown)]
        assert answers[0].json == answers[1].json
    assert answers[0].json["named"] == ["0.5", "1.0"]


@pytest.mark.parametrize("how", ["uninstall", "upgrade", "again"])
def test_uv_from_outside(how: str, machine: Machine) -> None:
    machine.run("lock", "foo==1", "bar", "--site-metadata").succeeded()
    store = snapshot(machine.store, content=True)
    if how == "uninstall":
        assert " - foo==1.0" in uv(machine, "uninstall", "foo").succeeded().err
        expected = "foo 1.0"
        assert "data-missing" in machine.run("doctor").out
    elif how == "upgrade":
        uv(machine, "install", "--upgrade", "foo").succeeded()
        assert listed(machine) == ["bar 1.0", "foo 2.0"]
        expected = "foo 2.0"
    else:
        uv(machine, "install", "--reinstall", "foo==1").succeeded()
        expected = "foo 1.0"
    assert machine.python("import foo; print(foo.where)").out == f"{expected}\n"
    assert snapshot(machine.store, content=True) == store
    machine.run("sync").succeeded()
    assert listed(machine) == ["bar 1.0", expected]
    assert (info(machine, "Foo-1.0") / ".multisite-stub").exists() is (how == "uninstall")
    if how != "uninstall":
        assert (info(machine, expected.replace("foo ", "Foo-")) / "METADATA").exists(), "it is not ours any more"
        uv(machine, "uninstall", "foo").succeeded()
        machine.run("sync").succeeded()
    assert listed(machine) == ["bar 1.0", "foo 1.0"]
    assert machine.python("import foo; print(foo.where)").out == "foo 1.0\n"
    assert machine.run("doctor").code == 0


def test_what_is_really_installed_has_none(machine: Machine) -> None:
    machine.run("lock", "bar").succeeded()
    write_tree(machine.environment.site_packages, {"Foo-2.0.dist-info": {"METADATA": "Name: Foo\nVersion: 2.0\n"}})
    machine.run("sync", "--site-metadata").succeeded()
    assert not (info(machine, "Foo-2.0") / ".multisite-stub").exists()
    assert (info(machine, "bar-1.0") / ".multisite-stub").exists()


def test_a_view_shows_them_once(machine: Machine) -> None:
    machine.run("lock", "bar", "--site-metadata").succeeded()
    machine.run("view").succeeded()
    assert (machine.venv / ".multisite/view" / info(machine, "bar-1.0").relative_to(machine.venv)).is_dir()


def test_half_written_ones_count_for_nothing(machine: Machine) -> None:
    machine.run("lock", "foo==1", "--site-metadata").succeeded()
    folder = info(machine)
    for path in sorted(folder.iterdir(), reverse=True):  # the order in which they are removed, and written backwards
        path.unlink()
        assert machine.python("import foo; print(foo.where)").out == "foo 1.0\n", path
    shutil.rmtree(folder)
    machine.run("sync").succeeded()
    assert listed(machine) == ["foo 1.0"]


def test_the_doctor_says_what_an_audit_from_outside_sees(machine: Machine) -> None:
    machine.run("lock", "bar").succeeded()
    said = machine.run("doctor").succeeded().err
    assert said == (
        f"{machine.venv}: nothing is wrong\n"
        f"{machine.venv}: uv pip list, pip-audit --path and scanners, which look from outside, see none of the "
        "2 locked: an empty result of theirs is no clean one. Show them: multisite sync --site-metadata\n"
    )
    assert machine.run("doctor", "--json").json["seen_from_outside"] is False
    machine.run("sync", "--site-metadata").succeeded()
    assert machine.run("doctor").succeeded().err == f"{machine.venv}: nothing is wrong\n"
    assert machine.run("doctor", "--json").json["seen_from_outside"] is True


def test_the_doctor_names_what_an_audit_does_not_see_any_more(machine: Machine) -> None:
    machine.run("lock", "foo==1", "bar", "--site-metadata").succeeded()
    uv(machine, "install", "--upgrade", "foo").succeeded()
    machine.run("sync").succeeded()
    assert machine.run("doctor", "--json").json["seen_from_outside"] is True
    uv(machine, "uninstall", "foo").succeeded()  # the locked one is back, and was not shown while that was there
    assert listed(machine) == ["bar 1.0"]
    assert "which look from outside, see nothing of foo: " in machine.run("doctor").err
    machine.run("sync").succeeded()
    assert machine.run("doctor", "--json").json["seen_from_outside"] is True

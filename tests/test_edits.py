"""Private copies: what one environment changes of a distribution, and what becomes of it when the lockfile changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite import editing
from multisite.edits import find_edits
from tests.machine import Done, Machine, snapshot
from tests.pythons import found_pythons
from tests.siblings import PROBE as SIBLINGS
from tests.siblings import Siblings

PROBE = """
import importlib, importlib.metadata as metadata, json, os, pkgutil, sys
def imported(name):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        return type(error).__name__
    return module.__file__.rpartition("/site-packages/")[2], getattr(module, "value", None)
import alpha
site = os.path.dirname(os.path.dirname(alpha.__file__))
found = metadata.distribution("alpha")
print(json.dumps({
    "modules": [imported(name) for name in ("alpha", "alpha.part", "alpha.gone", "beta", "added", "extra.inner")],
    "listed": sorted(name for _, name, _ in pkgutil.iter_modules(alpha.__path__)),
    "data": pkgutil.get_data("alpha", "data.txt").decode(),
    "version": found.version,
    "files": sorted(map(str, found.files)),
    "points": sorted(point.name for point in found.entry_points),
    "read": (found.read_text("INSTALLER") is not None, os.path.relpath(str(found.locate_file("alpha")), site)),
    "started": getattr(sys, "started_by", None),
    "names": sorted({one.metadata["Name"] for one in metadata.distributions()} & {"alpha", "beta"}),
    "compiled": os.path.relpath(importlib.util.cache_from_source(alpha.__file__), site),
}))
"""
FILES = {
    "alpha": {
        "__init__.py": "value = 'as it was'\ndef main():\n    from alpha.part import value\n    print(value)\n",
        "part.py": "value = 'as it was'\n",
        "gone.py": "",
        "data.txt": "as it was\n",
    }
}
POINTS = {"console_scripts": {"alpha": "alpha:main"}}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        for version in ("1.0", "2.0"):
            machine.wheel("alpha", version, files=FILES, entry_points=POINTS, data={"data": {"share": {"a": version}}})
        machine.wheel("beta", files={"beta.py": "value = 'beta'\n"})
        yield machine


def private(machine: Machine, name: str = "alpha", *words: str | Path) -> Path:
    """Give the environment a copy of its own, and return where it is."""
    return Path(machine.run("edit", name, *words).succeeded().out.strip())


def patch(site: Path) -> None:
    """Change what people change, and more."""
    (site / "alpha" / "part.py").write_text("value = 'patched'\n")
    (site / "alpha" / "gone.py").unlink()
    (site / "alpha" / "data.txt").write_text("patched\n")
    (site / "added.py").write_text("value = 'added'\n")
    (site / "extra").mkdir()
    (site / "extra" / "inner.py").write_text("value = 'inner'\n")
    (site / "alpha.pth").write_text("import sys; sys.started_by = 'alpha'\n")
    (info,) = site.glob("alpha-*.dist-info")
    (info / "entry_points.txt").write_text("[console_scripts]\nalpha = alpha:main\nanother = alpha:main\n")
    text = (info / "METADATA").read_text()
    (info / "METADATA").write_text(text.replace("Version: 1.0", "Version: 1.0+patched"))


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def findings(done: Done) -> list[tuple[str, str]]:
    return [(item["check"], item["severity"]) for item in done.json["findings"]]


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def test_a_patched_copy_is_as_a_patched_plain_environment(machine: Machine, version: str) -> None:
    python = found_pythons().get(version)
    if python is None:
        pytest.skip(f"no CPython {version} on this machine")
    from uv import find_uv_bin

    plain, environ = machine.folder / "plain", machine.environ()
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", python, plain], env=environ, check=True)
    command = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(plain / "bin" / "python")]
    subprocess.run([*command, "alpha==1.0", "beta"], env=environ, check=True)
    machine.run("lock", "alpha==1.0", "beta", "--python", python).succeeded()
    before = machine.python(PROBE)
    assert "as it was" in before.out
    stored = snapshot(machine.store, content=True)
    site = private(machine)
    assert machine.python(PROBE) == before
    patch(site)
    (there,) = plain.glob("lib/python*/site-packages")
    patch(there)
    done, expected = machine.python(PROBE), machine.python(PROBE, venv=plain)
    mine, its = json.loads(done.out), json.loads(expected.out)
    assert (mine["version"], mine["modules"][1], mine["started"]) == (
        "1.0+patched",
        ["alpha/part.py", "patched"],
        "alpha",
    )
    # Each tool names itself, and uv writes no bytecode into RECORD.
    for facts in (mine, its):
        facts["files"] = [path for path in facts["files"] if ".pyc" not in path and "uv_cache" not in path]
    assert (mine, done.err) == (its, expected.err)
    assert machine.program("alpha").out == machine.program("alpha", venv=plain).out == "patched\n"
    assert findings(machine.run("doctor", "--json")) == [("private-copy", "note")]
    changed = snapshot(machine.store, content=True)
    assert {path: changed[path] for path in stored} == stored


def test_nobody_else_sees_it(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    machine.run("sync", machine.lockfile, "--venv", "other").succeeded()
    patch(private(machine))
    probe = "import alpha.part; print(alpha.part.value)"
    assert machine.python(probe).out == "patched\n"
    assert machine.python(probe, venv=machine.work / "other").out == "as it was\n"


def test_bytecode_is_of_the_copy(machine: Machine) -> None:
    """Bytecode that lies in the store is not copied, whatever it was made from."""
    machine.run("lock", "alpha==1.0").succeeded()
    machine.python("import alpha.part")
    (compiled,) = machine.store.glob("multi-site-packages/alpha/*/*/site-packages/alpha/__pycache__/part.*.pyc")
    data = bytearray(compiled.read_bytes())
    data[4:8] = (1).to_bytes(4, "little")  # unchecked: nobody compares it with a source (PEP 552)
    compiled.write_bytes(data)
    site = private(machine)
    assert not list(site.rglob("__pycache__"))
    (site / "alpha" / "part.py").write_text("value = 'patched'\n")
    assert machine.python("import alpha.part as part; print(part.value, part.__cached__)").out == (
        f"patched {site}/alpha/__pycache__/{compiled.name}\n"
    )


def test_undo_leads_back(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    before = machine.python(PROBE)
    state = machine.state
    site = private(machine)
    assert dict(machine.state.edits) == {state.builds["alpha"].root: ".multisite/edits/alpha-1.0/site-packages"}  # type: ignore[index]
    done = machine.run("edit", "--undo", "alpha", "--json").succeeded()
    assert done.json == {
        "environment": str(machine.venv),
        "removed": [
            {
                "name": "alpha",
                "version": "1.0",
                "path": str(site),
                "distributions": ["alpha"],
                "difference": {"changed": [], "added": [], "removed": []},
            }
        ],
        "patch": None,
    }
    assert machine.python(PROBE) == before
    assert machine.state == state
    assert not site.exists()
    assert machine.run("doctor", "--json").succeeded().json["findings"] == []


def test_undo_loses_nothing_unasked(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    patch(site)
    changes = [
        "added.py (added)",
        "alpha-1.0.dist-info/METADATA (changed)",
        "alpha-1.0.dist-info/entry_points.txt (changed)",
        "alpha.pth (added)",
        "alpha/data.txt (changed)",
        "alpha/gone.py (removed)",
        "alpha/part.py (changed)",
        "extra/inner.py (added)",
    ]
    before = snapshot(machine.venv, machine.store)
    done = machine.run("edit", "--undo", "alpha")
    assert done.code == 1
    assert done.err.splitlines()[0] == f"error: alpha 1.0: what was changed in {site.parent} would be lost"
    assert sorted(line.removeprefix("  - ") for line in done.err.splitlines()[1:-1]) == changes
    assert done.err.splitlines()[-1] == "next: save them: --patch FILE; or throw them away: --force"
    done = machine.run("edit", "--undo", "alpha", "--dry-run").succeeded()
    assert sorted(line.strip() for line in done.out.splitlines()[1:]) == changes
    assert snapshot(machine.venv, machine.store) == before
    machine.run("edit", "--undo", "alpha", "--force").succeeded()
    assert not site.exists()
    assert machine.python("import alpha.gone, alpha.part; print(alpha.part.value)").out == "as it was\n"


def test_a_patch_brings_the_changes_back(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    patch(site)
    (site / "alpha" / "binary").write_bytes(bytes(range(256)) * 5)
    (site / "alpha" / "no end ü.txt").write_text("one\ntwo")
    (site / "alpha" / "__init__.py").write_bytes(b"value = 1\r\nlast = 2")
    changed = {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    file = machine.work / "my changes.patch"
    assert machine.run("edit", "--undo", "alpha", "--patch", file).err.splitlines() == [
        f"{file}: what was changed",
        "alpha 1.0: the shared one again",
    ]
    again = private(machine)
    subprocess.run(["git", "apply", "--unsafe-paths", "--directory", again, file], cwd="/", check=True)
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()} == changed


def test_a_patch_does_not_overwrite_a_file(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    patch(site)
    file = machine.work / "a.patch"
    file.write_text("somebody's")
    done = machine.run("edit", "--undo", "alpha", "--patch", file)
    assert (done.code, done.err) == (2, f"error: {file} is there already\nnext: name a new file: --patch FILE\n")
    assert file.read_text() == "somebody's"
    assert site.exists()


def test_nothing_to_patch(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    private(machine)
    done = machine.run("edit", "--undo", "alpha", "--patch", "a.patch").succeeded()
    assert done.err == "nothing was changed, so there is no patch\nalpha 1.0: the shared one again\n"
    assert not (machine.work / "a.patch").exists()


class TestAnotherLockfile:
    """The copy is of one build: another one never gets it, and it is never lost."""

    SAID = "the private copy of alpha 1.0 is kept in {folder}, and not used: alpha 2.0 is locked"
    VALUE = "import alpha.part, importlib.metadata as m; print(alpha.part.value, m.version('alpha'))"

    @pytest.fixture
    def site(self, machine: Machine) -> Path:
        machine.run("lock", "alpha==2.0").succeeded()
        shutil.copy(machine.lockfile, machine.work / "pylock.two.toml")
        machine.run("lock", "alpha==1.0").succeeded()
        shutil.copy(machine.lockfile, machine.work / "pylock.one.toml")
        site = private(machine)
        (site / "alpha" / "part.py").write_text("value = 'patched'\n")
        return site

    def test_by_lock(self, machine: Machine, site: Path) -> None:
        done = machine.run("lock", "alpha==2.0").succeeded()
        assert f"warning [edits] {self.SAID.format(folder=site.parent)}\n" in done.err
        advice = f"multisite edit --venv {machine.venv} --undo alpha==1.0 --patch alpha.patch"
        assert f"    {advice}\n" in done.err
        assert machine.python(self.VALUE).out == "as it was 2.0\n"
        assert findings(machine.run("doctor", "--json")) == [("private-copy-unused", "warning")]
        assert self.SAID.format(folder=site.parent) in machine.run("sync").succeeded().err
        machine.run(*advice.split()[1:]).succeeded()
        assert "+value = 'patched'" in (machine.work / "alpha.patch").read_text()
        assert machine.run("sync").succeeded().err.endswith("unchanged; 1 distribution\n")
        assert machine.run("doctor", "--json").succeeded().json["findings"] == []

    def test_there_and_back(self, machine: Machine, site: Path) -> None:
        machine.run("lock", "alpha==2.0").succeeded()
        assert machine.python(self.VALUE).out == "as it was 2.0\n"
        done = machine.run("lock", "alpha==1.0").succeeded()
        assert "[edits]" not in done.err
        assert machine.python(self.VALUE).out == "patched 1.0\n"

    def test_by_git_switch(self, machine: Machine, site: Path) -> None:
        """Another lockfile takes effect without a command, by a table that the store keeps."""
        shutil.copy(machine.work / "pylock.two.toml", machine.lockfile)
        done = machine.python(self.VALUE)
        said = "the private copy of alpha 1.0 is not in use, another build is locked"
        advice = f"run: multisite sync --venv {machine.venv}"
        assert (done.out, done.err) == ("as it was 2.0\n", f"multisite: {machine.venv}: {said}; {advice}\n")
        shutil.copy(machine.work / "pylock.one.toml", machine.lockfile)
        assert machine.python(self.VALUE) == Done(0, "patched 1.0\n", "")
        machine.run("sync", machine.work / "pylock.two.toml").succeeded()
        assert machine.python(self.VALUE) == Done(0, "as it was 2.0\n", "")
        shutil.copy(machine.work / "pylock.one.toml", machine.lockfile)
        assert machine.python(self.VALUE) == Done(0, "patched 1.0\n", "")

    def test_without_it(self, machine: Machine, site: Path) -> None:
        done = machine.run("lock", "beta").succeeded()
        said = f"the private copy of alpha 1.0 is kept in {site.parent}, and not used: alpha is not locked any more"
        assert f"warning [edits] {said}\n" in done.err
        assert site.exists()

    def test_both_are_copied(self, machine: Machine, site: Path) -> None:
        machine.run("lock", "alpha==2.0").succeeded()
        done = machine.run("edit", "alpha").succeeded()
        other = Path(done.out.strip())
        assert f"warning: the changes in the copy of alpha 1.0 are not in this one: {site.parent}\n" in done.err
        (other / "alpha" / "part.py").write_text("value = 'other'\n")
        assert machine.python(self.VALUE).out == "other 2.0\n"
        machine.run("lock", "alpha==1.0").succeeded()
        assert machine.python(self.VALUE).out == "patched 1.0\n"
        machine.run("edit", "--undo", "--force", "alpha==1.0").succeeded()
        assert (site.exists(), other.exists()) == (False, True)
        machine.run("edit", "--undo", "--force", "alpha").succeeded()
        assert not other.exists()

    def test_an_unsettled_environment_is_not_copied_from(self, machine: Machine, site: Path) -> None:
        machine.run("edit", "--undo", "--force", "alpha").succeeded()
        shutil.copy(machine.work / "pylock.two.toml", machine.lockfile)
        done = machine.run("edit", "alpha")
        said = f"error: {machine.venv}: it is not what its lockfile says, {machine.lockfile}\n"
        assert (done.code, done.err) == (3, f"{said}next: multisite sync --venv {machine.venv}\n")

    def test_what_it_was_made_from_stays_registered(self, machine: Machine, site: Path) -> None:
        build = machine.state.builds["alpha"].build  # type: ignore[index]
        machine.run("lock", "beta").succeeded()
        (registration,) = (machine.store / "environments").glob("*.json")
        assert str(build) in json.loads(registration.read_text())["builds"]


def test_distributions_that_share_a_folder_are_copied_together(machine: Machine) -> None:
    Siblings(machine.folder / "c", machine.index.folder).all()
    machine.run("lock", "sib-app").succeeded()
    before = machine.python(SIBLINGS).succeeded()
    done = machine.run("edit", "sib-core").succeeded()
    assert "  with sib-app 1.0, sib-math 1.0: their files belong into one folder\n" in done.err
    site = Path(done.out.strip())
    assert machine.python(SIBLINGS) == before
    append(site / "sib" / "math" / "__init__.py", "patched = True\n")
    probe = "import sib_app._ext, sib.math as m; print(sib_app._ext.answer(), m.patched, m.__file__)"
    assert machine.python(probe).out == f"102 True {site}/sib/math/__init__.py\n"
    assert findings(machine.run("doctor", "--json")) == [("private-copy", "note")]
    assert machine.run("edit", "sib-math").succeeded().out == done.out
    machine.run("edit", "--undo", "--force", "sib-app").succeeded()
    assert machine.python(SIBLINGS) == before


def test_a_shared_folder_under_a_prefix(machine: Machine) -> None:
    Siblings(machine.folder / "c", machine.index.folder).under_the_prefix()
    machine.run("lock", "sib-user", "sib-data", "sib-both").succeeded()
    probe = "import sib_user, sib_both; print(sib_user.answer(), sib_both.answer())"
    before = machine.python(probe).succeeded()
    site = private(machine, "sib-user")
    assert machine.python(probe) == before
    append(site / "sib_user" / "__init__.py", "patched = True\n")
    assert machine.python("import sib_user; print(sib_user.patched)").out == "True\n"
    done = machine.run("edit", "--undo", "sib-user")
    assert done.err.splitlines()[0].endswith("sib_user/__init__.py (changed)")


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_elsewhere(machine: Machine, how: str) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    patch(private(machine))
    other = machine.folder / "elsewhere"
    if how == "moved":
        machine.venv.rename(other)
    else:
        shutil.copytree(machine.venv, other, symlinks=True)
    probe = "import alpha.part, added; print(alpha.part.value, alpha.part.__file__)"
    expected = f"patched {other}/.multisite/edits/alpha-1.0/site-packages/alpha/part.py\n"
    assert machine.python(probe, venv=other) == Done(0, expected, "")
    machine.run("sync", "--venv", other).succeeded()
    assert machine.python(probe, venv=other) == Done(0, expected, "")
    machine.run("edit", "--undo", "--force", "alpha", "--venv", other).succeeded()
    if how == "copied":
        assert machine.python("import added; print(added.value)").out == "added\n"


def test_removed_by_hand(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    shutil.rmtree(site.parent)
    done = machine.python("import alpha")
    assert done.err.splitlines()[-1] == (
        f"ModuleNotFoundError: No module named 'alpha': alpha 1.0 is locked, but not in the store ({site}); "
        f"run: multisite sync --venv {machine.venv}"
    )
    assert ("private-copy-lost", "error") in findings(machine.run("doctor", "--json"))
    done = machine.run("sync").succeeded()
    said = "the private copy .multisite/edits/alpha-1.0/site-packages is gone; imports find the shared alpha again"
    assert f"warning [edits] {said}\n" in done.err
    assert machine.python("import alpha.part; print(alpha.part.value)").out == "as it was\n"
    assert machine.run("doctor", "--json").succeeded().json["findings"] == []


@pytest.mark.parametrize("lost", ["environment.json", "table"])
def test_what_is_known_of_the_environment_is_damaged(machine: Machine, lost: str) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    patch(private(machine))
    (machine.venv / ".multisite" / lost).write_bytes(b"damaged")
    machine.run("sync").succeeded()
    assert machine.python("import added; print(added.value)").out == "added\n"
    assert findings(machine.run("doctor", "--json")) == [("private-copy", "note")]


def test_a_copy_that_does_not_say_what_it_is(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    (site.parent / "edit.json").write_text("{}")
    done = machine.run("sync").succeeded()
    assert f"{site.parent} does not say what it is a private copy of, and is not used" in done.err
    assert site.exists()
    assert machine.python("import alpha.part; print(alpha.part.value)").out == "as it was\n"


class _Died(Exception):
    pass


def test_death_before_the_table_leads_there(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*args: object) -> None:
        raise _Died

    machine.run("lock", "alpha==1.0").succeeded()
    monkeypatch.setattr(editing, "_put_in_force", die)
    with pytest.raises(_Died):
        machine.run("edit", "alpha")
    monkeypatch.undo()
    assert findings(machine.run("doctor", "--json")) == [("private-copy-unused", "warning")]
    assert "store" in machine.python("import alpha; print(alpha.__file__)").out
    again = Path(machine.run("edit", "alpha").succeeded().out.strip())
    assert machine.python("import alpha; print(alpha.__file__)").out == f"{again}/alpha/__init__.py\n"
    assert [edit.site_packages for edit in find_edits(machine.environment).found] == [again]


def test_death_before_the_copy_is_removed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*args: object) -> None:
        raise _Died

    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    monkeypatch.setattr(editing, "remove_edit", die)
    with pytest.raises(_Died):
        machine.run("edit", "--undo", "alpha")
    monkeypatch.undo()
    assert site.exists()
    machine.run("edit", "--undo", "alpha").succeeded()
    assert not site.exists()
    assert machine.run("doctor", "--json").succeeded().json["findings"] == []


def test_death_while_the_copy_is_removed(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    left = machine.venv / ".multisite" / "edits" / ".0123456789abcdef.tmp"
    left.mkdir(parents=True)
    machine.run("edit", "--undo", "alpha").succeeded()
    assert not left.parent.exists()


def test_what_cannot_be_copied(machine: Machine) -> None:
    project = machine.project(machine.folder / "mine", "mine")
    machine.run("lock", "alpha==1.0", "-e", project).succeeded()
    done = machine.run("edit", "beta", "mine")
    problems = f"beta is not locked in {machine.venv}; mine is editable already: it is imported from {project}"
    assert (done.code, done.err) == (2, f"error: {problems}\nnext: see what is locked: multisite list\n")
    done = machine.run("edit", "--undo", "beta")
    assert (done.code, done.err.splitlines()[0]) == (2, f"error: {machine.venv} has no private copy of beta")
    assert machine.run("edit", "--undo", "alpha").succeeded().err == "alpha: no private copy is there\n"
    done = machine.run("edit", "alpha", "--force")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: --force means nothing without --undo")


def test_an_environment_without_anything(machine: Machine) -> None:
    done = machine.run("edit", "alpha")
    assert (done.code, done.err.splitlines()[0]) == (3, f"error: {machine.venv}: there is no such folder")
    assert not machine.venv.exists()


def test_only_said(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    before = snapshot(machine.venv, machine.store)
    done = machine.run("edit", "--dry-run", "alpha").succeeded()
    assert done.out.startswith(f"alpha 1.0: would be copied from {machine.store}/multi-site-packages/alpha/1.0/")
    assert machine.run("edit", "--dry-run", "alpha", "--json").succeeded().json["copies"][0]["made"] is False
    assert snapshot(machine.venv, machine.store) == before


def test_it_is_listed(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0", "beta").succeeded()
    site = private(machine)
    assert machine.run("list").succeeded().out.splitlines()[1] == f"alpha         1.0      {site}"
    assert [row["private"] for row in machine.run("list", "--json").succeeded().json] == [str(site), None]


def test_the_view_leads_to_it(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0", "beta").succeeded()
    machine.run("view").succeeded()
    view = machine.venv / ".multisite" / "view"
    (shown,) = view.glob("lib/python*/site-packages")
    assert (shown / "alpha").exists()
    site = private(machine)
    assert not (shown / "alpha").exists()
    lines = (shown / "multisite-view.pth").read_text().splitlines()
    assert os.path.normpath(shown / lines[1]) == str(site)
    patch(site)
    assert findings(machine.run("doctor", "--json")) == [("private-copy", "note")]
    machine.run("edit", "--undo", "--force", "alpha").succeeded()
    assert (shown / "alpha").exists()
    assert findings(machine.run("doctor", "--json")) == []


def test_offline_and_with_a_second_command_nothing_changes(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    asked = machine.index.requests.total()
    site = private(machine)
    before = snapshot(machine.venv)
    assert private(machine) == site
    assert machine.run("sync").succeeded().err.endswith("unchanged; 1 distribution\n")
    assert snapshot(machine.venv) == before
    machine.run("edit", "--undo", "alpha").succeeded()
    assert machine.index.requests.total() == asked


def test_a_running_process_takes_it_up_when_told(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    code = "import sys, importlib; input(); importlib.invalidate_caches(); import alpha; print(alpha.__file__)"
    process = subprocess.Popen(
        [machine.venv / "bin" / "python", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    site = private(machine)
    assert process.communicate("\n")[0] == f"{site}/alpha/__init__.py\n"


def test_a_running_process_goes_on_when_it_is_returned(machine: Machine) -> None:
    """What it has not imported yet comes from where the environment has it now."""
    machine.run("lock", "alpha==1.0").succeeded()
    private(machine)
    code = "print('begun', flush=True); input(); import alpha; print(alpha.__file__)"
    process = subprocess.Popen(
        [machine.venv / "bin" / "python", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    machine.run("edit", "--undo", "alpha").succeeded()
    out, err = process.communicate("\n", timeout=60)
    assert (err, str(machine.store) in out) == ("", True)


def test_pip_does_not_remove_it(machine: Machine) -> None:
    """Elsewhere it removes what lies below the prefix; a private copy is what somebody works on."""
    import ensurepip

    bundled = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"), None)
    if bundled is None:
        pytest.skip("this Python brings no pip")
    shutil.copy(bundled, machine.index.folder)
    machine.run("lock", "alpha==1.0", "pip").succeeded()
    site = private(machine)
    patch(site)
    done = machine.program("python", "-m", "pip", "uninstall", "-y", "alpha")
    assert f"Not uninstalling alpha at {site}, outside environment {machine.venv}" in done.out + done.err
    assert machine.python("import added; print(added.value)").out == "added\n"
    listed = machine.program("python", "-m", "pip", "list", "--format", "json", "--local").succeeded().json
    assert [one["name"] for one in listed] == ["alpha", "pip"]


def test_garbage_collection_keeps_what_it_was_made_from(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    (site / "alpha" / "part.py").write_text("value = 'patched'\n")
    machine.run("lock", "beta").succeeded()
    machine.run("gc", "--now").succeeded()
    asked = machine.index.requests.total()
    done = machine.run("edit", "--undo", "alpha", "--patch", "alpha.patch").succeeded()
    assert done.err.endswith("alpha 1.0: its copy is removed\n")
    assert "-value = 'as it was'\n+value = 'patched'\n" in (machine.work / "alpha.patch").read_text()
    assert machine.index.requests.total() == asked
    machine.run("sync").succeeded()
    machine.run("gc", "--now").succeeded()
    assert not list((machine.store / "multi-site-packages").glob("alpha/*/*"))


def test_the_store_has_not_what_it_was_made_from(machine: Machine) -> None:
    machine.run("lock", "alpha==1.0").succeeded()
    site = private(machine)
    machine.run("lock", "beta").succeeded()
    shutil.rmtree(machine.store / "multi-site-packages" / "alpha")
    done = machine.run("edit", "--undo", "alpha")
    why = "it cannot be told which files, for the store has not what it was made from"
    said = f"error: alpha 1.0: what was changed in {site.parent} would be lost: {why}"
    assert (done.code, done.err.splitlines()[0]) == (1, said)
    done = machine.run("edit", "--undo", "alpha", "--patch", "a.patch")
    assert (done.code, done.err.splitlines()[-1]) == (2, "next: save the files yourself, then: --force")
    machine.run("edit", "--undo", "alpha", "--force").succeeded()
    assert not site.exists()


def test_of_a_lower_store(machine: Machine) -> None:
    """What a read-only store holds can be changed by who may not write there."""
    system = machine.folder / "system"
    machine.run("lock", "alpha==1.0", "--venv", "first", "--store", system).succeeded()
    machine.variables["MULTISITE_STORE"] = f"{machine.store}{os.pathsep}{system}"
    machine.run("lock", "alpha==1.0").succeeded()
    before = snapshot(system, content=True)
    site = private(machine)
    (site / "alpha" / "part.py").write_text("value = 'patched'\n")
    assert machine.python("import alpha.part; print(alpha.part.value)").out == "patched\n"
    assert findings(machine.run("doctor", "--json")) == [("private-copy", "note")]
    machine.run("edit", "--undo", "--force", "alpha").succeeded()
    assert machine.python("import alpha.part; print(alpha.part.value)").out == "as it was\n"
    assert {path: content for path, content in snapshot(system, content=True).items() if path in before} == before

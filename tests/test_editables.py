"""Projects that are imported from their folders, and distributions that are built from sources."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import write_tree
from tests.machine import Machine, snapshot


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel("beta")
        machine.wheel("gamma")
        yield machine


PROBE = "import my_app, importlib.metadata as m; print(my_app.where, m.version('my-app'))"
REQUIRES = (
    'dependencies = ["beta"]\n[project.optional-dependencies]\nmore = ["gamma"]\n[dependency-groups]\ndev = ["gamma"]\n'
)


def builds(folder: Path) -> int:
    log = folder / "builds.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_the_project_is_installed_editable(machine: Machine) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    done = machine.run("lock").succeeded()
    assert done.err.splitlines()[0] == "locking pyproject.toml"
    assert done.err.splitlines()[-3:] == [
        " + beta 1.0",
        " + my-app 1.0 (editable)",
        f"{machine.venv}: made; 2 distributions, 1 fetched",
    ]
    assert machine.python(PROBE).out == f"{machine.work}/src/my_app.py 1.0\n"
    assert (machine.venv / "bin/my-app").exists()
    rows = machine.run("list", "--json").json
    assert [(row["name"], row["editable"]) for row in rows] == [("beta", None), ("my-app", str(machine.work))]
    assert machine.run("doctor").code == 0


def test_nothing_to_do_builds_nothing(machine: Machine) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    machine.run("lock").succeeded()
    number, before = builds(machine.work), snapshot(machine.venv, machine.store)
    for words in (["lock"], ["sync"]):
        assert machine.run(*words).succeeded().err.endswith("unchanged; 2 distributions\n")
    assert builds(machine.work) == number
    assert snapshot(machine.venv, machine.store) == before


def test_it_is_installed_again_when_its_metadata_change(machine: Machine) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    machine.run("lock").succeeded()
    pyproject = machine.work / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('version = "1.0"', 'version = "1.1"'))
    done = machine.run("lock").succeeded()
    assert " ~ my-app 1.0 (editable) -> 1.1 (editable)\n" in done.err
    assert machine.python(PROBE).out.endswith(" 1.1\n")


@pytest.mark.parametrize("words", [["--no-project"], ["beta"]])
def test_it_goes_when_it_is_no_longer_wanted(machine: Machine, words: list[str]) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    write_tree(machine.work, {"share": {"my-app": {"conf": {"a": "1"}}, "both": {"a": "1"}}})
    machine.run("lock").succeeded()
    (machine.venv / "share/both/mine").touch()
    assert (machine.venv / "share/my-app/conf/a").is_file()
    done = machine.run("lock", *words).succeeded()
    assert " - my-app 1.0 (editable)\n" in done.err
    assert sorted(path.name for path in (machine.venv / "share").rglob("*")) == ["both", "mine"]
    assert not (machine.venv / "bin/my-app").exists()
    assert not list(machine.environment.site_packages.glob("*my*app*"))
    assert machine.state.project is None


def test_a_build_that_fails_changes_nothing(machine: Machine) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    machine.run("lock").succeeded()
    before = snapshot(machine.venv, content=True)
    (machine.work / "broken").touch()
    pyproject = machine.work / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"beta"]', '"beta", "gamma"]'))
    done = machine.run("lock")
    assert done.code == 1
    assert "the build is broken on purpose" in done.err
    assert snapshot(machine.venv, content=True) == before
    assert machine.python(PROBE).out.endswith(" 1.0\n")


def test_sync_keeps_the_project(machine: Machine) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    machine.run("lock").succeeded()
    machine.run("lock", "gamma", "--venv", "other", "--no-project").succeeded()
    machine.run("sync", "other/pylock.toml").succeeded()
    assert machine.python(PROBE).out.endswith(" 1.0\n")
    assert machine.state.project is not None


def test_a_moved_environment_has_its_programs_written_again(machine: Machine) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    machine.run("lock").succeeded()
    machine.venv.rename(machine.work / "moved")
    machine.run("sync", "--venv", "moved").succeeded()
    assert str(machine.work / "moved/bin") in (machine.work / "moved/bin/my-app").read_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], ["beta"]), (["--extra", "more"], ["beta", "gamma"]), (["--group", "dev"], ["beta", "gamma"])],
)
def test_extras_and_groups(machine: Machine, words: list[str], expected: list[str]) -> None:
    machine.project(machine.work, "my-app", text=REQUIRES)
    machine.run("lock", "--no-project", *words).succeeded()
    assert list(machine.state.builds) == expected


def test_files_of_requirements_and_constraints(machine: Machine) -> None:
    machine.wheel("beta", "2.0")
    (machine.work / "requirements.txt").write_text("beta\n-r more.txt\n")
    (machine.work / "more.txt").write_text("gamma\n")
    (machine.work / "limits.txt").write_text("beta<2\n")
    assert machine.run("lock").err.splitlines()[0] == "locking requirements.txt"
    assert machine.state.builds["beta"].build.version == "2.0"  # type: ignore[index]
    machine.run("lock", "-r", "more.txt", "beta", "-c", "limits.txt").succeeded()
    assert {name: chosen.build.version for name, chosen in machine.state.builds.items()} == {
        "beta": "1.0",
        "gamma": "1.0",
    }


def test_a_lockfile_in_the_folder_is_followed(machine: Machine) -> None:
    machine.run("lock", "beta", "-o", "pylock.toml", "--venv", "other").succeeded()
    done = machine.run("lock").succeeded()
    assert done.err.splitlines()[0] == f"syncing {machine.work}/pylock.toml"
    assert list(machine.state.builds) == ["beta"]
    assert machine.lockfile.read_bytes() == (machine.work / "pylock.toml").read_bytes()
    done = machine.run("lock", "--upgrade")
    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "error: --upgrade means nothing for a lockfile, and pylock.toml is all that is here",
    )


# Folders that a lockfile names.


def test_an_editable_folder(machine: Machine) -> None:
    library = machine.project(machine.folder / "library", "my-app")
    machine.run("lock", "beta", "-e", "../library").succeeded()
    assert "editable = true" in machine.lockfile.read_text()
    assert machine.python(PROBE).out == f"{library}/src/my_app.py 1.0\n"
    assert [item.name for item in machine.state.editables] == ["my-app"]
    assert machine.run("doctor", "--json").json["findings"] == []
    number = builds(library)
    assert machine.run("sync").err.endswith("unchanged; 2 distributions\n")
    machine.run("sync", machine.lockfile, "--venv", "second").succeeded()
    assert builds(library) > number
    assert machine.python(PROBE, venv=machine.work / "second").out == f"{library}/src/my_app.py 1.0\n"
    machine.run("lock", "beta").succeeded()
    assert machine.python(PROBE).code == 1
    assert machine.state.editables == ()


def test_a_folder_is_built_again_only_once_it_has_changed(machine: Machine) -> None:
    library = machine.project(machine.folder / "library", "my-app")
    machine.run("lock", "../library").succeeded()
    number = builds(library)
    (library / "builds.log").rename(machine.folder / "log")
    machine.run("sync").succeeded()
    (machine.folder / "log").rename(library / "builds.log")
    machine.run("sync", machine.lockfile, "--venv", "second")
    assert number >= 1
    assert machine.python(PROBE).out.startswith(str(machine.store))
    (library / "src/my_app.py").write_text("where = 'changed'\n")
    done = machine.run("sync").succeeded()
    assert done.err.splitlines()[-1] == f"{machine.venv}: changed; 1 distribution, 1 built"
    assert machine.python(PROBE).out == "changed 1.0\n"


# Archives and repositories.


def sdist(machine: Machine) -> Path:
    tree = machine.project(machine.folder / "tree", "my-app")
    target = machine.index.folder / "my_app-1.0.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        archive.add(tree, "my_app-1.0")
        text = b"Metadata-Version: 2.2\nName: my-app\nVersion: 1.0\n"
        info = tarfile.TarInfo("my_app-1.0/PKG-INFO")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return target


def test_a_source_distribution_is_built_once(machine: Machine) -> None:
    sdist(machine)
    done = machine.run("lock", "my-app").succeeded()
    assert "building my-app 1.0\n" in done.err
    assert done.err.endswith("made; 1 distribution, 1 fetched, 1 built\n")
    machine.index.requests.clear()
    for words in (["sync"], ["sync", machine.lockfile, "--venv", "second"]):
        assert machine.run(*words).succeeded().err.endswith("; 1 distribution\n")
    assert not machine.index.requests
    assert machine.python(PROBE).out.startswith(str(machine.store))


def test_a_commit_of_a_repository(machine: Machine) -> None:
    tree = machine.project(machine.folder / "tree", "my-app")
    git = ["git", "-C", str(tree), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    done = machine.run("lock", f"my-app @ git+file://{tree}").succeeded()
    assert done.err.endswith("made; 1 distribution, 1 built\n")
    assert machine.run("sync").err.endswith("unchanged; 1 distribution\n")
    probe = "import importlib.metadata as m; print(m.distribution('my-app').read_text('direct_url.json'))"
    assert '"vcs": "git"' in machine.python(probe).out


def test_a_wheel_of_another_name_is_refused(machine: Machine) -> None:
    machine.run("lock", "beta").succeeded()
    text = machine.lockfile.read_text()
    before = snapshot(machine.venv, content=True)
    lying = text.replace('name = "beta"', 'name = "delta"', 1)
    (machine.work / "lying.toml").write_text(lying)
    done = machine.run("sync", "lying.toml")
    assert done.code == 1
    assert "delta" in done.err
    assert snapshot(machine.venv, content=True) == before


@pytest.mark.parametrize("is_new", [True, False])
def test_a_wheel_and_a_folder_by_their_paths(machine: Machine, is_new: bool) -> None:
    if not is_new:
        machine.run("lock", "gamma").succeeded()
    machine.project(machine.folder / "library", "my-app")
    wheel = machine.wheel("beta", "3.0")
    wheel.rename(machine.work / wheel.name)
    machine.run("lock", f"./{wheel.name}", "../library").succeeded()
    assert {name: chosen.requested for name, chosen in machine.state.builds.items()} == {"beta": True, "my-app": True}
    read = "m.distribution('{}').read_text('direct_url.json')"
    probe = f"import json, importlib.metadata as m; print(json.loads({read})['url'])"
    assert machine.python(probe.format("beta")).out == f"{(machine.work / wheel.name).as_uri()}\n"
    assert machine.python(probe.format("my-app")).out == f"{(machine.folder / 'library').as_uri()}\n"


def test_a_folder_that_is_gone(machine: Machine) -> None:
    folder = machine.project(machine.folder / "my-app", "my-app")
    machine.run("lock", "-e", folder).succeeded()
    folder.rename(machine.folder / "moved")
    (finding,) = machine.run("doctor", "--json").json["findings"]
    assert (finding["check"], finding["subject"]) == ("project-missing", "my-app")
    assert finding["message"] == "my-app is imported from ../../my-app, and that folder is gone"
    done = machine.run("sync")
    assert (done.code, done.err.splitlines()[1:]) == (
        1,
        [
            f"error: {folder}: building a wheel failed:",
            f"{folder}: no such folder",
            "next: put the folder back, or lock without it: multisite lock",
        ],
    )
    (machine.folder / "moved").rename(folder)
    machine.run("sync").succeeded()
    assert machine.run("doctor").code == 0

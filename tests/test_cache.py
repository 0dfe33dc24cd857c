"""The cache at work: what does not have to be built or fetched again."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from multisite.store import Store, StoredDistribution
from tests import builders
from tests.index import Fault
from tests.machine import Machine

BACKEND = """\
import pathlib, shutil
def build_wheel(folder, *args, **kwargs):
    with pathlib.Path({log!r}).open("a") as log:
        log.write("built\\n")
    return pathlib.Path(shutil.copy({wheel!r}, folder)).name
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        yield machine


def lockfile(machine: Machine, kind: str, url: str, sha256: str, name: str = "given.toml") -> Path:
    file = f'{{url = "{url}", hashes = {{sha256 = "{sha256}"}}}}'
    text = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\nversion = "1.0"\n'
    path = machine.work / name
    path.write_text(f"{text}{kind} = {file}\n")
    return path


def locked_sdist(machine: Machine) -> Path:
    """Return a lockfile with a source distribution that notes each of its builds."""
    wheel = builders.make_wheel(machine.folder / "made", "alpha", "1.0", {"alpha.py": "version = '1.0'\n"})
    backend = BACKEND.format(log=str(machine.folder / "builds.log"), wheel=str(wheel))
    project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    folder = builders.write_tree(
        machine.folder / "alpha-1.0",
        {
            "pyproject.toml": project,
            "backend.py": backend,
            "PKG-INFO": "Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n",
        },
    )
    path = machine.index.folder / "alpha-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return lockfile(machine, "sdist", machine.index.file_url(path.name), machine.index.sha256(path.name))


@pytest.mark.parametrize("what", ["all", "the files"])
def test_it_may_be_deleted_while_a_command_runs(machine: Machine, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    cache = machine.folder / "cache"
    machine.variables["MULTISITE_CACHE"] = str(cache)
    for name in ("alpha", "beta", "gamma"):
        machine.wheel(name)
    machine.run("lock", "alpha", "beta", "gamma", "--venv", "first", "--store", "first-store").succeeded()
    add, deleted, alone = Store.add_wheel, list[Path](), threading.Lock()

    def add_after_deletion(store: Store, path: Path, **options: Any) -> StoredDistribution:
        with alone:
            workplace = path.parents[1]
            if len(deleted) < 2 and workplace not in deleted:
                deleted.append(workplace)
                for folder in [cache] if what == "all" else list((cache / "work").glob("*/*")):
                    shutil.rmtree(folder, ignore_errors=True)  # files are still coming
        return add(store, path, **options)

    monkeypatch.setattr(Store, "add_wheel", add_after_deletion)
    done = machine.run("sync", machine.work / "first" / "pylock.toml").succeeded()
    said = "the cache was removed, with files on their way: beginning with them anew"
    assert done.err.count(said) == len(deleted) == 2
    assert machine.python("import alpha, beta, gamma; print(gamma.version)").out == "1.0\n"


def test_who_deletes_it_again_and_again_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.wheel("alpha")
    before = list(machine.work.iterdir())

    def add_after_deletion(store: Store, path: Path, **options: Any) -> StoredDistribution:
        path.unlink()
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

    monkeypatch.setattr(Store, "add_wheel", add_after_deletion)
    done = machine.run("lock", "alpha")
    assert done.code == 3
    assert "alpha-1.0-py3-none-any.whl: No such file or directory\n" in done.err
    assert list(machine.work.iterdir()) == before


@pytest.mark.parametrize("inside", ["", "artifacts", "beginnings", "built", "work"])
def test_a_folder_that_may_not_be_entered(machine: Machine, inside: str) -> None:
    cache = machine.folder / "home" / ".cache" / "multisite"
    lock = locked_sdist(machine)
    machine.run("sync", lock, "--venv", "first", "--store", machine.folder / "first-store").succeeded()
    closed = cache / inside
    closed.mkdir(exist_ok=True)
    closed.chmod(0)
    try:
        machine.run_unprivileged("sync", lock).succeeded()
    finally:
        closed.chmod(0o755)
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"


def builds(machine: Machine) -> int:
    return len((machine.folder / "builds.log").read_text().splitlines())


def test_a_wheel_that_was_built_outlives_the_store(machine: Machine) -> None:
    lock = locked_sdist(machine)
    done = machine.run("sync", lock).succeeded()
    assert done.err.endswith("made; 1 distribution, 1 fetched, 1 built\n")
    for folder in (machine.store, machine.venv):
        shutil.rmtree(folder)
    done = machine.run("sync", "--offline", lock).succeeded()
    assert done.err.endswith("made; 1 distribution\n")
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"
    assert builds(machine) == 1
    assert machine.fetched() == ["alpha-1.0.tar.gz"]


def test_a_kept_wheel_that_is_damaged_is_built_anew_from_the_kept_source(machine: Machine) -> None:
    lock = locked_sdist(machine)
    machine.run("sync", lock).succeeded()
    cache = machine.folder / "home" / ".cache" / "multisite"
    wheel = hashlib.sha256((machine.folder / "made" / "alpha-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (cache / "artifacts" / "sha256" / wheel[:2] / wheel).write_bytes(b"rotten")
    for folder in (machine.store, machine.venv):
        shutil.rmtree(folder)
    machine.run("sync", "--offline", lock).succeeded()
    assert builds(machine) == 2
    assert machine.fetched() == ["alpha-1.0.tar.gz"]


def test_the_cache_may_be_deleted(machine: Machine) -> None:
    lock = locked_sdist(machine)
    machine.variables["MULTISITE_CACHE"] = str(machine.folder / "cache")
    machine.run("sync", lock).succeeded()
    shutil.rmtree(machine.folder / "cache")
    assert machine.run("sync", lock).succeeded().err.endswith("unchanged; 1 distribution\n")
    shutil.rmtree(machine.store)
    machine.run("sync", lock).succeeded()
    assert builds(machine) == 2


def test_a_damaged_entry_is_mended_from_where_it_was_got_once(machine: Machine) -> None:
    wheel = machine.wheel("alpha")
    sha256 = machine.index.sha256(wheel.name)
    machine.run("sync", lockfile(machine, "archive", machine.index.file_url(wheel.name), sha256)).succeeded()
    gone = f"{machine.index.origin}/files/gone/{wheel.name}"
    machine.index.fail(f"gone/{wheel.name}", Fault(status=404, content=b""))
    machine.run("sync", lockfile(machine, "archive", gone, sha256, "other.toml")).succeeded()
    entry = machine.store / "multi-site-packages" / machine.state.builds["alpha"].build.path  # type: ignore[index]
    (entry / "site-packages" / "alpha.py").write_text("damaged = True\n")
    assert machine.run("doctor").code == 1
    assert machine.run("doctor", "--fix").code == 0
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"

"""What ``verify --repair`` mends beside the table of damage: what was built here, libraries under a prefix, by two."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine
from tests.siblings import Siblings


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        yield machine


def damaged(machine: Machine, pattern: str, content: bytes | None = b"another") -> Path:
    (path,) = machine.store.glob(pattern)
    path.unlink()  # a file of a shared folder is one of the entry's as well
    if content is not None:
        path.write_bytes(content)
    return path


def built(machine: Machine) -> Path:
    """Lock a source distribution; return its file."""
    folder = machine.project(machine.folder / "proj-1.0", "proj")
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: proj\nVersion: 1.0\n")
    path = machine.index.folder / "proj-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    machine.run("lock", "proj").succeeded()
    return path


@pytest.mark.parametrize("content", [b"another", None], ids=["altered", "missing"])
def test_a_wheel_that_was_built_here_comes_from_the_cache(machine: Machine, content: bytes | None) -> None:
    source = built(machine)
    path = damaged(machine, "multi-site-packages/proj/*/*/site-packages/proj.py", content)
    source.unlink()
    done = machine.run("verify", "--repair", "--offline").succeeded()
    assert "1 mended, nothing is wrong any more" in done.err
    assert path.read_text() == "where = __file__\n"
    assert machine.run("verify").code == 0


def test_a_wheel_that_was_built_here_and_is_not_in_the_cache(machine: Machine) -> None:
    built(machine)
    path = damaged(machine, "multi-site-packages/proj/*/*/site-packages/proj.py")
    shutil.rmtree(machine.folder / "home" / ".cache")
    done = machine.run("verify", "--repair")
    assert done.code == 1
    assert f"multisite doctor --fix --venv {machine.venv}" in done.out
    machine.run("doctor", "--fix").succeeded()
    assert path.read_text() == "where = __file__\n"


@pytest.mark.parametrize("content", [b"another", None], ids=["altered", "missing"])
def test_a_library_under_the_prefix_of_a_shared_folder(machine: Machine, tmp_path: Path, content: bytes | None) -> None:
    wheels = Siblings(tmp_path / "work", machine.index.folder).under_the_prefix()
    machine.run("lock", *(f"{path.name.split('-')[0]}==1.0" for path in wheels)).succeeded()
    program = "import sib_user; print(sib_user.answer())"
    answer = machine.python(program).succeeded().out
    path = damaged(machine, "shared/[!.]*/lib/libsib-data.so.1", content)
    found = machine.run("verify", "--json")
    assert found.code == 1
    wrong = "is missing" if content is None else f"has 7 bytes instead of {_size(machine)}"
    assert [one["message"].partition(": ")[2] for one in found.json["findings"]] == [f"lib/{path.name} {wrong}"]
    machine.run("verify", "--repair").succeeded()
    assert machine.run("verify").code == 0
    assert machine.python(program).succeeded().out == answer


def _size(machine: Machine) -> int:
    (path,) = machine.store.glob("multi-site-packages/sib-data/*/*/data/data/lib/libsib-data.so.1")
    return path.stat().st_size


def test_two_at_once(machine: Machine) -> None:
    for name in ("alpha", "beta", "gamma"):
        machine.wheel(name, files={name: {f"part{number}.py": f"x = {number}\n" for number in range(20)}})
    machine.run("lock", "alpha", "beta", "gamma").succeeded()
    for path in machine.store.glob("multi-site-packages/*/*/*/site-packages/*/part*.py"):
        path.write_text("y = 1\n")
    (machine.store / "artifacts").rename(machine.folder / "aliases")
    running = [machine.spawn("verify", "--repair") for _ in range(2)]
    ended = [(*process.communicate(), process.returncode) for process in running]
    # One may look while the other still mends, and says so then.
    assert {code for _, _, code in ended} <= {0, 1}, ended
    assert not [text for out, err, _ in ended for text in (out, err) if "Traceback" in text or "Errno" in text]
    assert machine.run("verify", "--repair").code == 0
    assert machine.run("verify", "--json").json["findings"] == []
    assert not list(machine.store.glob("**/.incoming/*"))


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_what_could_not_be_read_is_exit_code_3(machine: Machine) -> None:
    machine.wheel("alpha")
    machine.run("lock", "alpha").succeeded()
    folder = damaged(machine, "multi-site-packages/alpha/*/*/site-packages/alpha.py").parent
    folder.chmod(0)
    try:
        done = machine.run_unprivileged("verify", "--json")
    finally:
        folder.chmod(0o755)
    assert done.code == 3
    assert "unreadable" in {finding["check"] for finding in done.json["findings"]}
    assert not any("Errno" in finding["message"] for finding in done.json["findings"])

"""A store whose store.json is lost or damaged: written again where it is plain what the folder is, and nowhere else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.layout import create, mend
from multisite.store import Store
from tests.machine import Machine, snapshot

ID = "0123456789abcdef" * 2
TORN = b'{"format": 1, "id": "%s", "min_wri' % ID.encode()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as machine:
        machine.wheel("beta")
        machine.variables["MULTISITE_STORE"] = ""  # let the environment know its store by itself, as most do
        machine.run("lock", "beta", "--store", "elsewhere").succeeded()
        yield machine


def damage(path: Path, content: bytes | None) -> None:
    path.unlink()
    if content is not None:
        path.write_bytes(content)


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b"[]", b'{"format": 1}', TORN])
@pytest.mark.parametrize("command", ["sync", "lock", "doctor"])
def test_it_is_written_again(machine: Machine, command: str, content: bytes | None) -> None:
    path = machine.work / "elsewhere" / "store.json"
    damage(path, content)
    doctor = machine.run("doctor", "--json")
    (finding,) = doctor.json["findings"]
    assert (doctor.code, finding["check"]) == (3, "store-unusable")
    assert finding["fix"] == f"multisite sync --venv {machine.venv}"
    assert machine.python("import beta").code == 0
    words = {"sync": ["sync"], "lock": ["lock", "beta"], "doctor": ["doctor", "--fix"]}
    done = machine.run(*words[command]).succeeded()
    assert f"{path}: not a valid store" in done.err
    assert "; it is written again\n" in done.err
    assert Path(machine.state.store) == path.parent
    assert machine.fetched() == ["beta-1.0-py3-none-any.whl"]
    if content == TORN:
        assert json.loads(path.read_bytes())["id"] == ID
    assert machine.run("doctor").code == 0
    before = snapshot(machine.venv, path.parent)
    machine.run("sync").succeeded()
    assert snapshot(machine.venv, path.parent) == before


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'{"format": 2, "id": "x', "store has format 2"),
        (b'{"format": 2, "id": "x", "min_writer": 2}', "store has format 2"),
        (b'{"format": 1, "min_writer": 2, "id"', "store, to write to it, has format 2"),
    ],
)
def test_a_later_format_is_no_damage(machine: Machine, content: bytes, named: str) -> None:
    path = machine.work / "elsewhere" / "store.json"
    damage(path, content)
    before = snapshot(machine.venv, path.parent)
    done = machine.run("sync")
    assert (done.code, done.err.splitlines()[-1]) == (3, "next: upgrade multisite: pip install --upgrade multisite")
    assert f"{path}: {named}; this multisite knows format 1" in done.err
    assert {**snapshot(machine.venv, path.parent), **before} == snapshot(machine.venv, path.parent)
    if content.endswith(b"}"):
        fixes = [finding["fix"] for finding in machine.run("doctor", "--json").json["findings"]]
        assert fixes == ["upgrade multisite: pip install --upgrade multisite"]


@pytest.mark.parametrize("pattern", ["environments/*.json", "multi-site-packages/*/*/*/manifest.json"])
def test_a_document_of_a_later_format_tells_that_the_store_may_be_later(machine: Machine, pattern: str) -> None:
    root = machine.work / "elsewhere"
    damage(root / "store.json", b"")
    document = next(root.glob(pattern))
    document.write_text('{"format": 99}')
    with pytest.raises(UnsupportedFormat) as caught:
        mend(root)
    assert str(document) in str(caught.value)
    assert (root / "store.json").read_bytes() == b""


def test_what_else_is_in_the_folder_is_named(machine: Machine) -> None:
    root = machine.work / "elsewhere"
    damage(root / "store.json", None)
    (root / "cat.jpg").touch()
    hint = "move cat.jpg elsewhere, which is nothing of a store's, then: multisite sync"
    done = machine.run("sync")
    assert (done.code, done.err.splitlines()[-1]) == (3, f"next: {hint}")
    assert [finding["fix"] for finding in machine.run("doctor", "--json").json["findings"]] == [hint]
    (root / "cat.jpg").unlink()
    machine.run("sync").succeeded()
    assert machine.run("doctor").code == 0


def test_a_file_of_that_name_in_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"name": "my shop"}')
    with pytest.raises(InvalidDocument) as caught:
        mend(tmp_path)
    assert caught.value.hint == "put the file back, or choose another store: --store DIR or MULTISITE_STORE"
    assert (tmp_path / "store.json").read_text() == '{"name": "my shop"}'


def test_nothing_is_wrong(tmp_path: Path) -> None:
    assert mend(tmp_path / "missing") is None
    create(tmp_path / "store")
    before = snapshot(tmp_path)
    assert mend(tmp_path / "store") is None
    assert snapshot(tmp_path) == before


def test_opening_alone_writes_nothing(machine: Machine) -> None:
    root = machine.work / "elsewhere"
    shutil.copytree(root, machine.work / "copy")
    damage(machine.work / "copy" / "store.json", None)
    with pytest.raises(InvalidDocument) as caught:
        Store.open(machine.work / "copy")
    assert caught.value.hint == "multisite sync"
    assert not (machine.work / "copy" / "store.json").exists()

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from multisite import registry
from multisite.environment import Environment
from multisite.errors import InvalidDocument, MultisiteError
from multisite.names import BuildId
from multisite.registry import RegisteredLock, Registration, is_copy, register, registrations, unregister, vantage
from multisite.state import EnvironmentState, HistoryItem

DATA = Path(__file__).parent / "data" / "registrations"
STATE = Path(__file__).parent / "data" / "environment_json" / "valid" / "small.json"
ID = "00112233445566778899aabbccddeeff"
BUILDS = [BuildId.parse(f"{name}/1.0/py3-none-any-0123456789abcdef") for name in ("b", "a")]


@pytest.fixture
def store_root(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def make(path: Path) -> Environment:
    """Return an environment that was synced, as far as the registry looks at it."""
    site = path / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    environment = Environment(path=path, site_packages=site, configuration={})
    environment.write_state(EnvironmentState.from_document(STATE.read_bytes(), STATE))
    return environment


@pytest.mark.parametrize("path", sorted((DATA / "valid").glob("*.json")), ids=lambda path: path.stem)
def test_what_is_read_is_written(path: Path) -> None:
    registration = Registration.from_document(path.read_bytes(), path)
    assert Registration.from_document(registration.to_document(), path) == registration
    assert registration.id == ID


@pytest.mark.parametrize("path", sorted((DATA / "invalid").glob("*.json")), ids=lambda path: path.stem)
def test_every_fault_is_reported(path: Path) -> None:
    with pytest.raises(MultisiteError) as caught:
        Registration.from_document(path.read_bytes(), path.name)
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_a_truncated_document_is_refused_wherever_it_ends() -> None:
    document = (DATA / "valid" / "full.json").read_bytes().rstrip()
    for end in range(len(document)):
        with pytest.raises(InvalidDocument):
            Registration.from_document(document[:end], "x.json")


def test_what_is_registered(store_root: Path, tmp_path: Path) -> None:
    environment = make(tmp_path / "venv")
    lock = "0" * 64
    old = HistoryItem(
        lock_sha256=lock,
        table=lock,
        file="x",
        time=5,
        builds={build.name: build for build in BUILDS},
        shared=("e" * 64,),
    )
    assert register(
        store_root, environment, id=ID, builds=BUILDS, shared=["d" * 64, "c" * 64], table="f" * 64, history=[old]
    )
    (found,) = registrations(store_root)
    assert found.seen > 1_700_000_000
    assert found == Registration(
        id=ID,
        path=tmp_path / "venv",
        device=tmp_path.stat().st_dev,
        seen=found.seen,
        host=vantage(),
        builds=(BUILDS[1], BUILDS[0]),
        shared=("c" * 64, "d" * 64),
        table="f" * 64,
        history=(RegisteredLock(time=5, builds=(BUILDS[1], BUILDS[0]), shared=("e" * 64,), table=lock),),
    )
    assert found.is_there()


def test_the_same_again_writes_nothing(store_root: Path, tmp_path: Path) -> None:
    environment = make(tmp_path / "venv")
    assert register(store_root, environment, id=ID, builds=BUILDS)
    before = (store_root / "environments" / f"{ID}.json").stat().st_ino
    assert not register(store_root, environment, id=ID, builds=BUILDS[::-1])
    assert (store_root / "environments" / f"{ID}.json").stat().st_ino == before
    assert register(store_root, environment, id=ID, builds=BUILDS[:1])


@pytest.mark.parametrize("apart", [-100, 25 * 3600], ids=["from the future", "a day ago"])
def test_it_is_seen_again_once_a_day(store_root: Path, tmp_path: Path, apart: int) -> None:
    environment = make(tmp_path / "venv")
    register(store_root, environment, id=ID, builds=BUILDS)
    path = store_root / "environments" / f"{ID}.json"
    value = json.loads(path.read_bytes())
    path.write_text(json.dumps({**value, "seen": value["seen"] - apart}))
    assert not register(store_root, environment, id=ID, builds=BUILDS)
    assert next(registrations(store_root)).seen >= value["seen"]


def test_unregister(store_root: Path, tmp_path: Path) -> None:
    register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)
    assert unregister(store_root, ID)
    assert not unregister(store_root, ID)
    assert not list(registrations(store_root))


def test_a_moved_environment_keeps_its_id(store_root: Path, tmp_path: Path) -> None:
    register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)
    (tmp_path / "venv").rename(tmp_path / "moved")
    (before,) = registrations(store_root)
    assert not before.is_there()
    assert not is_copy(store_root, ID, tmp_path / "moved")
    moved = Environment(path=tmp_path / "moved", site_packages=tmp_path, configuration={})
    assert register(store_root, moved, id=ID, builds=BUILDS)
    (after,) = registrations(store_root)
    assert after.path == tmp_path / "moved"
    assert after.is_there()


def test_a_copied_environment_needs_an_id(store_root: Path, tmp_path: Path) -> None:
    register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)
    shutil.copytree(tmp_path / "venv", tmp_path / "copy")
    assert is_copy(store_root, ID, tmp_path / "copy")
    assert not is_copy(store_root, ID, tmp_path / "venv")


def test_a_link_is_no_copy(store_root: Path, tmp_path: Path) -> None:
    register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)
    (tmp_path / "link").symlink_to("venv")
    assert not is_copy(store_root, ID, tmp_path / "link")


def test_an_unknown_id_is_no_copy(store_root: Path, tmp_path: Path) -> None:
    assert not is_copy(store_root, ID, tmp_path)


def test_another_environment_at_the_old_place(store_root: Path, tmp_path: Path) -> None:
    register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)
    (tmp_path / "venv").rename(tmp_path / "moved")
    other = make(tmp_path / "venv")
    other.write_state(replace(EnvironmentState.from_document(STATE.read_bytes(), STATE), id="f" * 32))
    assert not is_copy(store_root, ID, tmp_path / "moved")
    state = other.state_folder / "environment.json"
    state.write_text(json.dumps({"format": 1, "id": "f" * 32}))  # as the first releases wrote it
    assert not is_copy(store_root, ID, tmp_path / "moved")
    state.write_text("{")  # it cannot be told, so the safe answer is that it may be the one
    assert is_copy(store_root, ID, tmp_path / "moved")
    shutil.rmtree(tmp_path / "venv")
    (tmp_path / "venv").touch()
    assert not is_copy(store_root, ID, tmp_path / "moved")


@pytest.mark.parametrize("id_", ["../x", "", "F" * 32, "0" * 31])
def test_what_is_no_id(store_root: Path, tmp_path: Path, id_: str) -> None:
    with pytest.raises(ValueError, match="not an environment's id"):
        register(store_root, make(tmp_path / "venv"), id=id_, builds=[])
    with pytest.raises(ValueError, match="not an environment's id"):
        unregister(store_root, id_)


def test_a_damaged_registration_stops_who_reads_all(store_root: Path, tmp_path: Path) -> None:
    environment = make(tmp_path / "venv")
    register(store_root, environment, id=ID, builds=BUILDS)
    path = store_root / "environments" / f"{ID}.json"
    path.write_text("{")
    with pytest.raises(InvalidDocument) as caught:
        list(registrations(store_root))
    assert caught.value.hint == (
        f"multisite sync in that environment writes it anew (the file is {path.owner()}'s); if there is no such "
        f"environment any more: multisite gc --forget {ID}"
    )
    assert register(store_root, environment, id=ID, builds=BUILDS)
    assert len(list(registrations(store_root))) == 1


def test_files_that_are_being_written_are_not_read(store_root: Path, tmp_path: Path) -> None:
    register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)
    (store_root / "environments" / f".{ID}.json.0123.tmp").write_text("{")
    (store_root / "environments" / ".hidden.json").write_text("{")
    assert len(list(registrations(store_root))) == 1


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_store_where_nobody_may_register(
    store_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(registry, "write_note", refuse)
    assert not register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)


def test_other_failures_are_not_hidden(store_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(registry, "write_note", refuse)
    with pytest.raises(OSError, match="No space left"):
        register(store_root, make(tmp_path / "venv"), id=ID, builds=BUILDS)


def test_one_that_goes_while_others_are_listed(store_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "notes", lambda *_: [store_root / "environments" / f"{ID}.json"])
    assert list(registrations(store_root)) == []


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_others_planted_is_not_followed(store_root: Path, tmp_path: Path, kind: str) -> None:
    path = store_root / "environments" / f"{ID}.json"
    path.parent.mkdir()
    if kind == "link":
        path.symlink_to(DATA / "valid" / "full.json")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(InvalidDocument) as caught:
        list(registrations(store_root))
    assert str(path) in str(caught.value)


def test_where_all_may_register_all_can_read_it(store_root: Path, tmp_path: Path) -> None:
    (store_root / "environments").mkdir()
    before = os.umask(0o077)
    try:
        for number, mode in (("0", 0o755), ("1", 0o1777)):
            (store_root / "environments").chmod(mode)
            register(store_root, make(tmp_path / number), id=number * 32, builds=BUILDS)
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in sorted((store_root / "environments").iterdir())]
    assert modes == [0o600, 0o644]


def test_a_moved_host_is_no_news(store_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = make(tmp_path / "venv")
    register(store_root, environment, id=ID, builds=BUILDS)
    monkeypatch.setattr(registry, "vantage", lambda: "elsewhere 1:2")
    assert not register(store_root, environment, id=ID, builds=BUILDS)

"""What has become of a registered environment."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from multisite import whereabouts as module
from multisite.environment import Environment
from multisite.names import BuildId
from multisite.registry import Registration, register, registrations
from multisite.scratch import scratch
from multisite.state import ChosenBuild, EnvironmentState
from multisite.store import Store
from multisite.whereabouts import State, Whereabouts, look_for, since

posix = pytest.mark.skipif(os.name == "nt", reason="folders are held by flock(2)")
STATE = Path(__file__).parent / "data" / "environment_json" / "valid" / "small.json"
BUILDS = [BuildId.parse(f"{name}/1.0/py3-none-any-0123456789abcdef") for name in "ab"]
ID = "0123456789abcdef" * 2


def state(store: Store | Path, id_: str = ID, builds: list[BuildId] = BUILDS) -> EnvironmentState:
    root = store.root if isinstance(store, Store) else store
    return dataclasses.replace(
        EnvironmentState.from_document(STATE.read_bytes(), STATE),
        id=id_,
        store=str(root),
        builds={build.name: ChosenBuild(build=build) for build in builds},
    )


def make(path: Path, store: Store, id_: str = ID) -> Registration:
    """Make an environment, as far as its own documents go, and register it."""
    (path / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    environment = Environment(path=path, site_packages=path, configuration={})
    environment.write_state(state(store, id_))
    register(store.root, environment, id=id_, builds=BUILDS)
    return next(item for item in registrations(store.root) if item.id == id_)


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    return tmp_path / "work" / "project" / ".venv"


@pytest.fixture
def registration(store: Store, venv: Path) -> Registration:
    return make(venv, store)


def document(venv: Path, name: str = "environment.json") -> Path:
    return venv / ".multisite" / name


def damage(venv: Path) -> None:
    document(venv).write_text("{")


def later(venv: Path) -> None:
    document(venv).write_text('{"format": 99}')


def only_announced(venv: Path) -> None:
    document(venv).rename(document(venv, "next.json"))


def linked(venv: Path) -> None:
    document(venv).rename(venv / "elsewhere.json")
    document(venv).symlink_to(venv / "elsewhere.json")


def nothing(venv: Path) -> None:
    pass


@pytest.mark.parametrize("change", [nothing, damage, later, only_announced, linked])
def test_it_is_there(store: Store, venv: Path, registration: Registration, change: Callable[[Path], None]) -> None:
    change(venv)
    found = look_for(registration, store)
    assert (found.state, found.path, found.reason) == (State.THERE, venv, None)
    assert len(found.states) == (change in {nothing, only_announced})


def test_a_sync_that_died_may_have_led_elsewhere(store: Store, venv: Path, registration: Registration) -> None:
    following = state(store, builds=BUILDS[:1])
    document(venv, "next.json").write_bytes(following.to_document())
    assert look_for(registration, store).states == (state(store), following)


def removed(venv: Path) -> None:
    shutil.rmtree(venv)


def project_removed(venv: Path) -> None:
    shutil.rmtree(venv.parent)


def made_anew(venv: Path) -> None:
    shutil.rmtree(venv / ".multisite")


def another_made(venv: Path) -> None:
    document(venv).write_text(document(venv).read_text().replace(ID, "f" * 32))


def a_file(venv: Path) -> None:
    shutil.rmtree(venv)
    venv.touch()


@pytest.mark.parametrize("change", [removed, project_removed, made_anew, another_made, a_file])
def test_it_is_deleted(store: Store, venv: Path, registration: Registration, change: Callable[[Path], None]) -> None:
    change(venv)
    found = look_for(registration, store)
    assert found.state is State.DELETED
    assert not found.state.keeps
    gone = change in {removed, project_removed}
    assert found.reason == (f"there is no {venv}" if gone else f"{venv} is something else now")


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_it_is_moved(store: Store, venv: Path, registration: Registration, depth: int) -> None:
    folder = [venv, *venv.parents][depth]
    folder.rename(folder.with_name("moved"))
    moved = folder.with_name("moved") / venv.relative_to(folder)
    found = look_for(registration, store)
    assert (found.state, found.path, found.reason) == (State.MOVED, moved, f"it is {moved} now")
    assert found.states == (state(store),)


def test_a_copy_of_what_is_gone_is_what_was_moved(store: Store, venv: Path, registration: Registration) -> None:
    shutil.copytree(venv, venv.with_name("copy"))
    assert look_for(registration, store).path == venv
    shutil.rmtree(venv)
    assert look_for(registration, store).path == venv.with_name("copy")


@posix
def test_one_that_is_being_made_counts_while_somebody_is_at_it(
    store: Store, venv: Path, registration: Registration
) -> None:
    with scratch(venv.parent, before=f".{venv.name}.", after=".tmp") as making:
        shutil.copytree(venv, making, symlinks=True, dirs_exist_ok=True)
        left = venv.with_name(f".{venv.name}.0123456789abcdef.tmp")
        venv.rename(left)
        assert (look_for(registration, store).state, look_for(registration, store).path) == (State.MOVED, making)
    assert look_for(registration, store).state is State.DELETED
    left.rename(venv)
    assert look_for(registration, store).state is State.THERE


def unreachable(found: Whereabouts) -> str:
    assert (found.state, found.state.keeps) == (State.UNREACHABLE, True)
    return str(found.reason)


def test_its_disk_is_not_mounted(store: Store, venv: Path, registration: Registration) -> None:
    elsewhere = dataclasses.replace(registration, device=registration.device + 1)
    assert look_for(elsewhere, store).state is State.THERE
    shutil.rmtree(venv)
    assert unreachable(look_for(elsewhere, store)) == f"its disk is not mounted: {venv.parent} is on another"


def test_it_was_seen_from_another_host(store: Store, venv: Path, registration: Registration) -> None:
    elsewhere = dataclasses.replace(registration, host="other 1:2")
    assert look_for(elsewhere, store).state is State.THERE
    shutil.rmtree(venv)
    assert unreachable(look_for(elsewhere, store)) == "it was seen from another host or container (other 1:2)"


def test_an_earlier_registration_knows_no_host(store: Store, venv: Path, registration: Registration) -> None:
    shutil.rmtree(venv)
    assert look_for(dataclasses.replace(registration, host=None), store).state is State.DELETED


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
@pytest.mark.parametrize("call", ["read_note", "_siblings"])
def test_it_cannot_be_seen(
    store: Store, venv: Path, registration: Registration, monkeypatch: pytest.MonkeyPatch, error: OSError, call: str
) -> None:
    def fail(*_: object) -> object:
        raise error

    shutil.rmtree(venv)
    monkeypatch.setattr(module, call, fail)
    assert unreachable(look_for(registration, store)) == f"{venv}: {error.strerror}"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="no file modes bind this account")
def test_a_folder_that_may_not_be_entered(store: Store, venv: Path, registration: Registration) -> None:
    venv.parent.chmod(0)
    try:
        unreachable(look_for(registration, store))
    finally:
        venv.parent.chmod(0o755)


def test_it_uses_another_store(store: Store, venv: Path, registration: Registration, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "other")
    document(venv).write_bytes(state(other).to_document())
    found = look_for(registration, store)
    assert (found.state, found.reason) == (State.ELSEWHERE, f"{venv} uses {other.root}")
    assert not found.state.keeps
    document(venv, "next.json").write_bytes(state(store).to_document())  # and is on its way back
    found = look_for(registration, store)
    assert (found.state, found.states) == (State.THERE, (state(store),))


def test_it_reads_this_store_behind_another(
    store: Store, venv: Path, registration: Registration, tmp_path: Path
) -> None:
    other = Store.open(tmp_path / "other")
    layered = dataclasses.replace(state(other), layers=(str(store.root),))
    document(venv).write_bytes(layered.to_document())
    assert look_for(registration, store).state is State.THERE


def test_this_store_may_have_been_moved(store: Store, venv: Path, registration: Registration, tmp_path: Path) -> None:
    document(venv).write_bytes(state(tmp_path / "where it was").to_document())
    assert look_for(registration, store).state is State.THERE
    shutil.copytree(store.root, tmp_path / "where it was")  # a copy, with the same id: it may be either
    assert look_for(registration, store).state is State.THERE


def test_the_day_for_people(registration: Registration) -> None:
    assert since(dataclasses.replace(registration, seen=86400 * 3)) == "1970-01-04"


def test_only_the_id_of_a_document_matters_where_it_is_damaged(
    store: Store, venv: Path, registration: Registration
) -> None:
    document(venv).write_text(json.dumps({"format": 1, "id": ID}))
    assert look_for(registration, store).state is State.THERE
    document(venv).write_text(json.dumps({"format": 1, "id": "f" * 32}))
    assert look_for(registration, store).state is State.DELETED

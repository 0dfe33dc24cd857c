"""What garbage collection finds, and removes: never what a root reaches, and everything else."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multisite.bootstrap import runtime_digest
from multisite.condemned import Condemnation, CondemnedRecord, condemned, place
from multisite.dispatch import DispatchTable, TableEntry
from multisite.environment import Environment
from multisite.errors import GarbageRefused, InvalidDocument, InvalidRequest
from multisite.garbage import Kind, Plan, lock_name, plan
from multisite.names import BuildId
from multisite.pins import Pin, PinRecord
from multisite.registry import RegisteredLock, Registration, registered, registrations, vantage
from multisite.roots import Keep, Roots, find_roots, named_ids
from multisite.scratch import scratch
from multisite.store import Store
from multisite.sweeping import Sweep, alone, put_back, recover
from multisite.whereabouts import State
from tests.test_whereabouts import ID, make, state

DAY = 24 * 3600
BUILDS = [BuildId.parse(f"{name}/{version}/py3-none-any-0123456789abcdef") for name in "abc" for version in "12"]
KNOWN = "a/1.0/py3-none-any-0123456789abcdef"  # which a registered environment has
SHARED = [letter * 64 for letter in "ab"]
KEYS = [letter * 64 for letter in "0123"]


def build_entry(store: Store, build: BuildId) -> None:
    site = place(store.root, str(build)) / "site-packages"
    site.mkdir(parents=True)
    (site / f"{build.name}.py").write_text(build.version)


def build_alias(store: Store, build: BuildId, *, source: bool = False) -> Path:
    digits = lock_name(f"{build}{source}") * 2
    path = store.root / ("sources" if source else f"artifacts/sha256/{digits[:2]}") / f"{digits}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"format": 1, "entry": str(build), "digest": "0" * 64}))
    return path


def build_shared(store: Store, digest: str) -> None:
    (store.root / "shared" / digest / "site-packages").mkdir(parents=True)


def build_table(store: Store, key: str, builds: list[BuildId] = BUILDS[:0]) -> None:
    table = DispatchTable.compile(
        TableEntry(name=item.name, version=item.version, root="r", dist_info="d", build=item.build) for item in builds
    )
    (store.root / "tables").mkdir(exist_ok=True)
    (store.root / "tables" / key).write_bytes(table.encode())


def register(store: Store, registration: Registration) -> None:
    (store.root / "environments").mkdir(exist_ok=True)
    (store.root / "environments" / f"{registration.id}.json").write_bytes(registration.to_document())


def planned(store: Store, keep: Keep = Keep(), forgetting: frozenset[str] = frozenset()) -> Plan:  # noqa: B008
    return plan(store, find_roots(store, keep, forgetting=forgetting))


def collect(
    store: Store,
    keep: Keep = Keep(),  # noqa: B008
    forgetting: frozenset[str] = frozenset(),
    *,
    before_looking: Callable[[], object] = lambda: None,
) -> frozenset[str]:
    """Collect the garbage; return what was spared after all."""

    def look() -> Roots:
        before_looking()
        return find_roots(store, keep, forgetting=forgetting)

    with alone(store.root, notice=print):
        recover(store.root)
        sweep = Sweep(
            store=store,
            plan=planned(store, keep, forgetting),
            look=look,
            advance=lambda name: None,
        )
        return sweep.carry_out()


def names(store: Store) -> set[str]:
    found = {str(build) for build in store.builds()}
    found |= {f"shared/{path.name}" for path in (store.root / "shared").glob("[!.]*")}
    return found | {f"tables/{path.name}" for path in (store.root / "tables").glob("*")}


def files(store: Store) -> set[str]:
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*") if not path.is_dir()}


# The property.

_Lock: TypeAlias = "tuple[set[BuildId], set[str], str | None]"
_locks = st.tuples(
    st.sets(st.sampled_from(BUILDS), max_size=3), st.sets(st.sampled_from(SHARED)), st.sampled_from([*KEYS, None])
)
_environments = st.tuples(
    st.sampled_from(["there", "unreachable", "deleted", "another host"]),
    _locks,
    st.lists(st.tuples(st.integers(0, 40), _locks), max_size=5),
)


def registration_of(
    folder: Path, number: int, kind: str, lock: _Lock, history: list[tuple[int, _Lock]]
) -> Registration:
    (builds, shared, table), past = lock, history
    now = int(time.time())
    return Registration(
        id=f"{number:032x}",
        path=folder / f"venv{number}",
        device=folder.stat().st_dev + (kind == "unreachable"),
        host="other 1:2" if kind == "another host" else vantage(),
        seen=now,
        builds=tuple(sorted(builds)),
        shared=tuple(sorted(shared)),
        table=table,
        history=tuple(
            RegisteredLock(
                time=now - days * DAY - 60, builds=tuple(sorted(one[0])), shared=tuple(sorted(one[1])), table=one[2]
            )
            for days, one in past
        ),
    )


def reached(registration: Registration, keep: Keep) -> set[str]:
    """Say once more, in other words, what a registration keeps."""
    oldest = time.time() - keep.days * DAY
    by_age = sorted(registration.history, key=lambda item: -item.time)
    locks: list[Registration | RegisteredLock] = [
        registration,
        *by_age[: keep.locks],
        *(item for item in by_age if keep.days and item.time > oldest),
    ]
    found = set()
    for lock in locks:
        found |= {str(build) for build in lock.builds} | {f"shared/{digest}" for digest in lock.shared}
        found |= {f"tables/{lock.table}"} if lock.table else set()
    return found


@settings(deadline=None, max_examples=60)
@given(
    entries=st.sets(st.sampled_from(BUILDS)),
    shared=st.sets(st.sampled_from(SHARED)),
    tables=st.sets(st.sampled_from(KEYS)),
    environments=st.lists(_environments, max_size=3),
    pinned=st.sets(st.sampled_from(BUILDS)),
    dead=st.sets(st.sampled_from(BUILDS)),
    keep=st.sampled_from([Keep(), Keep(locks=0, days=0), Keep(locks=1, days=0), Keep(locks=0, days=20)]),
)
def test_what_a_root_reaches_stays_and_all_else_goes(
    entries: set[BuildId],
    shared: set[str],
    tables: set[str],
    environments: list[tuple[str, _Lock, list[tuple[int, _Lock]]]],
    pinned: set[BuildId],
    dead: set[BuildId],
    keep: Keep,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        store = Store.open(folder / "store")
        for build in entries:
            build_entry(store, build)
        aliases = {build: [build_alias(store, build), build_alias(store, build, source=True)] for build in BUILDS}
        for digest in shared:
            build_shared(store, digest)
        for key in tables:
            build_table(store, key, [BUILDS[0]])
        roots: set[str] = set()
        living: set[str] = set()
        for number, (kind, lock, history) in enumerate(environments):
            registration = registration_of(folder, number, kind, lock, history)
            register(store, registration)
            if kind == "there":
                environment = Environment(path=registration.path, site_packages=folder, configuration={})
                registration.path.mkdir()
                environment.write_state(state(store, registration.id, []))
            if kind != "deleted":
                roots |= reached(registration, keep)
                living.add(registration.id)
                # A lock without the key of its table keeps those with just its builds, and that is [a/1] for all here.
                past = keep.kept(registration.history, time.time())
                locks = [(registration.table, registration.builds), *((item.table, item.builds) for item in past)]
                if (None, (BUILDS[0],)) in locks:
                    roots |= {f"tables/{key}" for key in tables}
        gone = dataclasses.replace(PinRecord.this_process(), started="another boot 1", builds=tuple(sorted(dead)))
        (store.root / "pins").mkdir()
        (store.root / "pins" / "dead.pin").write_bytes(gone.to_document())
        before = names(store)
        with Pin(store.root, ours=False) as pin:
            pin.add(*pinned)
            roots |= set(map(str, pinned))
            expected = planned(store, keep)
            assert collect(store, keep) == frozenset()
            assert not (store.root / "pins" / "dead.pin").exists()
            assert planned(store, keep).doomed == ()
        assert names(store) == before & roots
        assert before - names(store) == {item.name for item in expected.of(Kind.ENTRY, Kind.SHARED, Kind.TABLE)}
        assert {item.id for item in registrations(store.root)} == living
        for build, paths in aliases.items():
            assert {path.exists() for path in paths} == {build in entries and str(build) in roots}
        assert {path.parent.name for path in store.root.rglob(".incoming/*")} == set()
        assert list(condemned(store.root, time.time())) == []


# What else there is to find.


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    return tmp_path / "work" / ".venv"


def old(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (1, 1))
    return path


def dead(store: Store) -> str:
    return dataclasses.replace(PinRecord.this_process(), started="another boot 1").to_document().decode()


LEFT = {
    "multi-site-packages/.incoming/0123456789abcdef/x": Kind.LEFTOVER,
    "shared/.incoming/0123456789abcdef/x": Kind.LEFTOVER,
    "runtime/0123456789abcdef0123456789abcdef/cpython-311/x.pyc": Kind.RUNTIME,
    "runtime/.incoming-0123456789abcdef/x": Kind.LEFTOVER,
    ".store.json.0123456789abcdef.tmp": Kind.LEFTOVER,
    "environments/.x.json.0123456789abcdef.tmp": Kind.LEFTOVER,
    "artifacts/sha256/aa/.x.json.0123456789abcdef.tmp": Kind.LEFTOVER,
    "sources/.x.json.0123456789abcdef.tmp": Kind.LEFTOVER,
    "tables/.x.0123456789abcdef.tmp": Kind.LEFTOVER,
    "condemned/0123456789abcdef.condemned": Kind.LEFTOVER,
    "condemned/.x.condemned.0123456789abcdef.tmp": Kind.LEFTOVER,
    "artifacts/sha256/aa/.x.json.0123456789abcdef.aside": Kind.LEFTOVER,
    "locks/0123456789abcdef0123456789abcdef.lock": Kind.LOCK,
    "artifacts/sha256/aa/damaged.json": Kind.ALIAS,
    "sources/damaged.json": Kind.ALIAS,
}


@pytest.mark.parametrize(("path", "kind"), LEFT.items(), ids=LEFT)
def test_what_killed_commands_left(store: Store, path: str, kind: Kind) -> None:
    before = files(store)
    old(store.root / path, "{")
    assert [item.kind for item in planned(store).doomed] == [kind]
    collect(store)
    assert files(store) - before <= {"locks/gc.lock"}
    assert planned(store).doomed == ()


def test_temporary_files_of_an_entry_that_stays(store: Store, venv: Path) -> None:
    build_entry(store, BUILDS[0])
    make(venv, store)
    (registration,) = registrations(store.root)
    register(store, dataclasses.replace(registration, builds=(BUILDS[0],)))
    left = old(place(store.root, str(BUILDS[0])) / ".manifest.json.0123456789abcdef.tmp")
    collect(store)
    assert not left.exists()
    assert names(store) == {str(BUILDS[0])}


@pytest.mark.parametrize(
    "name", ["x.cpython-311.pyc.4711.140234", "x.cpython-311.pyc.140234", ".x.pyc.0123456789abcdef.tmp"]
)
def test_bytecode_that_nobody_finished(store: Store, venv: Path, name: str) -> None:
    build_entry(store, BUILDS[0])
    make(venv, store)
    (registration,) = registrations(store.root)
    register(store, dataclasses.replace(registration, builds=(BUILDS[0],)))
    site = place(store.root, str(BUILDS[0])) / "site-packages"
    old(site / "x-1.0.dist-info" / "RECORD")
    folder = site / "package" / "__pycache__"
    brought, left, finished = old(folder / f"brought{name}"), old(folder / name), old(folder / "x.cpython-311.pyc")
    for path in (left, finished):
        os.utime(path, (2, 2))
    writing = folder / f"new{name}"
    writing.touch()
    assert [item.path for item in planned(store).doomed] == [left]
    collect(store)
    assert set(folder.iterdir()) == {brought, finished, writing}


def test_empty_folders(store: Store) -> None:
    for path in ("multi-site-packages/a/1", "multi-site-packages/b", "artifacts/sha256/aa"):
        (store.root / path).mkdir(parents=True)
    assert len(planned(store).doomed) == 3
    collect(store)
    collect(store)
    assert list((store.root / "multi-site-packages").iterdir()) == []
    assert list((store.root / "artifacts" / "sha256").iterdir()) == []


STAYS = [
    "multi-site-packages/Strange Name/x",
    "multi-site-packages/.incoming/mine/x",
    "tables/mine",
    "shared/mine/x",
    "runtime/mine/x",
    "locks/store.lock",
    "locks/mine.lock",
    "mine/x",
]


@pytest.mark.parametrize("path", STAYS)
def test_what_is_not_known_stays(store: Store, path: str) -> None:
    old(store.root / path)
    assert planned(store).doomed == ()
    collect(store)
    assert (store.root / path).exists()


def test_what_is_being_written_stays(store: Store) -> None:
    (store.root / "environments").mkdir()
    writing = store.root / "environments" / ".x.json.0123456789abcdef.tmp"
    writing.touch()
    with scratch(store.root / "multi-site-packages" / ".incoming") as folder:
        assert planned(store).doomed == ()
        collect(store)
        assert folder.exists()
        assert writing.exists()


def test_lock_files_that_somebody_holds_stay(store: Store) -> None:
    path = old(store.root / "locks" / f"{'0' * 32}.lock")
    import fcntl

    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        collect(store)
        assert path.exists()
    collect(store)
    assert not path.exists()


def test_lock_files_of_entries_that_stay(store: Store) -> None:
    build_entry(store, BUILDS[0])
    path = old(store.root / "locks" / f"{lock_name(str(BUILDS[0]))}.lock")
    with Pin(store.root) as pin:
        pin.add(BUILDS[0])
        assert planned(store).doomed == ()
    collect(store)
    assert not path.exists()


def test_the_start_up_code_of_this_release_stays(store: Store) -> None:
    path = old(store.root / "runtime" / runtime_digest() / "cpython-311" / "x.pyc")
    collect(store)
    assert path.exists()


def test_an_alias_of_a_later_format_stays(store: Store) -> None:
    path = old(store.root / "sources" / "x.json", '{"format": 2}')
    collect(store)
    assert path.exists()


def test_what_is_freed(store: Store) -> None:
    for build in BUILDS[:3]:
        build_entry(store, build)
    one, other, third = (place(store.root, str(build)) / "site-packages" for build in BUILDS[:3])
    (one / "big").write_bytes(b"x" * 100_000)
    os.link(one / "big", other / "big")
    (one / "with one that stays").write_bytes(b"x" * 200_000)
    os.link(one / "with one that stays", third / "file")
    with Pin(store.root) as pin:
        pin.add(BUILDS[2])
        found = planned(store)
    assert [item.name for item in found.doomed] == [str(BUILDS[0]), str(BUILDS[1])]
    assert found.footprint.bytes == 400_002
    assert found.footprint.files == 5
    assert 100_000 < found.footprint.freed < 200_000


# Names.


def test_a_damaged_registration_stops_it_and_can_be_named(store: Store, venv: Path) -> None:
    make(venv, store)
    build_entry(store, BUILDS[0])
    path = store.root / "environments" / f"{ID}.json"
    path.write_text("{")
    with pytest.raises(InvalidDocument) as caught:
        collect(store)
    assert f"multisite gc --forget {ID}" in str(caught.value.hint)
    assert names(store) == {str(BUILDS[0])}
    collect(store, forgetting=named_ids(store, [ID]))
    assert names(store) == set()
    assert not path.exists()


@pytest.mark.parametrize("by", ["id", "path"])
def test_what_is_out_of_reach_can_be_named(store: Store, venv: Path, by: str) -> None:
    registration = dataclasses.replace(make(venv, store), device=0)
    register(store, registration)
    shutil.rmtree(venv)
    build_entry(store, registration.builds[0])
    collect(store)
    assert names(store) == {str(registration.builds[0])}
    collect(store, forgetting=named_ids(store, [ID if by == "id" else str(venv)]))
    assert names(store) == set()
    assert registered(store.root, ID) is None


def test_what_is_there_cannot_be_forgotten(store: Store, venv: Path) -> None:
    make(venv, store)
    with pytest.raises(InvalidRequest, match="the environment is there and uses the store"):
        named_ids(store, [ID])


@pytest.mark.parametrize("word", ["f" * 32, "nowhere"])
def test_what_is_not_registered_cannot_be_forgotten(store: Store, word: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        named_ids(store, [word])
    assert str(caught.value) == f"{word}: no environment is registered with that path or id"


# Others at work.


def test_what_is_pinned_after_the_plan_is_spared(store: Store) -> None:
    for build in BUILDS[:2]:
        build_entry(store, build)
    alias = build_alias(store, BUILDS[0])
    record = dataclasses.replace(PinRecord.this_process(), builds=(BUILDS[0],))
    pin = store.root / "pins" / "x.pin"
    pin.parent.mkdir()
    assert collect(store, before_looking=lambda: pin.write_bytes(record.to_document())) == {str(BUILDS[0])}
    assert names(store) == {str(BUILDS[0])}
    assert alias.exists()


def test_what_is_registered_after_the_plan_is_spared(store: Store, venv: Path) -> None:
    build = BuildId.parse(KNOWN)
    build_entry(store, build)
    assert collect(store, before_looking=lambda: make(venv, store)) == {KNOWN}
    assert names(store) == {KNOWN}


def test_an_environment_that_comes_back_is_spared(store: Store, venv: Path) -> None:
    registration = make(venv, store)
    build_entry(store, registration.builds[0])
    venv.rename(venv.with_name("hidden"))
    (venv.with_name("hidden") / ".multisite").rename(venv.with_name("aside"))

    def come_back() -> None:
        venv.with_name("aside").rename(venv.with_name("hidden") / ".multisite")
        venv.with_name("hidden").rename(venv)

    assert [item.kind for item in planned(store).doomed] == [Kind.ENTRY, Kind.ENVIRONMENT]
    assert collect(store, before_looking=come_back) == {str(registration.builds[0])}
    assert names(store) == {str(registration.builds[0])}
    assert registered(store.root, ID) == registration


def test_a_registration_that_is_written_anew_is_kept(store: Store, venv: Path, tmp_path: Path) -> None:
    make(venv, store)
    build_entry(store, BuildId.parse(KNOWN))
    shutil.rmtree(venv.parent)
    assert collect(store, before_looking=lambda: make(tmp_path / "moved", store)) == {KNOWN}
    assert names(store) == {KNOWN}
    found = registered(store.root, ID)
    assert found is not None
    assert found.path == tmp_path / "moved"


def test_an_entry_that_is_published_again_keeps_its_alias(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    build_entry(store, BUILDS[0])
    alias = build_alias(store, BUILDS[0])
    leads = Sweep._leads_somewhere

    def published(self: Sweep, aside: Path) -> bool:
        assert not alias.exists()
        build_entry(store, BUILDS[0])
        return leads(self, aside)

    monkeypatch.setattr(Sweep, "_leads_somewhere", published)
    collect(store)
    assert alias.exists()
    assert names(store) == {str(BUILDS[0])}


def test_what_takes_too_long_is_not_carried_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    build_entry(store, BUILDS[0])
    monkeypatch.setattr(Condemnation, "is_heard", property(lambda self: False))
    with pytest.raises(GarbageRefused) as caught:
        collect(store)
    assert caught.value.hint == "run the same command again"
    assert names(store) == {str(BUILDS[0])}
    assert list(condemned(store.root, time.time())) == []


@pytest.mark.parametrize("newer", [False, True])
def test_a_killed_one_was_looking_at_a_registration(store: Store, venv: Path, newer: bool) -> None:
    registration = make(venv, store)
    path = store.root / "environments" / f"{ID}.json"
    path.rename(path.with_suffix(".dropped"))
    if newer:
        register(store, dataclasses.replace(registration, seen=5))
    collect(store)
    found = registered(store.root, ID)
    assert found is not None
    assert (found.seen == 5) is newer
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_registration_comes_back_without_links(store: Store, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registration = make(venv, store)
    path = store.root / "environments" / f"{ID}.json"
    path.rename(path.with_suffix(".dropped"))

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    put_back(path.with_suffix(".dropped"))
    assert registered(store.root, ID) == registration


@pytest.mark.parametrize("name", ["ENOTSUP", "ENOLCK", "ENOSYS", "EINVAL"])
def test_a_filesystem_without_locks(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    import errno
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(getattr(errno, name), name)

    monkeypatch.setattr(fcntl, "flock", refuse)
    build_entry(store, BUILDS[0])
    with pytest.raises(GarbageRefused) as caught:
        collect(store)
    assert "files cannot be locked on its filesystem" in str(caught.value)
    assert names(store) == {str(BUILDS[0])}


def test_the_condemnation_of_another_host_stays(store: Store) -> None:
    record = CondemnedRecord(host="elsewhere", pid=1, started=None, time=int(time.time()), names=frozenset({"x"}))
    (store.root / "condemned").mkdir()
    (store.root / "condemned" / "x.condemned").write_bytes(record.to_document())
    assert planned(store).doomed == ()


def test_an_environment_that_left_for_another_store(store: Store, venv: Path, tmp_path: Path) -> None:
    registration = make(venv, store)
    build_entry(store, registration.builds[0])
    other = Store.open(tmp_path / "other")
    (venv / ".multisite" / "environment.json").write_bytes(state(other).to_document())
    assert [item.state for item in planned(store).roots.environments] == [State.ELSEWHERE]
    collect(store)
    assert names(store) == set()
    assert registered(store.root, ID) is None

"""What others could have changed is not used: by mode, by owner, by links, in the store and on the way to it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from multisite.errors import InvalidRequest, NotTrusted
from multisite.opening import MARK, is_open
from multisite.trust import Trust
from tests.builders import write_tree
from tests.container import NOBODY, Container, can_be_made, open_folder
from tests.machine import Done, Machine

pytestmark = pytest.mark.skipif(os.name == "nt", reason="file modes mean nothing there")
needs_root = pytest.mark.skipif(os.name != "nt" and os.geteuid() != 0, reason="only root gives files away")
needs_container = pytest.mark.skipif(not can_be_made(), reason="containers need root")

OTHER = 54321  # a user and a group that nobody is
PROBE = "import alpha, beta; print(alpha.version, beta.version, beta.__file__.split('/multi-site-packages')[0])"


def write(path: str, mode: int) -> Callable[[Path], None]:
    return lambda root: (root / path).chmod(mode)


def give(path: str, user: int, group: int = 0) -> Callable[[Path], None]:
    return lambda root: os.lchown(root / path, user, group)


def link(path: str) -> Callable[[Path], None]:
    def replaced(root: Path) -> None:
        (root / path).rename(root / "elsewhere")
        (root / path).symlink_to(root / "elsewhere")

    return replaced


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder in the shape of a store, in one of its own."""
    tmp_path.chmod(0o755)
    folder = write_tree(tmp_path / "above" / "store", {"a": {"b": {"c": "", "d": ""}}, "environments": {}})
    for path in [folder.parent, folder, *folder.rglob("*")]:
        path.chmod(0o755)
    (folder / "environments").chmod(MARK)
    return folder


SOUND = {
    "all is as it should be": write("a", 0o755),
    "nobody else reads it": write("a/b", 0o700),
    "what is not on the way": write("a/b/d", 0o666),
    "the sticky folder that a store has": write("environments", MARK),
}
UNSOUND = {
    "a file for all": (write("a/b/c", 0o646), "a/b/c", "everybody may change it"),
    "a folder for all": (write("a", 0o757), "a", "everybody may change it"),
    "a sticky folder": (write("a", 0o1757), "a", "everybody may change it"),
    "the store for all": (write(".", 0o757), ".", "everybody may change it"),
    "the folder above": (write("..", 0o757), "..", "everybody may change it"),
    "a link": (link("a/b"), "a/b", "it is a link, and a store has none there"),
    "a link at the end": (link("a/b/c"), "a/b/c", "it is a link, and a store has none there"),
}
OWNED = {
    "a file of another": (give("a/b/c", OTHER), "a/b/c", f"it belongs to {OTHER} and has mode 0755"),
    "a folder of another": (give("a", OTHER), "a", f"it belongs to {OTHER}"),
    "the store of another": (give(".", OTHER), ".", f"it belongs to {OTHER}"),
    "the folder above of another": (give("..", OTHER), "..", f"it belongs to {OTHER}"),
}


def doubt(trust: Trust, root: Path) -> str | None:
    found = trust.doubt_of_place(root) or trust.doubt(root, ["a/b/c", "environments", "missing/x"])
    return None if found is None else str(found)


@pytest.mark.parametrize("change", SOUND.values(), ids=SOUND.keys())
def test_what_is_sound(root: Path, change: Callable[[Path], None]) -> None:
    change(root)
    assert doubt(Trust(), root) is None


@pytest.mark.parametrize(("change", "path", "reason"), UNSOUND.values(), ids=UNSOUND.keys())
def test_what_others_could_have_changed(root: Path, change: Callable[[Path], None], path: str, reason: str) -> None:
    change(root)
    said = doubt(Trust(), root)
    assert said is not None
    assert os.path.normpath(said.partition(": ")[0]) == os.path.normpath(root / path)
    assert reason in said


@needs_root
@pytest.mark.parametrize(("change", "path", "reason"), OWNED.values(), ids=OWNED.keys())
def test_what_belongs_to_others(root: Path, change: Callable[[Path], None], path: str, reason: str) -> None:
    change(root)
    said = doubt(Trust(), root)
    assert said is not None
    assert os.path.normpath(said.partition(": ")[0]) == os.path.normpath(root / path)
    assert reason in said
    assert doubt(Trust.of({"MULTISITE_TRUST": f"root, {OTHER}"}), root) is None


@needs_root
def test_a_group(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        os.lchown(path, 0, OTHER)
    (root / "a").chmod(0o775)
    found = Trust().doubt(root, ["a"])
    assert found is not None
    assert found.reason == f"it belongs to root and has mode 0775, so the group {OTHER} may change it"
    assert found.fix == f"chmod -R go-w {root}/a; or where you trust them: MULTISITE_TRUST=group:{OTHER}"
    trust = Trust.of({"MULTISITE_TRUST": f"group:{OTHER}"})
    assert trust.doubt(root, ["a"]) is None
    # Its members' files as well, but nothing that all may write to.
    os.lchown(root / "a" / "b", NOBODY, OTHER)
    assert trust.doubt(root, ["a/b"]) is None
    (root / "a" / "b").chmod(0o777)
    assert Trust.of({"MULTISITE_TRUST": f"group:{OTHER}"}).doubt(root, ["a/b/c"]) is not None


@needs_root
def test_a_link_that_leads_to_the_store_and_is_another_s(root: Path) -> None:
    way = root.parent.parent / "way"
    way.symlink_to(root)
    assert Trust().doubt_of_place(way) is None
    os.lchown(way, OTHER, OTHER)
    found = Trust().doubt_of_place(way)
    assert found is not None
    assert found.path == way


@pytest.mark.parametrize("text", ["no-such-user", "root,group:no-such-group"])
def test_who_is_not_known(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"MULTISITE_TRUST names .*no-such"):
        Trust.of({"MULTISITE_TRUST": text})


# Commands.


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        machine.wheel("alpha", requires=["beta"])
        machine.wheel("beta")
        machine.wheel("beta", "2.0")
        yield machine


@pytest.fixture
def system(machine: Machine) -> Path:
    folder = machine.folder / "system"
    machine.run("lock", "beta==1.0", "--store", folder, "--venv", "admin").succeeded()
    machine.variables["MULTISITE_STORE"] = os.pathsep.join(map(str, (machine.store, folder)))
    return folder


DOUBTFUL = {
    "the entry": ("multi-site-packages/beta/1.0/*", 0o777),
    "its site-packages": ("multi-site-packages/beta/1.0/*/site-packages", 0o777),
    "its manifest": ("multi-site-packages/beta/1.0/*/manifest.json", 0o666),
    "its RECORD": ("multi-site-packages/beta/1.0/*/site-packages/*.dist-info/RECORD", 0o666),
    "its version": ("multi-site-packages/beta/1.0", 0o777),
    "the entries": ("multi-site-packages", 0o777),
    "the alias": ("artifacts/sha256/*/*.json", 0o666),
    "the folder of the alias": ("artifacts/sha256/*", 0o777),
}


@pytest.mark.parametrize(("pattern", "mode"), DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_what_is_doubtful_in_a_lower_store_is_got_anew(machine: Machine, system: Path, pattern: str, mode: int) -> None:
    for path in system.glob(pattern):
        path.chmod(mode)
    done = machine.run("lock", "alpha", "beta==1.0").succeeded()
    assert re.search(r"it belongs to .* and has mode 0\d+, so everybody may change it; it is not used", done.err)
    assert machine.python(PROBE).out == f"1.0 1.0 {machine.store}\n"


def test_what_is_doubtful_in_the_first_store_is_an_error(machine: Machine) -> None:
    machine.run("lock", "beta==1.0").succeeded()
    (entry,) = machine.store.glob("multi-site-packages/beta/1.0/*")
    entry.chmod(0o777)
    doctor = machine.run("doctor", "--json")
    assert doctor.code == 1
    first, *_ = doctor.json["findings"]
    assert (first["check"], first["subject"]) == ("store-untrusted", str(entry))
    done = machine.run("sync")
    assert done.code == 3
    owner = "root" if os.geteuid() == 0 else entry.owner()
    assert done.err.splitlines()[-2:] == [
        f"error: {entry}: it belongs to {owner} and has mode 0777, so everybody may change it; it is not used",
        f"next: chmod -R go-w {entry}",
    ]
    entry.chmod(0o755)
    machine.run("sync").succeeded()
    assert machine.run("doctor").code == 0


@needs_root
def test_a_store_of_somebody_else(machine: Machine, system: Path) -> None:
    for path in [system, *system.rglob("*")]:
        os.lchown(path, OTHER, OTHER)
    done = machine.run("lock", "beta==1.0")
    assert done.code == 3
    assert f"error: {system}: it belongs to {OTHER}" in done.err
    assert done.err.endswith(f"next: where you trust them: MULTISITE_TRUST={OTHER}\n")
    machine.variables["MULTISITE_TRUST"] = str(OTHER)
    machine.run("lock", "alpha", "beta==1.0").succeeded()
    assert machine.python(PROBE).out == f"1.0 1.0 {system}\n"
    assert machine.run("doctor").code == 0
    machine.variables["MULTISITE_TRUST"] = ""
    assert machine.run("doctor").out.count("[store-untrusted]") >= 1


@needs_root
def test_the_system_s_store_is_left_out_where_it_is_not_trusted(machine: Machine) -> None:
    share = machine.folder / "share"
    machine.variables |= {"MULTISITE_STORE": "", "XDG_DATA_DIRS": str(share)}
    machine.run("lock", "beta==1.0", "--store", share / "multisite", "--venv", "admin").succeeded()
    os.lchown(share / "multisite", OTHER, OTHER)
    done = machine.run("lock", "beta==1.0").succeeded()
    assert f"{share}/multisite" in done.err
    assert machine.state.layers == ()


def test_a_planted_link(machine: Machine, system: Path) -> None:
    (version,) = system.glob("multi-site-packages/beta/1.0")
    version.rename(machine.folder / "planted")
    version.symlink_to(machine.folder / "planted")
    done = machine.run("lock", "alpha", "beta==1.0").succeeded()
    assert f"{version}: it is a link, and a store has none there; it is not used" in done.err
    assert machine.python(PROBE).out == f"1.0 1.0 {machine.store}\n"


@pytest.mark.parametrize("what", ["the table", "its folder", "the store", "a link"])
def test_a_table_that_others_could_have_changed_is_not_taken_up_at_start(machine: Machine, what: str) -> None:
    machine.run("lock", "beta==1.0").succeeded()
    first, tables = machine.lockfile.read_bytes(), machine.store / "tables"
    (table,) = tables.iterdir()
    machine.run("lock", "beta==2.0").succeeded()
    machine.lockfile.write_bytes(first)
    assert machine.python("import beta; print(beta.version)").out == "1.0\n"
    if what == "a link":
        table.rename(machine.folder / "planted")
        table.symlink_to(machine.folder / "planted")
    else:
        path = {"the table": table, "its folder": tables, "the store": machine.store}[what]
        path.chmod(path.stat().st_mode | 0o002)
    done = machine.python("import beta; print(beta.version)")
    assert done.out == "2.0\n"
    said, due = done.err.splitlines()
    assert said.startswith(f"multisite: {machine.venv}: a table is not used, for others may have changed it: ")
    assert due.startswith(f"multisite: {machine.venv}: the lockfile has changed since the environment was made from it")


@needs_root
def test_a_table_of_another_account(machine: Machine) -> None:
    machine.run("lock", "beta==1.0").succeeded()
    first = machine.lockfile.read_bytes()
    (table,) = (machine.store / "tables").iterdir()
    machine.run("lock", "beta==2.0").succeeded()
    machine.lockfile.write_bytes(first)
    os.lchown(table, OTHER, OTHER)
    assert machine.python("import beta; print(beta.version)").out == "2.0\n"
    machine.lockfile.write_bytes(b"")
    machine.variables["MULTISITE_TRUST"] = str(OTHER)
    machine.run("lock", "beta==2.0").succeeded()  # whom one trusts is noted where start-up reads it
    machine.lockfile.write_bytes(first)
    assert machine.python("import beta; print(beta.version)").out == "1.0\n"


def test_bytecode_of_the_start_up_code_that_others_could_have_changed(machine: Machine) -> None:
    machine.run("lock", "beta==1.0").succeeded()
    for path in machine.store.glob("runtime/*/*/*.pyc"):
        path.write_bytes(b"planted")
        path.chmod(0o666)
    machine.run("lock", "beta==1.0", "--venv", "other").succeeded()
    copied = list((machine.work / "other" / ".multisite" / "runtime").glob("*/__pycache__/*"))
    assert copied
    assert not [path for path in copied if path.read_bytes() == b"planted"]


# A store that is open to others.


def modes(root: Path) -> set[int]:
    return {path.lstat().st_mode & 0o7777 for path in root.rglob("*") if path.parts[-1] not in {"environments", "pins"}}


@contextmanager
def umask(number: int) -> Iterator[None]:
    before = os.umask(number)
    try:
        yield
    finally:
        os.umask(before)


def test_opening_a_store(machine: Machine) -> None:
    with umask(0o077):
        machine.run("lock", "beta==1.0").succeeded()
        assert not is_open(machine.store)
        assert modes(machine.store) <= {0o700, 0o600}
        planned = machine.run("share", "--dry-run", "--json").json
        assert modes(machine.store) <= {0o700, 0o600}
        done = machine.run("share", "--json").json
    assert done == planned
    assert is_open(machine.store)
    assert modes(machine.store) <= {0o755, 0o644}
    again = machine.run("share", "--json").json
    assert (again["modes"], again["closed"]) == ({}, planned["closed"])


def test_what_is_put_into_an_open_store_is_readable_by_all(machine: Machine) -> None:
    machine.run("share")
    with umask(0o077):
        machine.run("lock", "alpha", "beta==1.0").succeeded()
    readable = {path for path in machine.store.rglob("*") if path.stat().st_mode & 0o044 == 0o044}
    hidden = {path.relative_to(machine.store).parts[0] for path in set(machine.store.rglob("*")) - readable}
    assert hidden <= {"locks"}
    assert not [path for path in machine.store.rglob("*") if path.stat().st_mode & 0o022 and path.name not in OPENED]
    # Nothing else is more open than the umask says.
    assert (machine.venv / ".multisite" / "environment.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [0, 0o002])
def test_nothing_of_a_store_can_be_written_by_others(machine: Machine, number: int) -> None:
    with umask(number):
        machine.run("lock", "alpha", "beta==1.0").succeeded()
        machine.run("lock", "beta==2.0").succeeded()
        for path in machine.store.glob("multi-site-packages/beta/*/*/artifacts.json"):
            path.unlink()
        for path in machine.store.rglob("alpha.py"):
            path.write_text("damaged")
        machine.run("verify", "--repair")
        machine.run("dedup", "--links").succeeded()
        machine.run("dedup", "--publishing", "links").succeeded()
        machine.run("gc", "--now", "--force").succeeded()
        machine.run("sync").succeeded()
    paths = [machine.store, *machine.store.rglob("*")]
    assert [str(path) for path in paths if path.lstat().st_mode & 0o022] == []


OPENED = {"environments", "pins"}


# Two accounts.


@pytest.fixture
def shared() -> Iterator[Machine]:
    """Return root's machine, with an open store that has beta, in a folder that every account reaches."""
    with open_folder() as folder, Machine.opened(folder / "machine") as machine:
        machine.wheel("alpha", requires=["beta"])
        machine.wheel("beta")
        machine.run("lock", "beta").succeeded()
        machine.run("share")
        machine.run("lock", "alpha", "--store", folder / "aside", "--venv", "aside").succeeded()
        shutil.copy(machine.work / "aside" / "pylock.toml", machine.folder / "pylock.toml")
        (folder / "theirs").mkdir()
        os.chown(folder / "theirs", NOBODY, NOBODY)
        yield machine


def as_nobody(shared: Machine, *command: str | Path, **variables: str) -> Done:
    theirs = shared.folder.parent / "theirs"
    container = Container(user=NOBODY, interpreters=[Path(os.path.realpath(sys.executable)).parents[1]])
    environ = {"HOME": str(theirs), "MULTISITE_STORE": f"{theirs}/store:{shared.store}", **variables}
    return container.run(*command, environ=environ)


def multisite(shared: Machine, *words: str | Path, **variables: str) -> Done:
    done = as_nobody(shared, sys.executable, "-c", "import multisite.cli")
    if done.code != 0:
        pytest.skip(f"another account cannot read this installation: {done.err.splitlines()[-1]}")
    venv = shared.folder.parent / "theirs" / "venv"
    return as_nobody(shared, sys.executable, "-m", "multisite", *words, "--venv", venv, **variables)


@needs_container
def test_another_account_uses_an_open_store(shared: Machine) -> None:
    theirs = shared.folder.parent / "theirs"
    multisite(shared, "sync", shared.folder / "pylock.toml").succeeded()
    done = as_nobody(shared, theirs / "venv" / "bin" / "python", "-c", PROBE)
    assert (done.out, done.err) == (f"1.0 1.0 {shared.store}\n", "")
    assert multisite(shared, "doctor").out == ""
    noted = [path for path in (shared.store / "environments").iterdir() if path.stat().st_uid == NOBODY]
    assert [f'"{theirs}/venv"' in path.read_text() for path in noted] == [True]
    # Root's next commands go on as before.
    shared.run("sync").succeeded()
    assert shared.run("doctor").code == 0


@needs_container
def test_another_account_uses_a_store_that_is_only_readable(shared: Machine) -> None:
    for name in OPENED:
        (shared.store / name).chmod(0o755)
    multisite(shared, "sync", shared.folder / "pylock.toml").succeeded()
    assert multisite(shared, "doctor").code == 0


@needs_container
def test_another_account_s_store_is_refused_to_root(shared: Machine) -> None:
    multisite(shared, "sync", shared.folder / "pylock.toml").succeeded()
    store = shared.folder.parent / "theirs" / "store"
    done = shared.run("sync", shared.folder / "pylock.toml", "--venv", "another", "--store", store)
    assert done.code == 3
    assert "so what it says is theirs to decide; it is not used" in done.err
    assert not (shared.work / "another").exists()


@needs_container
def test_nobody_fills_a_store_for_others(shared: Machine) -> None:
    done = multisite(shared, "sync", shared.folder / "pylock.toml", MULTISITE_STORE=str(shared.store))
    assert done.code == 3
    assert f"error: store {shared.store}: it may not be written to, and has no alpha\n" in done.err


def test_the_error_is_one_of_ours_and_the_system_s() -> None:
    error = NotTrusted("/store/a", "it is a link", hint="rm /store/a")
    assert isinstance(error, PermissionError)
    assert (str(error), error.hint) == ("/store/a: it is a link; it is not used", "rm /store/a")

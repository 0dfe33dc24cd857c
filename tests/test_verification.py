"""Which stores ``verify`` looks at: the first, what is this account's behind it, or those that are named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import Machine

posix = pytest.mark.skipif(os.name == "nt", reason="owners of POSIX")
OTHER = 54321  # a user that nobody is


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
def lower(machine: Machine) -> Path:
    """Return a second store, behind the first, with a damaged file."""
    machine.wheel("alpha")
    machine.wheel("beta")
    folder = machine.folder / "lower"
    machine.run("lock", "beta", "--store", folder, "--venv", machine.work / "other").succeeded()
    machine.run("lock", "alpha").succeeded()
    (damaged,) = folder.glob("multi-site-packages/beta/*/*/site-packages/beta.py")
    damaged.write_text("version = 'another'\n")
    machine.variables["MULTISITE_STORE"] = os.pathsep.join([str(machine.store), str(folder)])
    return folder


def test_an_own_store_behind_the_first_is_verified_and_mended(machine: Machine, lower: Path) -> None:
    found = machine.run("verify", "--json")
    assert found.code == 1
    assert (found.json["store"], found.json["stores"]) == (str(machine.store), [str(machine.store), str(lower)])
    assert found.json["entries"] == 2
    (finding,) = found.json["findings"]
    assert finding["message"].endswith("site-packages/beta.py has 20 bytes instead of 16")
    assert finding["fix"] == f"multisite verify --repair beta --store {lower}"
    done = machine.run("verify", "--repair", "beta")
    assert done.code == 0
    assert f"{lower}: 1 entries" in done.err
    assert "1 mended, nothing is wrong any more" in done.err
    assert machine.run("verify").code == 0


@posix
@pytest.mark.skipif(os.name != "nt" and os.geteuid() != 0, reason="only root gives files away")
def test_another_account_s_store_is_named_and_left(machine: Machine, lower: Path) -> None:
    machine.variables["MULTISITE_TRUST"] = str(OTHER)
    for path in [lower, *lower.rglob("*")]:
        os.lchown(path, OTHER, OTHER)
    done = machine.run("verify")
    assert done.code == 0
    reason = f"it is another account's; to verify it all the same: multisite verify --store {lower}"
    assert f"not verified: {lower}: {reason}" in done.err
    assert machine.run("verify", "--store", lower).code == 1


def test_one_that_is_named_is_the_only_one(machine: Machine, lower: Path) -> None:
    found = machine.run("verify", "--json", "--store", machine.store)
    assert (found.code, found.json["stores"]) == (0, [str(machine.store)])


def test_one_that_is_missing(machine: Machine, lower: Path) -> None:
    gone = machine.folder / "gone"
    machine.variables["MULTISITE_STORE"] = os.pathsep.join([str(machine.store), str(gone)])
    done = machine.run("verify")
    assert (done.code, f"not verified: {gone}: there is no store" in done.err) == (0, True)
    done = machine.run("verify", "--store", machine.store, "--store", gone)
    assert (done.code, f"error: store {gone}: there is no store" in done.err) == (3, True)


def test_a_name_that_no_store_has(machine: Machine, lower: Path) -> None:
    done = machine.run("verify", "gamma")
    assert done.code == 2
    assert f"gamma: nothing of that name is in {machine.store}, {lower}" in done.err


@posix
@pytest.mark.parametrize(
    ("account", "named", "mode"),
    [(1000, None, 0o700), (1000, "", 0o700), (0, None, 0o755), (1000, "elsewhere", 0o755)],
    ids=["one's own", "one's own before others", "root's", "named"],
)
def test_who_may_enter_a_new_store(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, account: int, named: str | None, mode: int
) -> None:
    machine.wheel("alpha")
    own = machine.folder / "home" / ".local" / "share" / "multisite"
    store = machine.folder / named if named else own
    machine.variables["MULTISITE_STORE"] = "" if named is None else str(store) if named else os.pathsep
    monkeypatch.setattr(os, "geteuid", lambda: account)
    machine.run("lock", "alpha").succeeded()
    assert store.stat().st_mode & 0o777 == mode
    machine.run("share", "--store", store)
    assert store.stat().st_mode & 0o777 == 0o755

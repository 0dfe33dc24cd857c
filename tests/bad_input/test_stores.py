"""Places that cannot be a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import builders
from tests.bad_input.case import Case, Cases, Words

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases()


def _store(machine: Machine, document: str) -> Words:
    (machine.store / "store.json").write_text(document)
    return ["lock", "alpha"]


@bad(3, "store ROOT/file: not a folder", "choose another: --store DIR or MULTISITE_STORE")
def a_store_that_is_a_file(machine: Machine) -> Words:
    (machine.folder / "file").write_text("precious")
    return ["lock", "alpha", "--store", machine.folder / "file"]


@bad(3, "store ROOT/file/store: Not a directory", "choose another: --store DIR or MULTISITE_STORE")
def a_store_below_a_file(machine: Machine) -> Words:
    (machine.folder / "file").write_text("precious")
    return ["lock", "alpha", "--store", machine.folder / "file" / "store"]


@bad(
    3, "store ROOT/photos: no store, and not empty: it holds cat.jpg", "choose another: --store DIR or MULTISITE_STORE"
)
def a_store_in_a_folder_of_something_else(machine: Machine) -> Words:
    return ["lock", "alpha", "--store", builders.write_tree(machine.folder / "photos", {"cat.jpg": "precious"})]


@bad(
    3,
    "ROOT/store/store.json: store has format 2; this multisite knows format 1",
    "upgrade multisite: pip install --upgrade multisite",
    states=("new",),
)
def a_store_of_a_later_format(machine: Machine) -> Words:
    return _store(machine, '{"format": 2, "id": "x", "min_writer": 2}')


@bad(
    3,
    "ROOT/store: store, to write to it, has format 2; this multisite knows format 1",
    "upgrade multisite: pip install --upgrade multisite",
    states=("new",),
)
def a_store_that_only_later_releases_write_to(machine: Machine) -> Words:
    return _store(machine, f'{{"format": 1, "id": "{"0" * 32}", "min_writer": 2}}')


@bad(
    3,
    "ROOT/store/store.json: not a valid store: not JSON at line 1, column 13: Expecting ',' delimiter",
    "move cat.jpg elsewhere, which is nothing of a store's, then: multisite sync",
    states=("new",),
)
def a_store_whose_description_is_damaged(machine: Machine) -> Words:
    (machine.store / "cat.jpg").write_text("precious")
    return _store(machine, '{"format": 1')


@bad(
    3,
    "store ROOT/store: it may not be written to, and has no alpha",
    "have its owner lock or sync that there, or put a store of your own before it: MULTISITE_STORE=DIR:ROOT/store",
    states=("new",),
    unprivileged=True,
)
def a_store_that_cannot_be_written(machine: Machine) -> Words:
    for folder in [machine.store, *machine.store.rglob("*")]:
        folder.chmod(0o555 if folder.is_dir() else 0o444)
    return ["lock", "alpha"]


@bad(
    3,
    "store ROOT/closed/store: Permission denied",
    "choose another: --store DIR or MULTISITE_STORE",
    states=("new",),
    unprivileged=True,
)
def a_store_that_cannot_be_made(machine: Machine) -> Words:
    (machine.folder / "closed").mkdir(mode=0o555)
    return ["lock", "alpha", "--store", machine.folder / "closed" / "store"]


@bad(
    3,
    "store ROOT/store: Permission denied",
    "choose another: --store DIR or MULTISITE_STORE",
    states=("new",),
    unprivileged=True,
)
def a_store_that_cannot_be_read(machine: Machine) -> Words:
    (machine.store / "store.json").chmod(0)
    return ["lock", "alpha"]


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)

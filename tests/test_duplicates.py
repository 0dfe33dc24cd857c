"""Equal files of a store, kept once: nothing that anybody reads changes."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from multisite.cloning import CannotShare
from multisite.document import dump_document
from multisite.duplicates import Way, carry_out, listed, plan, read_way, write_way
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.layout import mend
from multisite.store import Artifact, Store, StoredDistribution
from tests.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import MakeWheel
    from multisite.duplicates import DedupPlan
    from tests.builders import Tree

BIG = "x = 1\n" * 4000
FILES: Tree = {"foo": {"__init__.py": "", "same.py": BIG, "run.sh": BIG + "#"}}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def add(store: Store, wheel: Path) -> StoredDistribution:
    return store.add_wheel(wheel, artifact=Artifact.of(wheel))


@pytest.fixture
def entries(store: Store, make_wheel: MakeWheel) -> list[StoredDistribution]:
    """Return three releases: 1 and 2 have two files in common, of which one has another mode in 2, 3 has none."""
    releases: list[dict[str, Any]] = [
        {"version": "1", "files": FILES},
        {"version": "2", "files": {**FILES, "other.py": "y"}, "executable": ["foo/run.sh"]},
        {"version": "3", "files": {"foo": {"__init__.py": "z"}}},
    ]
    return [add(store, make_wheel("foo", **release)) for release in releases]


def found(entries: list[StoredDistribution], way: Way = Way.LINKS, **options: Any) -> DedupPlan:
    return plan((file for entry in entries for file in listed(entry.folder, entry.record())), way, **options)


def file(entry: StoredDistribution, path: str = "foo/same.py") -> Path:
    return entry.site_packages / path


def sharing(entries: list[StoredDistribution], path: str = "foo/same.py") -> bool:
    return file(entries[0], path).samefile(file(entries[1], path))


def test_the_plan_names_what_goes_and_what_it_frees(entries: list[StoredDistribution]) -> None:
    planned = found(entries)
    (common,) = (one for one in planned.duplicates if one.kept.name == "same.py")
    assert (common.kept, common.others) == (file(entries[0]), (file(entries[1]),))
    assert common.frees == file(entries[1]).stat().st_blocks * 512
    assert planned.apart == 1  # run.sh
    assert not sharing(entries)


def test_links_are_made_and_nothing_else_changes(entries: list[StoredDistribution], store: Store) -> None:
    before, mode = contents(store.root), file(entries[1]).stat().st_mode
    planned = found(entries)
    saved = carry_out(planned, store.root)
    assert (saved.files, saved.altered) == (planned.files, ())
    assert sharing(entries)
    assert file(entries[1]).stat().st_mode == mode
    assert not sharing(entries, "foo/run.sh")
    assert contents(store.root) == before
    assert found(entries).duplicates == ()


def test_no_file_is_later_than_the_record_beside_it(store: Store, make_wheel: MakeWheel) -> None:
    entries = [add(store, make_wheel("foo", version, FILES)) for version in "312"]
    carry_out(found(entries), store.root)
    assert sharing(entries)
    for entry in entries:
        assert file(entry).stat().st_nlink == 3
        assert file(entry).stat().st_mtime_ns <= (entry.dist_info / "RECORD").stat().st_mtime_ns


@pytest.mark.parametrize("which", [0, 1], ids=["the one that is kept", "the other"])
def test_an_altered_file_is_left_and_named(entries: list[StoredDistribution], store: Store, which: int) -> None:
    altered = file(entries[which])
    facts = altered.stat()
    altered.write_text("!" * facts.st_size)
    os.utime(altered, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    saved = carry_out(found(entries), store.root)
    assert saved.altered == (altered,)
    assert altered.read_text() == "!" * facts.st_size
    assert file(entries[1 - which]).read_text() == BIG


def test_a_file_of_another_size_is_not_looked_at(entries: list[StoredDistribution], store: Store) -> None:
    file(entries[1]).write_text("short")
    carry_out(found(entries), store.root)
    assert file(entries[1]).read_text() == "short"
    assert file(entries[0]).read_text() == BIG


def test_a_link_that_somebody_planted_is_left(entries: list[StoredDistribution], store: Store, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text(BIG)
    file(entries[1]).unlink()
    file(entries[1]).symlink_to(target)
    carry_out(found(entries), store.root)
    assert file(entries[1]).is_symlink()
    assert target.stat().st_nlink == 1


def test_what_goes_meanwhile_is_no_failure(entries: list[StoredDistribution], store: Store) -> None:
    planned = found(entries)
    for entry in entries[:2]:
        file(entry).unlink()
    saved = carry_out(planned, store.root)
    assert saved.altered == ()
    assert not file(entries[0]).exists()
    assert not file(entries[1]).exists()


def test_where_no_further_name_is_left_another_file_takes_over(
    store: Store, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [add(store, make_wheel("foo", str(version), {"same.py": BIG})) for version in range(4)]
    link = os.link

    def full(source: Path, target: Path, **options: Any) -> None:
        if os.stat(source).st_nlink >= 2:
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK), str(source))
        link(source, target, **options)

    monkeypatch.setattr(os, "link", full)
    carry_out(found(entries), store.root)
    links = [file(entry, "same.py").stat() for entry in entries]
    assert [facts.st_nlink for facts in links] == [2, 2, 2, 2]
    assert len({facts.st_ino for facts in links}) == 2
    assert all(file(entry, "same.py").read_text() == BIG for entry in entries)


def test_further_names_of_a_file_go_along(entries: list[StoredDistribution], store: Store) -> None:
    shared = store.root / "shared" / "same.py"
    shared.parent.mkdir()
    os.link(file(entries[1]), shared)
    kept_apart = found(entries)
    assert sum(one.frees for one in kept_apart.duplicates if one.kept.name == "same.py") == 0
    planned = found(entries, also=[shared])
    assert planned.frees > kept_apart.frees
    carry_out(planned, store.root)
    assert shared.samefile(file(entries[0]))
    assert sharing(entries)


def test_clones_or_a_filesystem_without_them(entries: list[StoredDistribution], store: Store) -> None:
    before = contents(store.root)
    planned = found(entries, Way.CLONES)
    assert {one.kept.name for one in planned.duplicates} == {
        "same.py",
        "run.sh",
    }  # the empty and small ones gain nothing
    assert planned.apart == 0
    try:
        saved = carry_out(planned, store.root)
    except CannotShare:
        assert not sharing(entries)
    else:
        assert saved.files == 2
        assert found(entries, Way.CLONES).duplicates == ()
    assert contents(store.root) == before


def test_a_new_entry_shares_with_those_of_its_name(store: Store, make_wheel: MakeWheel) -> None:
    write_way(store.root, Way.LINKS)
    entries = [add(store, make_wheel("foo", version, FILES)) for version in "12"]
    stranger = add(store, make_wheel("bar", "1", FILES))
    assert sharing(entries)
    assert not file(stranger).samefile(file(entries[0]))
    write_way(store.root, None)
    assert file(add(store, make_wheel("foo", "3", FILES))).stat().st_nlink == 1


def test_a_new_entry_does_not_share_what_is_altered(store: Store, make_wheel: MakeWheel) -> None:
    write_way(store.root, Way.LINKS)
    first = add(store, make_wheel("foo", "1", FILES))
    facts = file(first).stat()
    file(first).write_text("!" * facts.st_size)
    os.utime(file(first), ns=(0, 0))
    second = add(store, make_wheel("foo", "2", FILES))
    assert file(second).read_text() == BIG
    assert file(first).read_text() == "!" * facts.st_size


@pytest.mark.parametrize("way", [*Way, None])
def test_the_setting_is_kept(store: Store, way: Way | None) -> None:
    write_way(store.root, Way.LINKS)
    write_way(store.root, way)
    assert read_way(store.root) == way


def test_a_damaged_setting_is_named(store: Store) -> None:
    (store.root / "dedup.json").write_bytes(dump_document({"publishing": "copies"}, format=1))
    with pytest.raises(InvalidDocument) as caught:
        read_way(store.root)
    assert str(caught.value) == (
        f"{store.root / 'dedup.json'}: not a valid dedup.json: publishing: expected clones or links, found 'copies'"
    )
    assert caught.value.hint == "multisite dedup --publishing off"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine.opened(tmp_path) as opened:
        for version in ("1.0", "1.1"):
            opened.wheel("foo", version, files=FILES)
            opened.run("lock", f"foo=={version}", "--venv", version).succeeded()
        yield opened


def test_the_command(machine: Machine) -> None:
    dry = machine.run("dedup", "--links", "--dry-run", "--json").succeeded().json
    assert dry["planned"]["files"] >= 2
    assert dry["done"] is None
    assert machine.run("dedup", "--links", "--dry-run").succeeded().err.splitlines()[-1].startswith("would share ")
    done = machine.run("dedup", "--links", "--json").succeeded().json
    assert {**done, "done": None} == dry
    assert done["done"] == {"files": dry["planned"]["files"], "altered": []}
    assert machine.run("dedup", "--links").succeeded().err.splitlines()[-1] == "nothing to share"
    for version in ("1.0", "1.1"):
        assert machine.run("doctor", "--deep", "--venv", version).code == 0


def test_the_command_says_what_is_altered(machine: Machine) -> None:
    (altered,) = machine.store.glob("multi-site-packages/foo/1.0/*/site-packages/foo/same.py")
    facts = altered.stat()
    altered.write_text("!" * facts.st_size)
    os.utime(altered, ns=(0, 0))
    done = machine.run("dedup", "--links")
    assert done.code == 1
    assert f"{altered}: its content is not RECORD's, so it is left as it is: multisite verify --repair" in done.err


def test_names_that_the_store_does_not_hold(machine: Machine) -> None:
    done = machine.run("dedup", "bar")
    assert (done.code, done.err.splitlines()[-2:]) == (
        2,
        [
            f"error: {machine.store} holds nothing of bar",
            "next: name what is in the store, or nothing for all of it: multisite dedup",
        ],
    )


def test_where_there_is_no_store_none_is_made(machine: Machine) -> None:
    done = machine.run("dedup", "--store", "nowhere")
    assert (done.code, done.err.splitlines()[0]) == (3, f"error: store {machine.work / 'nowhere'}: there is no store")
    assert not (machine.work / "nowhere").exists()


def test_a_filesystem_without_clones(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: Path) -> bool:
        raise CannotShare(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(paths[-1]))

    monkeypatch.setattr("multisite.cloning.share_blocks", refuse)
    monkeypatch.setattr("multisite.duplicates.share_blocks", refuse)
    monkeypatch.setattr("multisite.duplicates.shares_blocks", lambda *_: False)
    reason = "its filesystem has no blocks that files share (btrfs and XFS have), so there are only hard links"
    for arguments, then in [(["dedup"], "--links"), (["dedup", "--publishing", "clones"], "--publishing links")]:
        done = machine.run(*arguments)
        assert done.code == 3
        assert done.err.splitlines()[-2:] == [
            f"error: store {machine.store}: {reason}",
            f"next: read docs/store.md on what links do, then: multisite dedup {then}",
        ]
    assert read_way(machine.store) is None


def test_publishing_is_set_by_command(machine: Machine) -> None:
    said = machine.run("dedup", "--publishing", "links").succeeded().err
    assert said == (
        f"{machine.store}: what is published from now on shares equal files with other builds of its name, by links\n"
    )
    machine.wheel("foo", "1.2", files=FILES)
    machine.run("lock", "foo==1.2", "--venv", "1.2").succeeded()
    (path,) = machine.store.glob("multi-site-packages/foo/1.2/*/site-packages/foo/same.py")
    assert path.stat().st_nlink == 2
    assert machine.run("dedup", "--publishing", "off", "--json").succeeded().json["publishing"] is None


def test_the_setting_belongs_to_the_store(store: Store) -> None:
    write_way(store.root, Way.LINKS)
    (store.root / "store.json").write_text("{")
    assert mend(store.root) is not None
    assert Store.open(store.root).id != ""
    assert read_way(store.root) is Way.LINKS


def test_a_setting_of_a_later_format_keeps_the_store_from_being_mended(store: Store) -> None:
    (store.root / "dedup.json").write_bytes(dump_document({"publishing": "links"}, format=2))
    (store.root / "store.json").write_text("{")
    with pytest.raises(UnsupportedFormat, match=r"dedup\.json"):
        mend(store.root)

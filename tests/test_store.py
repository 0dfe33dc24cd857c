from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from multisite.entry import Origins
from multisite.errors import EntryMissing, InvalidDocument, InvalidWheel, StoreNotUsable, UnsupportedFormat
from multisite.files import remove_tree
from multisite.names import BuildId
from multisite.store import Artifact, Store, StoredDistribution
from tests import builders
from tests.builders import write_tree

if TYPE_CHECKING:
    from conftest import MakeWheel
    from tests.builders import Tree

FILES: Tree = {
    "foo": {"__init__.py": "x = 1\n", "run.sh": "#!/bin/sh\n", "__pycache__": {"__init__.cpython-311.pyc": b"old"}},
    "foo.pth": "import foo\n",
    "foo.start": "foo:main\n",
}
OPTIONS: dict[str, Any] = {
    "data": {
        "purelib": {"pure.py": "y = 2\n"},
        "scripts": {"go": "#!python\nprint()\n", "foo": "#!python\nold\n"},
        "headers": {"foo.h": ""},
        "data": {"share": {"foo.txt": "text\n"}},
    },
    "entry_points": {"console_scripts": {"foo": "foo:main"}},
    "requires": ["idna"],
    "metadata": "Requires-Python: >=3.8\nProvides-Extra: x\n",
    "executable": ["foo/run.sh"],
    "dist_info_files": {"INSTALLER": "somebody\n"},
}

ENTRIES = ("multi-site-packages", "shared")


def add(store: Store, wheel: Path, **options: Any) -> StoredDistribution:
    return store.add_wheel(wheel, artifact=Artifact.of(wheel), **options)


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in tree(folder)}


def incoming(store: Store) -> list[Path]:
    folder = store.root / "multi-site-packages" / ".incoming"
    return sorted(folder.iterdir()) if folder.exists() else []


class TestOpening:
    def test_makes_one_where_nothing_is(self, tmp_path: Path) -> None:
        first = Store.open(tmp_path / "a" / "store")
        assert Store.open(tmp_path / "a" / "store") == first
        assert len(first.id) == 32
        assert json.loads((first.root / "store.json").read_bytes()) == {"format": 1, "id": first.id, "min_writer": 1}

    def test_is_the_same_for_all_who_make_it_at_once(self, tmp_path: Path) -> None:
        found: list[Store] = []
        threads = [threading.Thread(target=lambda: found.append(Store.open(tmp_path / "s"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len({store.id for store in found}) == 1

    def test_refuses_a_folder_with_something_else(self, tmp_path: Path) -> None:
        write_tree(tmp_path / "home", {"thesis.tex": "x"})
        with pytest.raises(StoreNotUsable) as caught:
            Store.open(tmp_path / "home")
        assert str(caught.value) == f"store {tmp_path / 'home'}: no store, and not empty: it holds thesis.tex"
        assert tree(tmp_path / "home") == ["thesis.tex"]

    def test_refuses_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreNotUsable) as caught:
            Store.open(tmp_path / "file")
        assert str(caught.value) == f"store {tmp_path / 'file'}: not a folder"

    @pytest.mark.parametrize(
        ("document", "problem"),
        [
            (b"", "not a valid store: it is empty"),
            (b'{"format": 1}', "not a valid store\n  - id: missing\n  - min_writer: missing"),
            (
                b'{"format": 1, "id": "x',
                "not a valid store: not JSON at line 1, column 21: Unterminated string starting at",
            ),
        ],
    )
    def test_refuses_a_damaged_one(self, tmp_path: Path, document: bytes, problem: str) -> None:
        (tmp_path / "store.json").write_bytes(document)
        with pytest.raises(InvalidDocument) as caught:
            Store.open(tmp_path)
        assert str(caught.value) == f"{tmp_path / 'store.json'}: {problem}"

    def test_refuses_another_format(self, tmp_path: Path) -> None:
        (tmp_path / "store.json").write_text('{"format": 2, "id": "x", "min_writer": 2}')
        with pytest.raises(UnsupportedFormat) as caught:
            Store.open(tmp_path)
        assert str(caught.value) == f"{tmp_path / 'store.json'}: store has format 2; this multisite knows format 1"

    def test_only_reads_what_a_later_one_writes(self, store: Store, make_wheel: MakeWheel) -> None:
        old, new = (make_wheel("foo", version, FILES) for version in ("1.0", "2.0"))
        build = add(store, old).id
        (store.root / "store.json").write_text(json.dumps({"format": 1, "id": store.id, "min_writer": 2}))
        later = Store.open(store.root)
        assert later.entry(build).manifest.version == "1.0"
        assert add(later, old).id == build
        for write in (lambda: add(later, new), lambda: later.write_table("0" * 64, b"")):
            with pytest.raises(UnsupportedFormat) as caught:
                write()
            assert str(caught.value) == (
                f"{store.root}: store, to write to it, has format 2; this multisite knows format 1"
            )


class TestAddingAWheel:
    def test_a_path_that_the_filesystem_cannot_hold(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0", {"/".join(["x" * 100] * 50): ""})
        with pytest.raises(InvalidWheel) as caught:
            add(store, wheel)
        problem = f"a path in it is too long for the filesystem of the store {store.root}"
        assert str(caught.value) == f"{wheel.name}: not a valid wheel: {problem}"
        assert not list(store.builds())
        assert not list((store.root / "multi-site-packages" / ".incoming").iterdir())

    def test_what_is_written(self, store: Store, make_wheel: MakeWheel) -> None:
        found = add(store, make_wheel("Foo", "1.0", FILES, **OPTIONS))
        assert str(found.id).startswith("foo/1.0/py3-none-any-")
        assert found.folder == store.root / "multi-site-packages" / found.id.path
        assert found.root == f"multi-site-packages/{found.id.path}/site-packages"
        assert found.dist_info == found.site_packages / "Foo-1.0.dist-info"
        assert found.data("scripts") == found.folder / "data" / "scripts"
        assert found.metadata_text().startswith("Metadata-Version: 2.1\nName: Foo\n")
        assert tree(found.folder) == [
            "artifacts.json",
            "data/data/share/foo.txt",
            "data/headers/foo.h",
            "data/scripts/go",
            "manifest.json",
            "modules.txt",
            "site-packages/Foo-1.0.dist-info/METADATA",
            "site-packages/Foo-1.0.dist-info/RECORD",
            "site-packages/Foo-1.0.dist-info/WHEEL",
            "site-packages/Foo-1.0.dist-info/entry_points.txt",
            "site-packages/foo.pth",
            "site-packages/foo.start",
            "site-packages/foo/__init__.py",
            "site-packages/foo/run.sh",
            "site-packages/pure.py",
        ]
        assert incoming(store) == []

    def test_the_manifest(self, store: Store, make_wheel: MakeWheel) -> None:
        manifest = add(store, make_wheel("Foo", "1.0", FILES, **OPTIONS)).manifest
        assert (manifest.name, manifest.version, manifest.metadata_name) == ("foo", "1.0", "Foo")
        assert manifest.build == f"py3-none-any-{manifest.digest[:16]}"
        assert (manifest.requires_python, manifest.requires_dist, manifest.provides_extra) == (
            ">=3.8",
            ("idna",),
            ("x",),
        )
        assert manifest.top_level == {"foo": "package", "pure": "module"}
        assert manifest.claims == {"foo": "package", "pure": "module"}
        assert (manifest.pth, manifest.start) == ({"foo.pth": "import foo\n"}, {"foo.start": "foo:main\n"})
        assert manifest.entry_points == "[console_scripts]\nfoo = foo:main\n"
        assert [(file.scheme, file.path, file.size, file.executable) for file in manifest.data] == [
            ("data", "share/foo.txt", 5, False),
            ("headers", "foo.h", 0, False),
            ("scripts", "go", 17, True),
        ]
        assert manifest.files == 12

    def test_record_lists_what_is_there(self, store: Store, make_wheel: MakeWheel) -> None:
        found = add(store, make_wheel("Foo", "1.0", FILES, **OPTIONS))
        rows = found.record()
        own = {"manifest.json", "artifacts.json", "modules.txt"}
        assert {found.located(row).relative_to(found.folder).as_posix() for row in rows} == {*tree(found.folder)} - own
        for row in rows:
            content = found.located(row).read_bytes()
            if row.path != "Foo-1.0.dist-info/RECORD":
                assert (row.sha256, row.size) == (hashlib.sha256(content).hexdigest(), len(content))
        assert {row.path for row in rows if ".data" in row.path} == {
            "Foo-1.0.data/data/share/foo.txt",
            "Foo-1.0.data/headers/foo.h",
            "Foo-1.0.data/scripts/go",
        }

    @pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
    @pytest.mark.parametrize("umask", [0o022, 0o002, 0, 0o077], ids=oct)
    def test_only_the_owner_writes_and_the_umask_takes_away_more(self, tmp_path: Path, umask: int) -> None:
        wheels = [
            builders.make_wheel(tmp_path / "wheels", "Foo", "1.0", FILES, **OPTIONS),
            *(builders.make_wheel(tmp_path / "wheels", name, "1.0", {"foo": {"__init__.py": ""}}) for name in "ab"),
        ]
        code = (
            "import sys; from pathlib import Path; from multisite.store import Artifact, Store; import os;"
            f"os.umask({umask}); store = Store.open(Path(sys.argv[1]));"
            "foo, a, b = [store.add_wheel(path, artifact=Artifact.of(path)) for path in map(Path, sys.argv[2:])];"
            "store.shared_folder([a, b])"
        )
        subprocess.run([sys.executable, "-c", code, tmp_path / "store", *wheels], check=True)
        executable = {"go", "run.sh"}
        published = [path for top in ENTRIES for path in (tmp_path / "store" / top).glob("[!.]*")]
        paths = [path for top in published for path in (top, *top.rglob("*"))]
        assert {path.name for path in paths} >= {"foo.h", "RECORD", "manifest.json", "shared.json", *executable}
        for path in paths:
            wanted = (0o755 if path.is_dir() or path.name in executable else 0o644) & ~umask
            assert (path.name, oct(stat.S_IMODE(path.stat().st_mode))) == (path.name, oct(wanted))

    def test_record_is_written_last(self, store: Store, make_wheel: MakeWheel) -> None:
        found = add(store, make_wheel("Foo", "1.0", FILES, **OPTIONS))
        newest = (found.dist_info / "RECORD").stat().st_mtime_ns
        assert all(found.located(row).stat().st_mtime_ns <= newest for row in found.record())

    @pytest.mark.skipif(os.name == "nt", reason="folders are flushed on POSIX")
    def test_every_name_that_leads_to_it_is_on_the_disk(
        self, store: Store, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flushed, fsync = set(), os.fsync

        def note(descriptor: int) -> None:
            facts = os.fstat(descriptor)
            flushed.add((facts.st_dev, facts.st_ino))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", note)
        monkeypatch.setattr("multisite.wholesale.syncfs", lambda: None)
        found = [add(store, make_wheel(name, "1.0", {"foo": {"__init__.py": "x"}})) for name in "ab"]
        shared = store.shared_folder(found)
        tops = [found[0].folder, shared.site_packages.parent]
        above = {parent for top in tops for parent in top.parents if parent.is_relative_to(store.root)}
        for path in {*above, *tops, *(path for top in tops for path in top.rglob("*"))}:
            facts = path.stat()
            assert (facts.st_dev, facts.st_ino) in flushed, path

    def test_no_umask_is_changed(self, store: Store, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask is every thread's"))
        add(store, make_wheel("Foo", "1.0", FILES, **OPTIONS))

    def test_the_same_wheel_again_unpacks_nothing(
        self, store: Store, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        artifact = Artifact.of(wheel)
        first = store.add_wheel(wheel, artifact=artifact)
        wheel.unlink()
        before = snapshot(store.root)
        assert store.add_wheel(wheel, artifact=artifact) == first
        assert snapshot(store.root) == before

    def test_another_wheel_with_the_same_content_is_the_same_entry(
        self, store: Store, make_wheel: MakeWheel, tmp_path: Path
    ) -> None:
        wheels = [make_wheel("foo", "1.0", FILES, compression=compression) for compression in (8,)]
        stored = make_wheel("foo", "1.0", FILES, compression=0, filename="foo-1.0-1-py3-none-any.whl")
        first, second = add(store, wheels[0]), add(store, stored)
        assert first == second
        assert [one.filename for one in first.origins().artifacts] == [wheels[0].name, stored.name]
        assert store.find_artifact(Artifact.of(stored).sha256) == first

    def test_another_content_is_another_entry(self, store: Store, make_wheel: MakeWheel) -> None:
        first = add(store, make_wheel("foo", "1.0", {"foo.py": "1"}))
        second = add(store, make_wheel("foo", "1.0", {"foo.py": "2"}))
        assert (first.id.name, first.id.version) == (second.id.name, second.id.version)
        assert list(store.builds()) == sorted([first.id, second.id])
        assert list(store.entries()) == sorted([first, second], key=lambda one: one.id)

    def test_an_invalid_wheel_leaves_nothing(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0", FILES, edit_record=lambda rows: [[row[0], row[1], "7"] for row in rows])
        with pytest.raises(InvalidWheel):
            add(store, wheel)
        assert (incoming(store), list(store.builds())) == ([], [])
        assert store.find_artifact(Artifact.of(wheel).sha256) is None

    def test_an_artifacts_addresses_are_gathered_without_credentials(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        for url in ("https://user:secret@a.example:8080/foo.whl?x=1", "https://b.example/foo.whl"):
            found = store.add_wheel(wheel, artifact=Artifact.of(wheel, urls=[url]))
        (artifact,) = found.origins().artifacts
        assert artifact.urls == ("https://a.example:8080/foo.whl?x=1", "https://b.example/foo.whl")
        assert b"secret" not in b"".join(snapshot(store.root).values())

    def test_a_source_build_is_found_again(self, store: Store, make_wheel: MakeWheel) -> None:
        keys = ["0" * 64, "1" * 64]
        for key in keys:
            found = add(store, make_wheel("foo", "1.0", FILES), source_key=key)
            assert store.find_source(key) == found
        assert found.origins().sources == tuple(keys)
        assert store.find_source("2" * 64) is None

    def test_an_entry_can_be_unpacked_anew(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        found = add(store, wheel)
        before = snapshot(found.folder)
        (found.site_packages / "foo" / "__init__.py").write_text("broken")
        (found.site_packages / "foo.pth").unlink()
        assert add(store, wheel, replace=True) == found
        assert snapshot(found.folder) == before
        assert incoming(store) == []

    def test_an_entry_without_metadata_is_replaced(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        found = add(store, wheel)
        before = snapshot(found.folder)
        (found.dist_info / "RECORD").unlink()
        (found.folder / "manifest.json").unlink()
        with pytest.raises(InvalidDocument):
            store.entry(found.id)
        assert store.find_artifact(Artifact.of(wheel).sha256) is None
        assert add(store, wheel) == found
        assert snapshot(found.folder) == before

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root, who becomes somebody else")
    def test_somebody_elses_store(self, make_wheel: MakeWheel) -> None:
        import shutil
        import tempfile

        folder = Path(tempfile.mkdtemp())
        folder.chmod(0o755)
        wheels = [
            Path(shutil.move(make_wheel("foo", version, FILES), folder / f"foo-{version}-py3-none-any.whl"))
            for version in "12"
        ]
        store = Store.open(folder / "store")
        found = add(store, wheels[0])
        (found.folder / "manifest.json").unlink()
        try:
            os.seteuid(65534)
            assert store.entry(found.id) == found
            assert add(store, wheels[0]) == found
            with pytest.raises(StoreNotUsable) as caught:
                add(store, wheels[1])
            assert str(caught.value) == f"store {store.root}: Permission denied"
        finally:
            os.seteuid(0)
            shutil.rmtree(folder)


class TestTogether:
    def test_threads(self, store: Store, make_wheel: MakeWheel) -> None:
        wheels = [make_wheel(f"d{number}", "1.0", {f"d{number}.py": "x" * 1000}) for number in range(4)]
        found: list[StoredDistribution] = []
        start = threading.Barrier(12)

        def run(number: int) -> None:
            start.wait()
            found.extend(add(Store.open(store.root), wheels[(number + at) % 4]) for at in range(4))

        threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 48
        assert len({one.id for one in found}) == 4
        self.check(store, 4)

    def test_processes(self, store: Store, make_wheel: MakeWheel) -> None:
        wheels = [make_wheel(f"d{number}", "1.0", {"x": {f"{at}.py": "x" for at in range(50)}}) for number in range(3)]
        program = (
            "import sys; from pathlib import Path; from multisite.store import Artifact, Store;"
            "store = Store.open(Path(sys.argv[1]));"
            "[print(store.add_wheel(Path(p), artifact=Artifact.of(Path(p))).id) for p in sys.argv[2:]]"
        )
        command = [sys.executable, "-c", program, str(store.root)]
        running = [
            subprocess.Popen(
                [*command, *map(str, wheels[at % 3 :] + wheels[: at % 3])], stdout=subprocess.PIPE, text=True
            )
            for at in range(6)
        ]
        answers = [process.communicate()[0].split() for process in running]
        assert [process.returncode for process in running] == [0] * 6
        assert {frozenset(answer) for answer in answers} == {frozenset(str(build) for build in store.builds())}
        self.check(store, 3)

    def test_two_archives_of_one_content_are_both_noted(self, store: Store, make_wheel: MakeWheel) -> None:
        wheels = [make_wheel("foo", "1.0", FILES, filename=f"foo-1.0-{at}-py3-none-any.whl", compression=8 * (at % 2))
                  for at in range(2)]  # fmt: skip
        artifacts = [Artifact.of(wheel) for wheel in wheels]
        assert len({artifact.sha256 for artifact in artifacts}) == 2
        start = threading.Barrier(2)

        def run(number: int) -> None:
            start.wait()
            store.add_wheel(wheels[number], artifact=artifacts[number])

        threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (found,) = store.entries()
        assert {one.sha256 for one in found.origins().artifacts} == {artifact.sha256 for artifact in artifacts}

    def check(self, store: Store, count: int) -> None:
        assert incoming(store) == []
        entries = list(store.entries())
        assert len(entries) == count
        for found in entries:
            assert all(found.located(row).is_file() for row in found.record())
            (artifact,) = found.origins().artifacts
            assert store.find_artifact(artifact.sha256) == found

    @pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
    def test_who_is_killed_leaves_nothing_but_what_was_coming_in(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        program = (
            "import os, signal, sys; from pathlib import Path; from multisite import flushing, store;"
            "flushing.Flush.__call__ = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL);"
            "root, wheel = map(Path, sys.argv[1:]);"
            "store.Store.open(root).add_wheel(wheel, artifact=store.Artifact.of(wheel))"
        )
        done = subprocess.run([sys.executable, "-c", program, str(store.root), str(wheel)], check=False)
        assert done.returncode == -signal.SIGKILL
        assert len(incoming(store)) == 1
        assert list(store.builds()) == []
        assert store.find_artifact(Artifact.of(wheel).sha256) is None
        found = add(store, wheel)
        assert list(store.builds()) == [found.id]

    def test_the_loser_uses_the_winners(
        self, store: Store, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        winners: list[tuple[StoredDistribution, int]] = []

        def be_overtaken(flush: object, folder: Path, *, size: int) -> None:
            monkeypatch.undo()
            winner = add(store, wheel)
            winners.append((winner, winner.folder.stat().st_ino))

        monkeypatch.setattr("multisite.flushing.Flush.__call__", be_overtaken)
        found = add(store, wheel)
        assert winners == [(found, found.folder.stat().st_ino)]
        assert incoming(store) == []


class TestManifestsAreMadeAgain:
    @pytest.fixture
    def found(self, store: Store, make_wheel: MakeWheel) -> StoredDistribution:
        return add(store, make_wheel("Foo", "1.0", FILES, **OPTIONS))

    @pytest.mark.parametrize(
        "document",
        [
            None,
            b"",
            b'{"format": 1, "na',
            b'{"format": 1}',
            b'{"format": 2, "name": "foo"}',
            b'{"format": 4, "name": "foo"}',
            b"\xff",
        ],
    )
    def test_and_written(self, store: Store, found: StoredDistribution, document: bytes | None) -> None:
        path = found.folder / "manifest.json"
        before = path.read_bytes()
        path.unlink()
        if document is not None:
            path.write_bytes(document)
        assert store.entry(found.id) == found
        assert path.read_bytes() == before

    def test_but_a_later_one_is_left_as_it_is(self, store: Store, found: StoredDistribution) -> None:
        path = found.folder / "manifest.json"
        path.write_text('{"format": 5}')
        assert store.entry(found.id) == found
        assert path.read_text() == '{"format": 5}'

    def test_one_of_another_entry_is_none(self, store: Store, found: StoredDistribution, make_wheel: MakeWheel) -> None:
        other = add(store, make_wheel("bar", "1.0"))
        (found.folder / "manifest.json").write_bytes((other.folder / "manifest.json").read_bytes())
        assert store.entry(found.id) == found

    @pytest.mark.parametrize("name", ["RECORD", "METADATA", "WHEEL"])
    def test_not_without_what_they_come_from(self, store: Store, found: StoredDistribution, name: str) -> None:
        (found.folder / "manifest.json").unlink()
        (found.dist_info / name).unlink()
        with pytest.raises(InvalidDocument, match=name) as caught:
            store.entry(found.id)
        assert caught.value.hint == "multisite sync"

    def test_not_from_what_was_changed(self, store: Store, found: StoredDistribution) -> None:
        (found.folder / "manifest.json").unlink()
        record = found.dist_info / "RECORD"
        record.write_text(record.read_text().replace("pure.py", "impure.py"))
        with pytest.raises(InvalidDocument, match=r"RECORD and metadata are those of foo/1.0/py3-none-any-"):
            store.entry(found.id)

    def test_not_with_two_distributions(self, store: Store, found: StoredDistribution) -> None:
        (found.folder / "manifest.json").unlink()
        (found.site_packages / "bar-1.0.dist-info").mkdir()
        with pytest.raises(InvalidDocument) as caught:
            store.entry(found.id)
        assert caught.value.problems == ("2 .dist-info folders instead of one",)


class TestLookingUp:
    def test_an_entry_that_is_not_there(self, store: Store) -> None:
        build = BuildId.parse("foo/1.0/py3-none-any-0123456789abcdef")
        with pytest.raises(EntryMissing) as caught:
            store.entry(build)
        assert str(caught.value) == f"{build} is not in the store {store.root}"

    def test_an_empty_store(self, store: Store) -> None:
        assert (list(store.builds()), list(store.entries()), store.find_artifact("0" * 64)) == ([], [], None)

    def test_an_alias_to_nothing(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        found = add(store, wheel)
        remove_tree(found.folder)
        assert store.find_artifact(Artifact.of(wheel).sha256) is None
        assert add(store, wheel) == found

    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"[]",
            b'{"format": 1}',
            b'{"format": 1, "entry": "../../x", "digest": "' + b"0" * 64 + b'"}',
            b'{"format": 1, "entry": "foo/1.0/b", "digest": "' + b"0" * 64 + b'"}',
        ],
    )
    def test_a_damaged_alias_counts_as_none(self, store: Store, make_wheel: MakeWheel, document: bytes) -> None:
        wheel = make_wheel("foo", "1.0", FILES)
        found, sha256 = add(store, wheel), Artifact.of(wheel).sha256
        path = store.root / "artifacts" / "sha256" / sha256[:2] / f"{sha256}.json"
        before = path.read_bytes()
        path.write_bytes(document)
        assert store.find_artifact(sha256) is None
        assert add(store, wheel) == found
        assert path.read_bytes() == before

    def test_an_alias_of_a_later_format(self, store: Store) -> None:
        path = store.root / "artifacts" / "sha256" / "00" / f"{'0' * 64}.json"
        path.parent.mkdir(parents=True)
        path.write_text('{"format": 2}')
        with pytest.raises(UnsupportedFormat) as caught:
            store.find_artifact("0" * 64)
        assert str(caught.value) == f"{path}: alias has format 2; this multisite knows format 1"

    @pytest.mark.parametrize("key", ["", "../" * 20, "0" * 63, "G" * 64, "0" * 64 + "\n"])
    def test_what_is_no_hash(self, store: Store, key: str) -> None:
        for look_up in (store.find_artifact, store.find_source, store.read_table):
            with pytest.raises(ValueError, match="not a SHA-256"):
                look_up(key)

    def test_strangers_among_the_entries_are_no_builds(self, store: Store, make_wheel: MakeWheel) -> None:
        found = add(store, make_wheel("foo", "1.0"))
        write_tree(
            store.root / "multi-site-packages", {"README": "", "Foo": {"1": {"b": {}}}, "x": {"1": {".tmp": {}}}}
        )
        assert list(store.builds()) == [found.id]

    def test_tables(self, store: Store) -> None:
        assert store.read_table("0" * 64) is None
        for data in (b"old", b"new"):
            store.write_table("0" * 64, data)
            assert store.read_table("0" * 64) == data
        assert store.table_path("0" * 64) == store.root / "tables" / ("0" * 64)


class TestOrigins:
    ORIGINS = Origins(
        artifacts=(
            Artifact(sha256="0f" * 32, size=3, filename="foo-1.0-py3-none-any.whl", urls=("https://a.example/f",)),
        ),
        sources=("1" * 64,),
    )

    def test_round_trip(self) -> None:
        assert Origins.from_document(self.ORIGINS.to_document(), "artifacts.json") == self.ORIGINS

    @pytest.mark.parametrize(
        ("document", "problem"),
        [
            ({"artifacts": [{}], "sources": []}, "artifacts[0].sha256: missing"),
            ({"artifacts": {}, "sources": [1]}, "sources[0]: expected text, found 1"),
        ],
    )
    def test_what_is_invalid(self, document: dict[str, Any], problem: str) -> None:
        with pytest.raises(InvalidDocument) as caught:
            Origins.from_document(json.dumps({**document, "format": 1}).encode(), "artifacts.json")
        assert problem in caught.value.problems

    def test_a_damaged_list_is_begun_anew(self, store: Store, make_wheel: MakeWheel) -> None:
        wheel = make_wheel("foo", "1.0")
        found = add(store, wheel)
        (found.folder / "artifacts.json").write_bytes(b"{")
        assert [one.filename for one in add(store, wheel).origins().artifacts] == [wheel.name]

    def test_an_entry_without_a_list(self, store: Store, make_wheel: MakeWheel) -> None:
        found = add(store, make_wheel("foo", "1.0"))
        (found.folder / "artifacts.json").unlink()
        assert found.origins() == Origins()

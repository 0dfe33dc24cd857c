from __future__ import annotations

import ast
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from multisite import files
from multisite.files import locked, publish, remove_empty_parents, remove_tree, write_atomic, write_file, write_new
from tests.builders import write_tree

posix = pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


class TestWriteAtomic:
    @pytest.mark.parametrize("sync", [False, True])
    def test_makes_and_replaces(self, tmp_path: Path, sync: bool) -> None:
        for data in (b"old", b"new"):
            write_atomic(tmp_path / "f", data, sync=sync)
            assert (tmp_path / "f").read_bytes() == data
        assert names(tmp_path) == ["f"]

    def test_leaves_nothing_behind_when_it_fails(self, tmp_path: Path) -> None:
        (tmp_path / "f").mkdir()
        with pytest.raises(OSError, match="directory"):
            write_atomic(tmp_path / "f", b"new")
        assert names(tmp_path) == ["f"]

    def test_takes_names_as_long_as_they_may_be(self, tmp_path: Path) -> None:
        write_atomic(tmp_path / ("n" * 255), b"x")
        assert names(tmp_path) == ["n" * 255]

    @posix
    def test_replaces_a_link_and_not_what_it_leads_to(self, tmp_path: Path) -> None:
        (tmp_path / "other").write_bytes(b"other")
        (tmp_path / "f").symlink_to("other")
        write_atomic(tmp_path / "f", b"new")
        assert not (tmp_path / "f").is_symlink()
        assert (tmp_path / "other").read_bytes() == b"other"

    @posix
    @pytest.mark.parametrize(
        ("umask", "mode", "expected"),
        [(0o022, 0o666, 0o644), (0o022, 0o777, 0o755), (0o077, 0o777, 0o700), (0o002, 0o666, 0o664)],
    )
    def test_honours_the_umask(self, tmp_path: Path, umask: int, mode: int, expected: int) -> None:
        program = (
            "import os, sys; from pathlib import Path; from multisite.files import write_atomic;"
            f"os.umask({umask}); write_atomic(Path(sys.argv[1]), b'', mode={mode})"
        )
        subprocess.run([sys.executable, "-c", program, str(tmp_path / "f")], check=True)
        assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == expected


class TestWriteNew:
    def test_never_replaces(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"old")
        with pytest.raises(FileExistsError):
            write_new(tmp_path / "f")

    @posix
    def test_never_follows_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "f").symlink_to("elsewhere")
        with pytest.raises(FileExistsError):
            write_new(tmp_path / "f")
        assert names(tmp_path) == ["f"]


class TestPublish:
    @pytest.mark.parametrize("sync", [False, True])
    def test_renames_into_folders_that_it_makes(self, tmp_path: Path, sync: bool) -> None:
        folder = write_tree(tmp_path / "new", {"f": "x"})
        assert publish(folder, tmp_path / "a" / "b" / "target", sync=sync)
        assert names(tmp_path) == ["a", "a/b", "a/b/target", "a/b/target/f"]

    @pytest.mark.parametrize("taken", [{"target": {"f": "old"}}, {"target": "a file"}])
    def test_leaves_what_is_there(self, tmp_path: Path, taken: dict[str, str]) -> None:
        write_tree(tmp_path, taken)
        folder = write_tree(tmp_path / "new", {"f": "new"})
        before = names(tmp_path)
        assert not publish(folder, tmp_path / "target")
        assert names(tmp_path) == before
        assert (folder / "f").read_text() == "new"

    def test_says_when_there_is_nothing_to_publish(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            publish(tmp_path / "new", tmp_path / "target")

    def test_one_of_many_wins(self, tmp_path: Path) -> None:
        folders = [write_tree(tmp_path / f"new{number}", {"f": str(number)}) for number in range(8)]
        won: list[int] = []
        start = threading.Barrier(len(folders))

        def run(number: int) -> None:
            start.wait()
            if publish(folders[number], tmp_path / "a" / "target"):
                won.append(number)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(len(folders))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert (tmp_path / "a" / "target" / "f").read_text() == str(won[0])

    def test_the_folder_above_may_vanish_meanwhile(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = write_tree(tmp_path / "new", {"f": "x"})
        rename, calls = Path.rename, []

        def remove_the_parent_once(self: Path, target: Path) -> Path:
            calls.append(target)
            if len(calls) == 1:
                target.parent.rmdir()
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", remove_the_parent_once)
        assert publish(folder, tmp_path / "a" / "target")
        assert len(calls) == 2


class TestLocked:
    def test_keeps_others_out(self, tmp_path: Path) -> None:
        path = tmp_path / "locks" / "x"
        with locked(path), pytest.raises(TimeoutError), locked(path, timeout=0):
            pytest.fail("two held one lock")
        with locked(path, timeout=0):
            pass

    def test_keeps_other_threads_out(self, tmp_path: Path) -> None:
        path = tmp_path / "x"
        inside: list[None] = []
        seen: list[int] = []

        def run() -> None:
            for _ in range(20):
                with locked(path):
                    inside.append(None)
                    seen.append(len(inside))
                    inside.pop()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [1] * 80


class TestRemoveTree:
    @pytest.mark.parametrize("tree", [{}, {"x": {}}, {"x": {"a": {"b": "c"}, "d": "e"}}, {"x": "a file"}])
    def test_removes(self, tmp_path: Path, tree: dict[str, str]) -> None:
        write_tree(tmp_path, tree)
        remove_tree(tmp_path / "x")
        assert names(tmp_path) == []

    @posix
    def test_removes_links_and_not_what_they_lead_to(self, tmp_path: Path) -> None:
        write_tree(tmp_path, {"other": {"f": "x"}, "x": {}})
        (tmp_path / "x" / "inner").symlink_to(tmp_path / "other")
        (tmp_path / "link").symlink_to(tmp_path / "other")
        remove_tree(tmp_path / "x")
        remove_tree(tmp_path / "link")
        assert names(tmp_path) == ["other", "other/f"]

    @posix
    @pytest.mark.parametrize("mode", [0o000, 0o300, 0o500])
    def test_removes_what_is_protected(self, mode: int) -> None:
        # Permissions protect nothing from root, who therefore becomes somebody else for a while.
        folder, user = Path(tempfile.mkdtemp()), os.geteuid()
        folder.chmod(0o777)
        try:
            os.seteuid(user or 65534)
            write_tree(folder / "x", {"a": {"b": {}, "f": "x"}})
            (folder / "x" / "a" / "link").symlink_to("/")
            (folder / "x" / "a").chmod(mode)
            remove_tree(folder / "x")
            assert names(folder) == []
        finally:
            os.seteuid(user)
            shutil.rmtree(folder)


class TestRemoveEmptyParents:
    def test_stops_at_what_is_not_empty(self, tmp_path: Path) -> None:
        write_tree(tmp_path, {"a": {"f": "x", "b": {"c": {}}}})
        remove_empty_parents(tmp_path / "a" / "b" / "c" / "gone", tmp_path)
        assert names(tmp_path) == ["a", "a/f"]

    def test_stops_where_it_is_told(self, tmp_path: Path) -> None:
        write_tree(tmp_path, {"a": {"b": {}}})
        remove_empty_parents(tmp_path / "a" / "b" / "gone" / "too", tmp_path / "a")
        assert names(tmp_path) == ["a"]

    def test_wants_to_be_told_where_to_stop(self, tmp_path: Path) -> None:
        write_tree(tmp_path, {"a": {"f": "x"}, "b": {}})
        with pytest.raises(ValueError, match="is not above"):
            remove_empty_parents(tmp_path / "b" / "gone", tmp_path / "a")


WITHOUT_LOCKS = """\
import errno, fcntl, os, sys
from pathlib import Path
def refuse(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.flock = refuse
from multisite.files import locked
"""


@posix
def test_a_lock_on_a_filesystem_without_locks(tmp_path: Path) -> None:
    def run(code: str) -> str:
        command = [sys.executable, "-c", WITHOUT_LOCKS + code, str(tmp_path / "lock")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    two = """\
with locked(Path(sys.argv[1])):
    try:
        with locked(Path(sys.argv[1]), timeout=0.1):
            print("held twice")
    except TimeoutError:
        print("held once")
"""
    assert run(two) == "held once\n"
    assert "lock.held" not in names(tmp_path)
    # Of a process that is dead, nothing keeps others out.
    run("held = locked(Path(sys.argv[1]))\nheld.__enter__()\nos._exit(0)\n")
    assert "lock.held" in names(tmp_path)
    assert run(two) == "held once\n"


def test_a_tree_is_removed_that_somebody_still_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"tree": {"sub": {"file": ""}}})
    remove, late = os.rmdir, ["more", "and more"]

    def rmdir(path: Any, **options: Any) -> None:
        if late and Path(os.fsdecode(path)).name == "sub":
            (tmp_path / "tree" / "sub" / late.pop()).write_text("")
        remove(path, **options)

    monkeypatch.setattr(os, "rmdir", rmdir)
    remove_tree(tmp_path / "tree")
    assert late == []
    assert list(tmp_path.iterdir()) == []


@posix
def test_what_fails_in_writing_names_the_file() -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_file(Path("/dev/full"), b"something")


@pytest.mark.parametrize("module", sorted(Path(files.__file__).parent.rglob("*.py")), ids=lambda path: path.name)
def test_no_module_writes_a_file_that_an_error_would_not_name(module: Path) -> None:
    used = {node.attr for node in ast.walk(ast.parse(module.read_bytes())) if isinstance(node, ast.Attribute)}
    assert module == Path(files.__file__) or used.isdisjoint({"write_bytes", "write_text"})

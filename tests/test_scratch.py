"""Folders for what is not finished: taken away at the end, and by whoever comes after one that was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from multisite.scratch import scratch, sweep, temporary
from tests.builders import write_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no locks on folders")

HOLD = """\
import os, sys; from pathlib import Path; from multisite.scratch import scratch
with scratch(Path(sys.argv[1]), before=".venv.", after=".tmp") as folder:
    (folder / "file").write_text("")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_it_is_gone_after_the_block(tmp_path: Path) -> None:
    with scratch(tmp_path / "above" / "parent", before=".venv.", after=".tmp") as folder:
        write_tree(folder, {"a": {"b": "c"}})
        assert folder.parent == tmp_path / "above" / "parent"
        assert folder.name.startswith(".venv.")
        assert folder.name.endswith(".tmp")
    assert list(folder.parent.iterdir()) == []
    with pytest.raises(ZeroDivisionError), scratch(tmp_path) as folder:
        raise ZeroDivisionError
    assert not folder.exists()


def test_among_the_systems_files_it_is_its_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, others = tmp_path / f"multisite-{'0' * 16}", tmp_path / "multisite-mine"
    write_tree(tmp_path, {left.name: {"pylock.toml": ""}, others.name: {}})
    with temporary() as folder:
        assert folder.parent == tmp_path.resolve()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not left.exists()
        with temporary() as second:
            assert folder.exists()
            assert second != folder
    assert list(tmp_path.iterdir()) == [others]


def test_what_was_renamed_stays(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        write_tree(folder, {"a": "b"})
        folder.rename(tmp_path / "published")
    assert [path.name for path in tmp_path.rglob("*")] == ["published", "a"]


def test_what_somebody_works_in_stays_and_what_one_left_who_was_killed_goes(tmp_path: Path) -> None:
    names = {"before": ".venv.", "after": ".tmp"}
    strangers = write_tree(tmp_path, {".venv.tmp": {}, ".other.0123456789abcdef.tmp": {}, ".venv.0123.tmp": {}})
    before = set(strangers.iterdir())
    (tmp_path / ".venv.0123456789abcdef.tmp").write_text("a file")
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        held = Path(other.stdout.readline().rstrip())
        with scratch(tmp_path, before=names["before"], after=names["after"]) as own:
            sweep(tmp_path, **names)
            assert held.exists()
            assert own.exists()  # another descriptor of the same process
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert (held / "file").exists()
        sweep(tmp_path, before=".project.", after=".tmp")
        assert held.exists()
        sweep(tmp_path, **names)
    assert set(tmp_path.iterdir()) == {*before, tmp_path / ".venv.0123456789abcdef.tmp"}


def test_many_at_once(tmp_path: Path) -> None:
    def work(_: int) -> bool:
        with scratch(tmp_path) as folder:
            (folder / "file").write_text("")
            return (folder / "file").exists()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))
    assert list(tmp_path.iterdir()) == []

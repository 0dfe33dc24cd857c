"""Copies that share blocks where the filesystem can. Whether it can is the filesystem's; nothing is lost either way."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest

from multisite.cloning import CannotShare, copy_file, share_blocks

CONTENT = os.urandom(3 << 20)


@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=["empty", "small", "large"])
def test_a_copy_has_the_content_and_the_mode(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    copy_file(tmp_path / "a", tmp_path / "b", mode=0o640)
    assert (tmp_path / "b").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) & ~0o640 == 0
    (tmp_path / "b").write_bytes(b"changed")
    assert (tmp_path / "a").read_bytes() == content


def test_a_python_for_an_old_libc_copies_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    (tmp_path / "a").write_bytes(CONTENT)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == CONTENT


def test_a_copy_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"b"


def test_the_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        copy_file(tmp_path / "a", tmp_path / "b")
    assert caught.value.filename == str(tmp_path / "a")
    assert not (tmp_path / "b").exists()


def _pair(folder: Path, one: bytes, other: bytes) -> tuple[Path, Path, os.stat_result]:
    first, second = folder / "a", folder / "b"
    first.write_bytes(one)
    second.write_bytes(other)
    second.chmod(0o640)
    os.utime(second, ns=(10**18, 10**18))
    return first, second, second.stat()


def _shared(first: Path, second: Path) -> bool | None:
    """Return what came of it, None where the filesystem shares nothing."""
    with contextlib.suppress(CannotShare):
        return share_blocks(first, second)
    return None


def _unchanged(path: Path, before: os.stat_result, content: bytes) -> None:
    after = path.stat()
    assert path.read_bytes() == content
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)


def test_equal_files_share_blocks_or_the_filesystem_cannot(tmp_path: Path) -> None:
    first, second, before = _pair(tmp_path, CONTENT, CONTENT)
    assert _shared(first, second) in {True, None}
    _unchanged(second, before, CONTENT)


@pytest.mark.parametrize("other", [CONTENT[:-1], CONTENT[:-1] + b"\0", b""], ids=["shorter", "last byte", "empty"])
def test_what_differs_stays(tmp_path: Path, other: bytes) -> None:
    first, second, before = _pair(tmp_path, CONTENT[:-1] + b"\1", other)
    assert not _shared(first, second)
    _unchanged(second, before, other)


def test_links_are_not_followed(tmp_path: Path) -> None:
    first, second, before = _pair(tmp_path, CONTENT, CONTENT)
    (tmp_path / "link").symlink_to(second)
    with pytest.raises(OSError, match="link"):
        share_blocks(first, tmp_path / "link")
    _unchanged(second, before, CONTENT)

"""How what was written reaches the disk: one call where that is as sure as one for each file."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from multisite import wholesale
from multisite.store import Artifact, Store
from tests.builders import make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="syncfs is Linux's")
FILES = {"foo": {f"module{number}.py": f"x = {number}\n" for number in range(50)}}


class Calls:
    """Who was asked to flush what; ``error`` is what syncfs says."""

    def __init__(self) -> None:
        self.whole: list[int] = []
        self.single: list[str] = []
        self.error = 0

    def syncfs(self, descriptor: int) -> None:
        self.whole.append(os.fstat(descriptor).st_ino)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls, fsync = Calls(), os.fsync

    def note(descriptor: int) -> None:
        calls.single.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(wholesale, "syncfs", lambda: calls.syncfs)
    monkeypatch.setattr(wholesale, "kind", lambda descriptor: 0xEF53)
    monkeypatch.setattr(wholesale, "release", lambda: (5, 8))
    monkeypatch.setattr(wholesale, "waiting", lambda own: False)
    return calls


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def add(store: Store, folder: Path) -> Path:
    wheel = make_wheel(folder, "foo", "1.0", FILES)
    return store.add_wheel(wheel, artifact=Artifact.of(wheel)).folder


def test_one_call_for_an_entry(store: Store, tmp_path: Path, calls: Calls) -> None:
    folder = add(store, tmp_path)
    assert calls.whole == [folder.stat().st_ino]
    # Of what was renamed, only the names that lead there.
    above = {str(path) for path in folder.parents if path.is_relative_to(store.root)}
    assert set(calls.single) == above


WITHOUT: dict[str, tuple[str, Callable[..., object]]] = {
    "another filesystem": ("kind", lambda descriptor: 0x6969),  # NFS
    "a Linux that does not tell": ("release", lambda: (5, 7)),
    "a C library without it": ("syncfs", lambda: None),
    "others' files": ("waiting", lambda own: True),
}


@pytest.mark.parametrize("what", WITHOUT)
def test_one_call_for_each_file(
    what: str, store: Store, tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholesale, *WITHOUT[what])
    folder = add(store, tmp_path)
    assert calls.whole == []
    flushed = {Path(path).name for path in calls.single}
    assert flushed >= {path.name for path in folder.rglob("*")}


def test_what_could_not_be_written_is_told(store: Store, tmp_path: Path, calls: Calls) -> None:
    calls.error = errno.EIO
    with pytest.raises(OSError, match="Input/output error") as caught:
        add(store, tmp_path)
    assert Path(str(caught.value.filename)).parent == store.root / "multi-site-packages" / ".incoming"
    assert list(store.builds()) == []


@pytest.mark.parametrize("whole", [True, False])
def test_a_generous_umask_opens_nothing(
    whole: bool, tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not whole:
        monkeypatch.setattr(wholesale, "syncfs", lambda: None)
    before = os.umask(0)
    try:
        folder = add(Store.open(tmp_path / "store"), tmp_path)
    finally:
        os.umask(before)
    assert [path for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o022] == []


def test_the_real_calls(tmp_path: Path) -> None:
    found = wholesale.syncfs()
    assert found is not None
    descriptor = os.open(tmp_path, os.O_RDONLY)
    found(descriptor)
    assert wholesale.kind(descriptor)
    assert wholesale.waiting(0) in (True, False)
    os.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        found(descriptor)
    assert wholesale.release() >= (3, 0)


def test_a_python_without_libffi_flushes_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_ctypes", None)
    assert wholesale.syncfs() is None
    assert wholesale.kind(0) == 0
    assert add(Store.open(tmp_path / "store"), tmp_path).is_dir()


def test_what_waits_to_be_written_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wholesale, "_MOST_WAITING", -(1 << 60))
    assert wholesale.waiting(0)
    assert not wholesale.waiting(1 << 61)

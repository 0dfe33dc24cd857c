"""What unpacking a wheel takes, counted: calls, hashed bytes, memory, threads."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from multisite.store import Artifact, Store
from multisite.unpacking import unpack
from multisite.wheel import WheelFile
from tests.builders import make_wheel

SMALL = {"foo": {f"module{number}.py": f"x = {number}\n" for number in range(200)}}
_MEBIBYTE = 1 << 20


def zeros(folder: Path, *, files: int, size: int) -> Path:
    return make_wheel(folder, "foo", "1.0", {"foo": {f"{number}.bin": bytes(size) for number in range(files)}})


def test_each_byte_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    sha256 = hashlib.sha256

    class Counting:
        def __init__(self, data: bytes = b"") -> None:
            self._hash = sha256(data)

        def update(self, data: bytes) -> None:
            hashed.append(len(data))
            self._hash.update(data)

        def hexdigest(self) -> str:
            return self._hash.hexdigest()

    wheel = make_wheel(tmp_path, "foo", "1.0", {**SMALL, "big.bin": bytes(3 * _MEBIBYTE)})
    monkeypatch.setattr(hashlib, "sha256", Counting)
    with WheelFile.open(wheel) as opened:
        unpack(opened, tmp_path / "out")
        assert sum(hashed) == sum(opened.size(member) for member in opened.members)


COUNTING = """
import collections, json, os, sys
from pathlib import Path
from multisite import headers, wholesale
from multisite.store import Artifact, Store
root, wheel = Path(sys.argv[1]), Path(sys.argv[2])
store, artifact = Store.open(root), Artifact.of(wheel)
store.add_wheel(wheel, artifact=artifact)  # imports what it needs
wheel = Path(sys.argv[3])
artifact = Artifact.of(wheel)
counts, fsync = collections.Counter(), os.fsync
def note(event, arguments):
    if event == "open" and root.as_posix() in str(arguments[0]) or event in {"os.mkdir", "os.chmod", "os.rename"}:
        counts[event] += 1
def flush(descriptor):
    counts["fsync"] += 1
    fsync(descriptor)
os.fsync = flush
wholesale.kind, wholesale.release, wholesale.waiting = lambda descriptor: 0xEF53, lambda: (5, 8), lambda size: False
sys.addaudithook(note)
store.add_wheel(wheel, artifact=artifact)
print(json.dumps(counts))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts what is done on Linux")
def test_calls_for_each_file(tmp_path: Path) -> None:
    first = make_wheel(tmp_path, "bar", "1.0", {"bar.py": ""})
    second = make_wheel(tmp_path, "foo", "1.0", SMALL)
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, str(tmp_path / "store"), str(first), str(second)],
        capture_output=True,
        text=True,
        check=True,
    )
    counts: dict[str, int] = json.loads(done.stdout)
    # 204 files; the rest is what an entry takes, however many files it has.
    assert counts.pop("open") <= 204 + 30
    assert counts.pop("os.mkdir") <= 16
    assert counts.pop("os.rename") <= 4
    assert counts.pop("fsync") <= 8
    assert counts == {}


def test_large_files_are_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    wheel = zeros(tmp_path, files=4, size=48 * _MEBIBYTE)
    with WheelFile.open(wheel) as opened:
        tracemalloc.start()
        try:
            unpack(opened, tmp_path / "out")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 24 * _MEBIBYTE


@pytest.mark.parametrize("processors", [1, 64])
def test_threads_are_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    used: set[str] = set()
    with WheelFile.open(zeros(tmp_path, files=40, size=_MEBIBYTE)) as opened:
        unpack(opened, tmp_path / "out", proceed=lambda: used.add(threading.current_thread().name))
    assert 1 <= len(used) <= (1 if processors == 1 else 4)
    assert {path.stat().st_size for path in (tmp_path / "out" / "site-packages" / "foo").iterdir()} == {_MEBIBYTE}


def test_who_ends_it_ends_it_in_every_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    pieces: list[str] = []

    def proceed() -> None:
        pieces.append(threading.current_thread().name)
        if len(pieces) > 20:
            raise KeyboardInterrupt

    with WheelFile.open(zeros(tmp_path, files=12, size=16 * _MEBIBYTE)) as opened, pytest.raises(KeyboardInterrupt):
        unpack(opened, tmp_path / "out", proceed=proceed)
    assert len(pieces) < 12 * 16
    assert [thread for thread in threading.enumerate() if thread.name.startswith("multisite-unpack")] == []


def test_an_entry_that_was_ended_leaves_nothing(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    wheel = zeros(tmp_path, files=2, size=2 * _MEBIBYTE)

    def proceed() -> None:
        raise KeyboardInterrupt

    options: dict[str, Any] = {"artifact": Artifact.of(wheel), "proceed": proceed}
    with pytest.raises(KeyboardInterrupt):
        store.add_wheel(wheel, **options)
    assert list((store.root / "multi-site-packages" / ".incoming").iterdir()) == []
    assert list(store.builds()) == []

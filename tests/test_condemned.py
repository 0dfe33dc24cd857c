"""What is about to be removed, and whoever waits for it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from multisite import condemned as module
from multisite.condemned import Condemnation, CondemnedRecord, await_verdict, condemned, place
from multisite.errors import InvalidDocument, UnsupportedFormat
from multisite.liveness import Writer
from multisite.names import BuildId
from multisite.pins import Pin, pins

BUILD = BuildId.parse("a/1.0/py3-none-any-0123456789abcdef")
SHARED, TABLE = f"shared/{'d' * 64}", f"tables/{'e' * 64}"
NAMES = [str(BUILD), SHARED, TABLE]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in NAMES[:2]:
        place(tmp_path, name).mkdir(parents=True)
    (tmp_path / "tables").mkdir()
    place(tmp_path, TABLE).touch()
    return tmp_path


def said(root: Path) -> frozenset[str]:
    return frozenset().union(*(names for _, names in condemned(root, time.time())))


def wait(root: Path, *names: str) -> threading.Thread:
    """Wait for the verdict in a thread of its own, which is at it when this returns."""
    looked = threading.Event()

    def look(store_root: Path, now: float) -> object:
        found = list(condemned(store_root, now))
        looked.set()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "condemned", look)
        thread = threading.Thread(target=await_verdict, args=(root, names), kwargs={"notice": print}, daemon=True)
        thread.start()
        assert looked.wait(60)
    return thread


def ended(thread: threading.Thread) -> bool:
    thread.join(60)
    return not thread.is_alive()


def test_it_is_said_as_long_as_the_block_runs(root: Path) -> None:
    with Condemnation(root, NAMES) as condemnation:
        assert said(root) == frozenset(NAMES)
        assert condemnation.is_heard
        condemnation.withdraw([SHARED])
        assert said(root) == {str(BUILD), TABLE}
    assert list(condemned(root, time.time())) == []


def test_what_is_read_is_written() -> None:
    record = dataclasses.replace(CondemnedRecord.this_process(), names=frozenset(NAMES))
    assert CondemnedRecord.from_document(record.to_document(), "x") == record


def test_a_document_that_ends_early_is_refused_or_lacks_lines() -> None:
    document = dataclasses.replace(CondemnedRecord.this_process(), names=frozenset(NAMES)).to_document()
    head = document.index(b"\n")
    for end in range(head):
        with pytest.raises(InvalidDocument):
            CondemnedRecord.from_document(document[:end], "x")
    for end in range(head, len(document)):
        assert CondemnedRecord.from_document(document[:end], "x").names <= set(NAMES)


def test_whoever_needs_something_else_does_not_wait(root: Path) -> None:
    with Condemnation(root, [SHARED]):
        await_verdict(root, [str(BUILD), TABLE], notice=print)


@pytest.mark.parametrize("name", NAMES, ids=["entry", "shared", "table"])
def test_what_is_gone_is_not_waited_for(root: Path, name: str) -> None:
    with Condemnation(root, NAMES):
        thread = wait(root, name)
        assert thread.is_alive()
        place(root, name).rename(root / "aside")
        assert ended(thread)


def test_what_is_withdrawn_is_not_waited_for(root: Path) -> None:
    with Condemnation(root, NAMES) as condemnation:
        thread = wait(root, *NAMES[:2])
        condemnation.withdraw(NAMES[:1])
        assert thread.is_alive()
        condemnation.withdraw(NAMES[1:2])
        assert ended(thread)


def test_a_pin_waits_after_it_is_written(root: Path) -> None:
    with Condemnation(root, NAMES) as condemnation, Pin(root) as pin:
        thread = threading.Thread(target=pin.add, args=(BUILD,), daemon=True)
        thread.start()
        while not list(pins(root)) or not next(pins(root))[1].builds:
            time.sleep(0.001)
        assert thread.is_alive()
        condemnation.withdraw(NAMES)
        assert ended(thread)


def test_the_word_of_the_dead_counts_for_nothing(root: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from multisite.condemned import Condemnation
with Condemnation(Path(sys.argv[1]), sys.argv[2:]):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, str(root), *NAMES], check=False)
    assert [names for _, names in condemned(root, time.time())] == [frozenset()]
    await_verdict(root, NAMES, notice=print)


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 100], ids=["empty", "torn", "zeros"])
def test_a_damaged_one_counts_for_nothing(root: Path, content: bytes) -> None:
    (root / "condemned").mkdir()
    (root / "condemned" / "0.condemned").write_bytes(content)
    await_verdict(root, NAMES, notice=print)


def test_one_of_a_later_format_is_not_passed_over(root: Path) -> None:
    (root / "condemned").mkdir()
    (root / "condemned" / "0.condemned").write_text('{"format": 2}\n')
    with pytest.raises(UnsupportedFormat):
        await_verdict(root, NAMES, notice=print)


def test_that_of_another_host_counts_for_an_hour(root: Path) -> None:
    now = time.time()
    record = CondemnedRecord(host="elsewhere", pid=1, started=None, time=int(now), names=frozenset(NAMES))
    (root / "condemned").mkdir()
    (root / "condemned" / "0.condemned").write_bytes(record.to_document())
    assert [names for _, names in condemned(root, now)] == [frozenset(NAMES)]
    assert [names for _, names in condemned(root, now + 3602)] == [frozenset()]


def test_it_is_not_carried_out_for_ever(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with Condemnation(root, NAMES) as condemnation:
        for later, heard in ((1700, True), (1900, False), (-10, False)):
            monkeypatch.setattr(time, "time", lambda moment=now + later: moment)
            assert condemnation.is_heard is heard


def test_long_waiting_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    told: list[str] = []
    with Condemnation(root, NAMES) as condemnation:

        def tell(text: str) -> None:
            told.append(text)
            condemnation.withdraw(NAMES)

        await_verdict(root, NAMES[:1], notice=tell)
    assert told == [f"waiting for multisite gc, which is about to remove {BUILD}"]


def test_who_writes_is_this_process() -> None:
    writer = Writer.this_process()
    assert writer.can_be_seen
    assert writer.lives(time.time() + 1e6, unseen=0)

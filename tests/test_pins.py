from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from multisite import pins as module
from multisite.errors import InvalidDocument, MultisiteError
from multisite.names import BuildId
from multisite.pins import Pin, PinRecord, pins

DATA = Path(__file__).parent / "data" / "pins"
BUILDS = [BuildId.parse(f"{name}/1.0/py3-none-any-0123456789abcdef") for name in "abcdefgh"]
DAY = 24 * 3600


@pytest.fixture
def store_root(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def only(store_root: Path) -> PinRecord:
    ((_, record),) = pins(store_root)
    return record


@pytest.mark.parametrize("path", sorted((DATA / "valid").glob("*.pin")), ids=lambda path: path.stem)
def test_what_is_read_is_written(path: Path) -> None:
    record = PinRecord.from_document(path.read_bytes(), path)
    assert PinRecord.from_document(record.to_document(), path) == record
    assert record.pid == 1234


@pytest.mark.parametrize("path", sorted((DATA / "invalid").glob("*.pin")), ids=lambda path: path.stem)
def test_every_fault_is_reported(path: Path) -> None:
    with pytest.raises(MultisiteError) as caught:
        PinRecord.from_document(path.read_bytes(), path.name)
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_a_truncated_document_is_refused_or_lacks_the_last_lines() -> None:
    document = (DATA / "valid" / "full.pin").read_bytes()
    whole, head = PinRecord.from_document(document, "x.pin"), document.index(b"\n")
    for end in range(head):
        with pytest.raises(InvalidDocument):
            PinRecord.from_document(document[:end], "x.pin")
    for end in range(head, len(document)):
        found = PinRecord.from_document(document[:end], "x.pin")
        assert (found.host, found.pid, found.shared) == (whole.host, whole.pid, ())
        assert found.builds in {(), whole.builds}


def test_a_pin_lasts_as_long_as_its_block(store_root: Path) -> None:
    with Pin(store_root) as pin:
        assert list(pins(store_root)) == []
        pin.add(BUILDS[1])
        pin.add(BUILDS[0], BUILDS[2])
        pin.add_shared("d" * 64)
        record = only(store_root)
        assert record.builds == tuple(BUILDS[:3])
        assert record.shared == ("d" * 64,)
        assert record.pid == os.getpid()
        assert record.holds(time.time())
    assert list(pins(store_root)) == []


def test_a_failure_ends_it_as_well(store_root: Path) -> None:
    def fail() -> None:
        with Pin(store_root) as pin:
            pin.add(BUILDS[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(pins(store_root)) == []


def test_what_is_pinned_already_writes_nothing(store_root: Path) -> None:
    with Pin(store_root) as pin:
        pin.add(*BUILDS)
        ((path, _),) = pins(store_root)
        before = path.stat().st_size
        pin.add(BUILDS[3])
        assert path.stat().st_size == before


def test_threads_share_a_pin(store_root: Path) -> None:
    with Pin(store_root) as pin:
        threads = [threading.Thread(target=pin.add, args=(build,)) for build in BUILDS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert only(store_root).builds == tuple(BUILDS)


def test_several_pins(store_root: Path) -> None:
    with Pin(store_root) as one, Pin(store_root) as other:
        one.add(BUILDS[0])
        other.add(BUILDS[1])
        assert {record.builds for _, record in pins(store_root)} == {(BUILDS[0],), (BUILDS[1],)}


HOLD = """
import sys
from pathlib import Path
from multisite.names import BuildId
from multisite.pins import Pin
with Pin(Path(sys.argv[1])) as pin:
    pin.add(BuildId.parse(sys.argv[2]))
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_pin_of_another_process_holds_until_it_dies(store_root: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(store_root), str(BUILDS[0])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        record = only(store_root)
        assert record.pid == process.pid
        assert record.holds(time.time())
        process.kill()
        process.wait()
    assert only(store_root) == record
    assert not record.holds(time.time())


@pytest.mark.parametrize("is_dead", [True, False])
def test_a_pin_whose_lines_are_torn_counts_while_its_process_lives(store_root: Path, is_dead: bool) -> None:
    record = PinRecord.this_process()
    record = dataclasses.replace(record, started="an earlier boot 1") if is_dead else record
    path = store_root / "pins" / f"{'a' * 32}.pin"
    path.parent.mkdir()
    path.write_bytes(record.to_document() + bytes(20) + b"\n")  # as a power failure leaves what was not flushed
    if not is_dead:
        with pytest.raises(InvalidDocument):
            list(pins(store_root))
    else:
        assert list(pins(store_root)) == []
    module.sweep(path.parent)
    assert path.exists() != is_dead


def test_another_process_with_the_same_number(store_root: Path) -> None:
    with Pin(store_root) as pin:
        pin.add(BUILDS[0])
        record = only(store_root)
    if record.started is None:
        pytest.skip("this system does not tell when a process started")
    assert not dataclasses.replace(record, started="an earlier boot 1").holds(time.time())


def test_a_pin_of_another_host_holds_for_a_day(store_root: Path) -> None:
    now = time.time()
    record = PinRecord(host="elsewhere", pid=1, started=None, time=int(now))
    assert record.holds(now)
    assert record.holds(now + DAY - 2)
    assert not record.holds(now + DAY + 2)


def test_a_process_of_another_account_holds() -> None:
    with pytest.MonkeyPatch.context() as patch:
        record = PinRecord.this_process()

        def refuse(*_: object) -> None:
            raise PermissionError

        patch.setattr(os, "kill", refuse)
        assert record.holds(time.time())


def test_a_system_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "readlink", missing)
    monkeypatch.setattr(Path, "read_text", missing)
    record = PinRecord.this_process()
    assert record.started is None
    assert record.holds(time.time())


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_store_that_is_read_only(store_root: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, "write_note", refuse)
    with Pin(store_root) as pin:
        pin.add(BUILDS[0])
        assert list(pins(store_root)) == []


def test_other_failures_are_not_hidden(store_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "write_note", refuse)
    with pytest.raises(OSError, match="No space left"), Pin(store_root) as pin:
        pin.add(BUILDS[0])


def test_a_damaged_pin_is_not_passed_over(store_root: Path) -> None:
    (store_root / "pins").mkdir()
    (store_root / "pins" / "x.pin").write_text("{")
    with pytest.raises(InvalidDocument) as caught:
        list(pins(store_root))
    assert caught.value.problems[0].startswith("not JSON at line 1")


def test_pins_of_the_dead_are_swept_and_no_others(store_root: Path) -> None:
    folder = store_root / "pins"
    with Pin(store_root) as alive:
        alive.add(BUILDS[0])
        (living,) = folder.iterdir()
        record = only(store_root)
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        dead = {"dead": {"pid": ended.pid}, "reused": {"started": "another boot 1"}}
        elsewhere = {"elsewhere": {"host": "another", "pid": ended.pid}}
        for name, facts in {**dead, **elsewhere}.items():
            changed = dataclasses.replace(record, **facts)  # type: ignore[arg-type]
            (folder / f"{name}.pin").write_bytes(changed.to_document())
        (folder / "damaged.pin").write_bytes(b"x")
        with Pin(store_root):
            assert {path.name for path in folder.iterdir()} == {living.name, "elsewhere.pin", "damaged.pin"}


def test_nothing_is_swept_in_a_store_of_a_later_format(store_root: Path) -> None:
    (store_root / "pins").mkdir()
    dead = dataclasses.replace(PinRecord.this_process(), started="another boot 1")
    (store_root / "pins" / "dead.pin").write_bytes(dead.to_document())
    with Pin(store_root, ours=False):
        assert [path.name for path in (store_root / "pins").iterdir()] == ["dead.pin"]
    with Pin(store_root):
        assert list((store_root / "pins").iterdir()) == []


def test_a_distribution_called_shared(store_root: Path) -> None:
    build = BuildId.parse("shared/1.0/py3-none-any-0123456789abcdef")
    with Pin(store_root) as pin:
        pin.add(build)
        assert only(store_root).builds == (build,)


def test_a_process_that_has_ended_and_waits_to_be_noticed_holds_nothing(store_root: Path) -> None:
    with Pin(store_root) as pin:
        pin.add(BUILDS[0])
        record = only(store_root)
    if record.started is None:
        pytest.skip("this system does not tell when a process started")
    with subprocess.Popen([sys.executable, "-c", "print()"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert (
            not dataclasses.replace(record, pid=process.pid, started="ended").holds(time.time())
            or sys.platform == "win32"
        )

"""A person who has waited long enough."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.bad_input.case import files, locked
from tests.index import Fault

if TYPE_CHECKING:
    from tests.machine import Machine


@pytest.fixture
def hears_hangups() -> Iterator[None]:
    """Commands are deaf to them where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nobody_waits_for_a_silent_server(machine: Machine, number: signal.Signals, hears_hangups: None) -> None:
    held, fault = threading.Event(), Fault()
    fault.hold = held
    machine.index.fail("alpha-1.0-py3-none-any.whl", fault)
    lock = locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")
    before = files(machine.store, machine.venv)
    with machine.spawn("sync", lock) as process:
        assert fault.arrived.wait(60)
        process.send_signal(number)
        _, err = process.communicate()  # the server is silent still
    assert not held.is_set()
    held.set()
    said = "interrupted" if number == signal.SIGINT else "terminated"
    assert (err.splitlines()[-1], process.returncode) == (said, 128 + number)
    assert files(machine.store, machine.venv) == before

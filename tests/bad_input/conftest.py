"""The machine that all bad input is given to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bad_input.case import prepare
from tests.machine import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr("multisite.fetching._Job._pause", lambda job, seconds: None)
    with Machine.opened(tmp_path) as machine:
        prepare(machine)
        yield machine

"""Work beside the rest: by a thread, and in its place where no thread is to be had."""

from __future__ import annotations

import _thread

import pytest

from multisite.aside import Aside
from multisite.ending import Terminated


def refuse(*_given: object) -> int:
    raise RuntimeError("can't start new thread")


def fail(error: BaseException) -> None:
    raise error


@pytest.fixture(params=["thread", "none"])
def _threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "none":
        monkeypatch.setattr(_thread, "start_new_thread", refuse)


@pytest.mark.usefixtures("_threads")
def test_it_is_done() -> None:
    done: list[str] = []
    work = Aside(lambda: done.append("done"))
    work.demand()
    assert done == ["done"]


@pytest.mark.usefixtures("_threads")
def test_what_it_raised_is_raised_by_whoever_demands_it() -> None:
    work = Aside(lambda: fail(ValueError("no")))
    work.wait()
    with pytest.raises(ValueError, match="no"):
        work.demand()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Terminated(15)], ids=["ctrl-c", "sigterm"])
def test_an_interruption_in_its_place_is_raised_at_once(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    with pytest.raises(type(error)):
        Aside(lambda: fail(error))

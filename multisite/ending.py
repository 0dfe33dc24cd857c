"""Signals that end a process are an exception while it is at work, so that what is half made is put away first.

Nothing is imported here that an interpreter has not loaded at its start: an environment is made in little more time
than ``signal`` takes to import.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found, unused-ignore]

TYPE_CHECKING = False  # the import of typing takes longer than all that is here
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Deferred", "Terminable", "Terminated"]

# Besides Ctrl-C: what supervisors send, and what a terminal sends that is closed.
_ENDING = tuple(getattr(_signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(_signal, name))


class Terminated(SystemExit):
    """The process was asked to end, and puts things away first, as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


class Terminable:
    """A block that such signals end by ``Terminated``."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in _ENDING:
            before = _signal.getsignal(number)
            # nohup has a command ignore one of them; what is not known here cannot be put back.
            if before in (_signal.SIG_IGN, None):
                continue
            try:
                _signal.signal(number, _terminate)
            except ValueError:  # only the main thread hears them
                return
            self._before[number] = before

    def __exit__(self, *failure: object) -> None:
        for number, handler in self._before.items():
            _signal.signal(number, handler)


class Deferred:
    """A block that no signal interrupts which has a handler; the last of those that came is heard when it is over."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._came: tuple[int, Any] | None = None

    def __enter__(self) -> None:
        for number in (_signal.SIGINT, *_ENDING):
            before = _signal.getsignal(number)
            if not callable(before):
                continue
            try:
                _signal.signal(number, self._note)
            except ValueError:  # only the main thread hears them
                return
            self._before[number] = before

    def __exit__(self, *failure: object) -> None:
        try:
            self._put_back()
        finally:  # the first that was put back may have been called at once
            self._put_back()
        if self._came is not None:
            number, frame = self._came
            self._before[number](number, frame)

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            _signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        self._came = number, frame


def _terminate(number: int, _frame: object) -> None:
    raise Terminated(number)

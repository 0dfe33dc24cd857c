"""Work that is done beside the rest, by a thread: with what an interpreter has loaded at its start."""

from __future__ import annotations

import _thread

TYPE_CHECKING = False  # the import of typing takes longer than most of such work
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Aside"]


class Aside:
    """Work that is done by a thread of its own; ``threading`` takes longer to import than it would save."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._failure: BaseException | None = None
        self._done = _thread.allocate_lock()
        self._done.acquire()
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # no more of them are allowed
            self._run()
            if self._failure is not None and not isinstance(self._failure, Exception):
                raise self._failure from None  # whoever interrupts waits for nothing else

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever waits for it
            self._failure = error
        finally:
            self._done.release()

    def wait(self) -> None:
        """Return once it is done, however it ended."""
        with self._done:
            pass

    def demand(self) -> None:
        """Return once it is done; raise what it raised."""
        self.wait()
        if self._failure is not None:
            raise self._failure

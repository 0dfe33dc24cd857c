"""Files on their way, drawn as bars on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import TaskID
    from typing_extensions import Self

__all__ = ["Bars", "Steps"]


class Bars:
    """The bars on *console* while a ``with`` block runs; afterwards nothing is left of them. Threads may share it.

    ``waits`` is told what waits for another try, as ``Progress.waiting`` is.
    """

    def __init__(self, console: Console, *, waits: Callable[[str, float, str], None]) -> None:
        self._waits = waits
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        self._drawn = Progress(*columns, console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._drawn.start()
        return self

    def __exit__(self, *caught: object) -> None:
        self._drawn.stop()

    def started(self, name: str, total: int | None) -> None:
        """Add a bar."""
        self._tasks[name] = self._drawn.add_task(name, total=total)

    def advanced(self, name: str, count: int) -> None:
        """Move a bar on."""
        self._drawn.advance(self._tasks[name], count)

    def restarted(self, name: str) -> None:
        """Move a bar back to its start."""
        self._drawn.reset(self._tasks[name])

    def waiting(self, name: str, seconds: float, reason: str) -> None:
        """Say so above the bars."""
        self._waits(name, seconds, reason)

    def finished(self, name: str) -> None:
        """Take a bar away."""
        self._drawn.remove_task(self._tasks.pop(name))


class Steps:
    """How far a command is, as one bar on *console* while a ``with`` block runs. Threads may share it."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        self._drawn = Progress(*columns, console=console, transient=True)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._drawn.start()
        return self

    def __exit__(self, *caught: object) -> None:
        self._drawn.stop()

    def begin(self, what: str, total: int) -> None:
        """Begin with a part of the work: its bar takes the place of the one before."""
        if self._task is not None:
            self._drawn.remove_task(self._task)
        self._task = self._drawn.add_task(what, total=total)

    def advance(self) -> None:
        """Move the bar on."""
        if self._task is not None:
            self._drawn.advance(self._task)

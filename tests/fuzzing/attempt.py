"""One attempt: a target reads changed bytes in a folder of its own, and what it does there is looked at."""

from __future__ import annotations

import contextlib
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzzing.changes import Change, apply

if TYPE_CHECKING:
    from tests.fuzzing.targets import Target

__all__ = ["Bench"]


class Bench:
    """A target with its samples, and a folder in which it is tried."""

    def __init__(self, target: Target, root: Path) -> None:
        self.target = target
        self.root = root
        work = root / "samples"
        work.mkdir()
        self.samples = list(target.samples(work))
        shutil.rmtree(work)
        assert self.samples

    @classmethod
    @contextlib.contextmanager
    def opened(cls, target: Target, folder: Path | None = None) -> Iterator[Bench]:
        with tempfile.TemporaryDirectory(prefix="fuzzing-", dir=folder) as root:
            yield cls(target, Path(root))

    def changed(self, number: int, changes: Sequence[Change]) -> bytes:
        return apply(self.samples[number % len(self.samples)], changes, self.samples)

    def attempt(self, data: bytes) -> bool:
        """Have the target read *data*; return whether it took it. Whatever it may not do raises."""
        inside = self.root / "inside"
        inside.mkdir()
        try:
            self.target.read(data, inside)
        except self.target.allowed as error:
            str(error).encode()
            return False
        else:
            return True
        finally:
            self._look()
            shutil.rmtree(inside)

    def _look(self) -> None:
        assert [path.name for path in self.root.iterdir()] == ["inside"], "something was written outside"
        for path in self.root.rglob("*"):
            mode = path.lstat().st_mode
            assert stat.S_ISREG(mode) or stat.S_ISDIR(mode), f"{path} is no file"
            assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX), f"{path} has mode {mode:o}"

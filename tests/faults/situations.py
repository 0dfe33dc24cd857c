"""The commands that are tried, and what there is when they begin."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.ground import FaultGround
from tests.killing import Situation
from tests.machine import Machine
from tests.test_killing import SITUATIONS, fill

if TYPE_CHECKING:
    from tests.killing import Lock

__all__ = ["NAMES", "Prepared", "prepared"]

_COMMON = "# the same in both releases\n" * 300
_BOTH = "first+second"
NAMES = (*SITUATIONS, "edit", "undo", "repair", "gc", "dedup", "blueprint", "compile", "import")


class Prepared:
    """A ground, and the situations by name."""

    def __init__(self, ground: FaultGround) -> None:
        self.ground = ground
        first = ground.locked("first", ["alpha==1.0", "joint-a==1.0", "gone", "gamma==1.0"])
        second = ground.locked("second", ["alpha==2.0", "joint-a==2.0", "new", "gamma==2.0"])
        self.situations = dict(zip(SITUATIONS, ground.situations(first, second), strict=True))
        self._edits(first)
        self._repair(first)
        self.situations["gc"] = Situation(_BOTH, ("gc", "--now"), first, first)
        self.situations["dedup"] = Situation(_BOTH, ("dedup", "--links"), first, first)
        self._blueprint(first)
        self.situations["compile"] = Situation(
            "uncompiled", ("sync", str(first.lockfile), "--compile", "all"), first, first
        )
        self._uncompiled(first)

    def _edits(self, first: Lock) -> None:
        ground, words = self.ground, ("edit", "alpha")
        ground.restore("first")
        ground.machine.run(*words).succeeded()
        edited = replace(first, name="edited", holds=ground._probe(), scripts=ground.scripts())
        assert edited.holds != first.holds
        ground.take_picture("edited")
        self.situations["edit"] = Situation("first", words, first, edited)
        self.situations["undo"] = Situation("edited", ("edit", "--undo", "alpha"), edited, first)

    def _blueprint(self, first: Lock) -> None:
        """Have an environment made from the lockfile once, and none be there."""
        ground, machine = self.ground, self.ground.machine
        words = ("sync", str(first.lockfile), "--python", ground.python)
        ground.restore("first")
        for _ in range(2):  # the first one draws it, the second one only draws what the first one left
            shutil.rmtree(machine.venv)
            machine.run(*words).succeeded()
        shutil.rmtree(machine.venv)
        assert list((machine.folder / "home" / ".cache" / "multisite" / "blueprints").iterdir())
        ground.take_picture("blueprint")
        self.situations["blueprint"] = Situation("blueprint", words, None, first)

    def _uncompiled(self, first: Lock) -> None:
        """Have no bytecode of what imports find: they write it."""
        ground, machine = self.ground, self.ground.machine
        ground.restore("first")
        for folder in [
            *machine.store.glob("multi-site-packages/*/**/__pycache__"),
            *machine.store.glob("shared/**/__pycache__"),
        ]:
            shutil.rmtree(folder)
        ground.take_picture("uncompiled")
        words = (
            str(machine.venv / "bin" / "python"),
            "-c",
            "import alpha, alpha_one, gamma.common, joint.a, joint.b, gone",
        )
        self.situations["import"] = Situation("uncompiled", words, first, first)

    def _repair(self, first: Lock) -> None:
        self.ground.restore("first")
        (damaged,) = self.ground.machine.store.glob("multi-site-packages/alpha/1.0/*/site-packages/alpha.py")
        damaged.write_bytes(damaged.read_bytes() + b"# somebody was here\n")
        self.ground.take_picture("damaged")
        self.situations["repair"] = Situation("damaged", ("verify", "--repair"), first, first)


@contextlib.contextmanager
def prepared(folder: Path) -> Iterator[Prepared]:
    """Make a machine in *folder*, and every situation."""
    with Machine.opened(folder / "machine") as machine:
        fill(machine)
        for version in ("1.0", "2.0"):
            machine.wheel("gamma", version, files={"gamma": {"__init__.py": "", "common.py": _COMMON}})
        ground = FaultGround(machine)
        ground.open()
        try:
            found = Prepared(ground)
            assert tuple(found.situations) == NAMES
            yield found
        finally:
            ground.close()

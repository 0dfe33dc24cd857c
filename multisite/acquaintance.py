"""What interpreters have said of themselves, kept in the cache: asking one takes longer than a command may.

It holds as long as the interpreter's file, the environment's configuration and what starts with it are as they were,
for one account, one system and one multisite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multisite import settled
from multisite.interpreter import Interpreter, interpreter_facts
from multisite.settled import THROUGH, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from multisite.cache import Cache
    from multisite.environment import Environment

__all__ = ["Acquaintance"]

_KIND = "interpreters"  # the folder in the cache
_MAGIC = b"MSINTERPRETER\x00"
_FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """Interpreters that were met before, by what is kept in the ``cache``; ``environ`` are the variables."""

    cache: Cache
    environ: Mapping[str, str]

    def inspect(self, executable: Path) -> Interpreter:
        """Return the interpreter at *executable* as ``inspect_interpreter`` does."""
        path = executable.absolute()
        return Interpreter.from_facts(path, self._facts(path, list(_base(path))))

    def of(self, environment: Environment) -> Interpreter:
        """Return the interpreter of *environment* as ``own_interpreter`` does."""
        if environment.fault is not None:
            from multisite.remaking import own_interpreter

            return own_interpreter(environment)  # which says so
        path = environment.python
        return Interpreter.from_facts(path, self._facts(path, [*_base(path), *_started(environment)]))

    def _facts(self, path: Path, looked_at: list[tuple[str, int, list[str]]]) -> dict[str, Any]:
        circumstances = settled.circumstances(self.environ)
        if circumstances is None:
            return interpreter_facts(path)
        name = settled.name_for(str(path))
        # Variables may decide how an interpreter starts, all of them.
        told = sorted(item for item in self.environ.items() if item[0].startswith(("PYTHON", "LD_", "DYLD_")))
        key = (str(path), circumstances, told, settled.print_of(looked_at))
        known = settled.read(str(self.cache.place(_KIND, name)), _MAGIC, _FORMAT)
        if known is not None and known.get("key") == key:
            found: dict[str, Any] = known["facts"]
            return found
        facts = interpreter_facts(path)
        if _is_itself(path, facts):
            self.cache.remember(_KIND, name, settled.encode({"key": key, "facts": facts}, _MAGIC, _FORMAT))
        return facts


def _is_itself(path: Path, facts: Mapping[str, Any]) -> bool:
    """Tell whether the file at *path* is what answered, and no program that chooses one each time it is run."""
    try:
        return path.samefile(facts["executable"])
    except (OSError, LookupError):
        return False


def _base(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    yield str(path.parent), WHOLE, [path.name]
    yield str(path.parent), THROUGH, [path.name]
    yield str(path.parent.parent), THROUGH, ["pyvenv.cfg"]


def _started(environment: Environment) -> Iterator[tuple[str, int, list[str]]]:
    """Yield what is read when the interpreter of an environment starts."""
    folder = environment.site_packages
    yield str(folder), WHOLE, [".", *sorted(name for name in _names(folder) if name.endswith((".pth", "customize.py")))]
    runtime = environment.state_folder / "runtime"
    yield str(environment.state_folder), WHOLE, ["table"]
    yield str(runtime), WHOLE, [f"{name}/__init__.py" for name in sorted(_names(runtime))]


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []

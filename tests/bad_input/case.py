"""Whatever comes in: a sentence with the next thing to type, an exit code, and no damage.

Each module has a table, `bad`. Each function in it arranges one thing that is wrong and returns the command; the table
holds the exit code and the exact text on stderr, in which ROOT stands for the folder of the test and INDEX for the
index. Every case runs where there is no environment yet, and in one that holds a distribution; afterwards store and
environment are as they were, and nothing was written elsewhere.
"""

from __future__ import annotations

import hashlib
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from multisite.store import Store
from tests.machine import Machine
from tests.pythons import found_pythons

__all__ = [
    "HERE",
    "Arrange",
    "Case",
    "Cases",
    "Decorator",
    "Words",
    "elsewhere",
    "entry",
    "everything",
    "existing",
    "files",
    "hashed",
    "listed",
    "locked",
    "lockfile",
    "prepare",
    "shown",
]

Words: TypeAlias = "list[str | Path]"
Arrange: TypeAlias = Callable[[Machine], "Words"]
Decorator: TypeAlias = Callable[[Arrange], Arrange]

STATES = ("new", "existing")
LOCKS = {(".multisite", "lock"), (".venv", ".lock")}  # the other one is uv's
HERE = ".".join(map(str, sys.version_info[:3]))


@dataclass(frozen=True)
class Case:
    arrange: Arrange
    code: int
    message: str
    unprivileged: bool

    def check(self, machine: Machine, state: str) -> None:
        if state == "existing":
            existing(machine)
        words = self.arrange(machine)
        words = words if "-v" in words else [*words[:1], "-q", *words[1:]]
        before = everything(machine)
        done = machine.run_unprivileged(*words) if self.unprivileged else machine.run(*words)
        assert (shown(done.err, machine), done.code, done.out) == (self.message, self.code, "")
        assert everything(machine) == before


class Cases:
    """The cases of one module: called with the facts of one, it is a decorator that adds it."""

    def __init__(self, states: tuple[str, ...] = STATES) -> None:
        self._states = states
        self._rows: list[tuple[str, str, Case]] = []

    def __call__(
        self,
        code: int,
        message: str,
        then: str | None = None,
        *,
        states: tuple[str, ...] | None = None,
        unprivileged: bool = False,
    ) -> Decorator:
        """Add a case with a whole message, or with a sentence of one error and what to do *then*."""
        text = textwrap.dedent(message).lstrip("\n") if then is None else f"error: {message}\nnext: {then}\n"

        def add(arrange: Arrange) -> Arrange:
            case = Case(arrange, code, text, unprivileged)
            self._rows += [(arrange.__name__, state, case) for state in states or self._states]
            return arrange

        return add

    def add(self, name: str, arrange: Arrange, code: int, sentence: str, then: str) -> None:
        """Add a case from a table, under a *name* of its own."""
        case = Case(arrange, code, f"error: {sentence}\nnext: {then}\n", unprivileged=False)
        self._rows += [(name, state, case) for state in self._states]

    def each(self, test: Callable[..., None]) -> Callable[..., None]:
        """Run *test* with each ``case`` in each ``state``, by their names."""
        rows = [pytest.param(case, state, id=f"{name}-{state}") for name, state, case in self._rows]
        decorated: Callable[..., None] = pytest.mark.parametrize(("case", "state"), rows)(test)
        return decorated


def listed(head: str, problems: tuple[str, ...]) -> str:
    """Return the sentence for one problem or several."""
    return f"{head}: {problems[0]}" if len(problems) == 1 else "\n  - ".join([head, *problems])


def prepare(machine: Machine) -> None:
    machine.variables |= {"UV_HTTP_RETRIES": "0", "no_proxy": "*"}
    machine.wheel("alpha")
    machine.wheel("kept", "1.0")
    Store.open(machine.store)


def hashed(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lockfile(machine: Machine, text: str | bytes, name: str = "given.toml") -> Path:
    path = machine.work / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def entry(filename: str, **facts: Any) -> str:
    """Return a lockfile's text for one wheel."""
    name, version = filename.split("-")[:2]
    pairs = ", ".join(f"{key} = {value if isinstance(value, int) else _quoted(value)}" for key, value in facts.items())
    package = f'name = "{name}"\nversion = "{version}"\nwheels = [{{name = "{filename}", {pairs}}}]\n'
    return f'lock-version = "1.0"\ncreated-by = "somebody"\n\n[[packages]]\n{package}'


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'{key} = "{item}"' for key, item in value.items()) + "}"
    return f'"{value}"'


def locked(machine: Machine, wheel: Path, **facts: Any) -> Path:
    """Return a lockfile that names a wheel of the index, rightly but for the *facts* given."""
    given = {
        "url": machine.index.file_url(wheel.name),
        "size": wheel.stat().st_size,
        "hashes": {"sha256": hashed(wheel)},
    }
    return lockfile(machine, entry(wheel.name, **{**given, **facts}))


def existing(machine: Machine) -> None:
    machine.run("sync", locked(machine, machine.index.folder / "kept-1.0-py3-none-any.whl")).succeeded()
    (machine.work / "given.toml").unlink()


def files(*folders: Path) -> dict[str, object]:
    """Return everything in the folders but locks, and the folders themselves; as it is, not as it is named."""
    found: dict[str, object] = {}
    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            relative = path.relative_to(folder).parts
            if relative[:1] == ("locks",) or path.parts[-2:] in LOCKS or "__pycache__" in relative:
                continue
            if path.is_symlink():
                found[str(path)] = path.readlink()
            elif path.is_file():
                found[str(path)] = (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
    return found


def everything(machine: Machine) -> dict[str, object]:
    """Return all that a command could have written to, but for caches and the index."""
    top = sorted(path.name for path in machine.folder.iterdir() if not path.name.startswith("uv-cache"))
    home = files(machine.folder / "home")
    cache = str(machine.folder / "home" / ".cache")
    return {
        "top": top,
        **{path: content for path, content in home.items() if not path.startswith(cache)},
        **files(machine.store, machine.venv, machine.work),
    }


def shown(text: str, machine: Machine) -> str:
    text = text.replace(machine.index.origin, "INDEX").replace(str(machine.folder), "ROOT")
    for path in found_pythons().values():
        text = text.replace(str(path), "PYTHON")
    for known, name in ((HERE, "HERE"), (f"cp{''.join(HERE.split('.')[:2])}", "cpXY")):
        text = text.replace(known, name)
    text = re.sub(r"manylinux_\d+_\d+_x86_64|manylinux\w*", "PLATFORM", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    return re.sub(r"Resolved 1 package.*\n", "", text)


def elsewhere(url: str) -> str:
    return entry("alpha-1.0-py3-none-any.whl", url=url, hashes={"sha256": "0" * 64})

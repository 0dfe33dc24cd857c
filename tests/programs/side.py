"""One side of a comparison: an environment, a folder to work in, and what the program was seen to do there."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.parity.normalising import normalised
from tests.programs.process import Server, finished, running

if TYPE_CHECKING:
    from tests.parity.environments import Environment
    from tests.parity.header import Rule

__all__ = ["Side"]

_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, kw_only=True)
class Side:
    """Run programs of ``environment`` and write down what they do. ``wheels`` is a folder with wheel files."""

    environment: Environment
    wheels: Path
    varying: tuple[Rule, ...] = ()
    seen: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.environment.venv.parent

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def python(self) -> Path:
        return self.environment.venv / "bin" / "python"

    def environ(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return what an activated environment has, with no settings of the person who runs this."""
        folder = self.folder
        for name in ("home", "tmp", "work"):
            (folder / name).mkdir(exist_ok=True)
        return {
            "PATH": f"{self.environment.venv / 'bin'}{os.pathsep}{os.defpath}",
            "VIRTUAL_ENV": str(self.environment.venv),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LANG": "C.UTF-8",
            "COLUMNS": "400",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **(variables or {}),
        }

    def write(self, files: Mapping[str, str]) -> None:
        """Write *files* below the working folder."""
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run(
        self,
        *command: str | Path,
        cwd: str = ".",
        variables: Mapping[str, str] | None = None,
        quiet: bool = False,
        ordered: bool = True,
        told: str = "",
        silent: bool = False,
    ) -> str:
        """Run a program of the environment to its end; write down exit code and output, and return its stdout.

        *quiet* leaves the output out, *silent* the command; lines that come in another *order* each time are sorted;
        *told* is what it reads.
        """
        environ = self.environ(variables)
        words = [self._program(str(command[0])), *map(str, command[1:])]
        code, out, err = finished(words, folder=self.work / cwd, environ=environ, told=told)
        self.codes.append(code)
        shown = command[:1] if silent else command
        self.note(f"$ {' '.join(map(str, shown))}", f"exit code {code}")
        if not quiet:
            self.note("out", out, ordered=ordered)
            self.note("err", err, ordered=ordered)
        return out

    def probe(self, code: str, **options: Any) -> str:
        """Run *code* in the interpreter."""
        return self.run("python", "-c", code, **options)

    @contextlib.contextmanager
    def serve(
        self, *command: str | Path, cwd: str = ".", variables: Mapping[str, str] | None = None
    ) -> Iterator[Server]:
        """Run a program that keeps running; its output is noted by the one who drives it."""
        environ = {**self.environ(variables), "PYTHONUNBUFFERED": "1"}
        output = self.folder / f"output-{len(list(self.folder.glob('output-*')))}"
        words = [self._program(str(command[0])), *map(str, command[1:])]
        with running(words, folder=self.work / cwd, environ=environ, output=output) as server:
            yield server

    def stopped(self, server: Server, number: int) -> None:
        """Stop *server* by signal *number*; write down its exit code."""
        code = server.stop(number)
        self.codes.append(code)
        self.note("stopped", f"exit code {code}")

    def note(self, label: str, value: Any, *, ordered: bool = True) -> None:
        """Write down *value*, a text or anything that JSON knows."""
        text = value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True)
        lines = [line.rstrip() for line in self.normal(text).splitlines()]
        noted = [f"[{self.normal(label)}]", *(lines if ordered else sorted(lines))]
        self.seen.extend(noted)
        with (self.folder / "seen").open("a", encoding="utf-8") as file:
            file.write("\n".join([*noted, ""]))

    def note_paths(self, label: str, paths: Iterable[str | Path]) -> None:
        """Write down *paths* in the order of their names here, whatever the order of the real ones is."""
        self.note(label, "\n".join(sorted(self.normal(str(path)) for path in paths)))

    def normal(self, text: str) -> str:
        """Put names for places, and words for what varies."""
        environment = self.environment
        folders = {name: str(getattr(environment, name)) for name in ("store", "site", "venv")}
        for folder in folders.values():
            # Some say where a file is as seen from the working folder.
            text = text.replace(os.path.relpath(folder, self.work) + "/", f"{folder}/")
        return normalised(_TERMINAL.sub("", text), {**folders, "run": str(self.folder)}, self.varying)

    def tree(self, folder: str, *, content: bool = True) -> dict[str, str]:
        """Return what lies below *folder*: paths with modes, and texts."""
        found = {}
        for path in sorted((self.work / folder).rglob("*")):
            if "__pycache__" in path.parts or path.is_dir():
                continue
            name = f"{path.relative_to(self.work)} {path.stat().st_mode & 0o777:o}"
            found[name] = _text(path) if content else ""
        return found

    def _program(self, name: str) -> str:
        """Return the environment's program of that name, or a program of the system."""
        own = self.environment.venv / "bin" / name
        return str(own) if own.exists() else name


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return f"{path.stat().st_size} bytes"

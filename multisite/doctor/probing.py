"""The question to an environment's own interpreter: what it finds when it starts as its user starts it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from multisite.doctor.examination import Answer, FoundDistribution, FoundModule
from multisite.errors import InterpreterNotUsable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["ask"]

_MARK = "multisite doctor: "
_TIMEOUT = 120  # seconds: a cold start from a network disk takes many, a question to a terminal takes for ever


def ask(
    python: Path,
    *,
    runtime: Path,
    modules: Mapping[str, Sequence[str]],
    distributions: Mapping[str, str],
    environ: Mapping[str, str],
    stores: Sequence[Path | None] = (),
    imports: bool = False,
) -> Answer:
    """Start *python* and have it find top-level *modules* and *distributions*, without importing any.

    *modules* maps names to the folders that have them, *distributions* the names of the answer to those to ask by,
    *runtime* is the folder of the start-up code. Variables of *environ* that change what any interpreter imports are
    left out; *stores* are what ``MULTISITE_STORE`` is to list. The sources of tools that the start-up code does
    something for are read; with *imports* the tools are imported, in a process of their own. Raises
    InterpreterNotUsable.
    """
    question = {"runtime": str(runtime), "modules": modules, "distributions": distributions, "imports": imports}
    variables = _environment(environ, stores)
    plain, said = _asked(python, question, variables)
    answer = _answer(plain, said)
    if not imports or not plain["tools"]:
        return answer
    try:
        unknown, _ = _asked(python, {"tools": plain["tools"]}, variables)
    except InterpreterNotUsable as error:
        return replace(answer, tools_problem=str(error))
    return replace(answer, unknown_tools=(*answer.unknown_tools, *unknown))


def _asked(python: Path, question: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Any, str]:
    """Return the answer to one question, and what the interpreter said on stderr while it started."""
    command = [str(python), "-c", (files("multisite.doctor") / "probe.py").read_text(encoding="utf-8")]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(question).encode(),
            capture_output=True,
            check=False,
            env=environ,
            timeout=_TIMEOUT,
        )
    except OSError as error:
        raise InterpreterNotUsable(str(python), f"it cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise InterpreterNotUsable(str(python), f"it gave no answer in {_TIMEOUT} seconds") from error
    said, _, later = done.stderr.decode("utf-8", "replace").partition(f"\n{_MARK}\n")
    answers = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.startswith(_MARK)]
    if done.returncode != 0 or not answers:
        output = f"{said}{later}".strip()
        raise InterpreterNotUsable(
            str(python), f"it does not start (exit code {done.returncode})" + (f":\n{output}" if output else "")
        )
    return json.loads(answers[-1].removeprefix(_MARK)), said


def _environment(environ: Mapping[str, str], stores: Sequence[Path | None]) -> dict[str, str]:
    # PYTHONPATH and its like belong to the shell; what a check leaves behind belongs to nobody.
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("PYTHON") and name not in {"MULTISITE_DISABLE", "MULTISITE_STORE"}
    }
    listed = os.pathsep.join("" if store is None else os.fspath(store) for store in stores)
    moved = {"MULTISITE_STORE": listed} if listed else {}
    return {**kept, **moved, "PYTHONDONTWRITEBYTECODE": "1"}


def _answer(plain: Mapping[str, Any], said: str) -> Answer:
    return Answer(
        version=plain["version"],
        said=said.strip(),
        is_active=plain["is_active"],
        rows=tuple(map(tuple, plain["rows"])),
        standard=tuple(plain["standard"]),
        stale_bytecode=tuple(plain["stale_bytecode"]),
        unknown_tools=tuple(plain["unknown_tools"]),
        modules={name: _module(found) for name, found in plain["modules"].items()},
        distributions={name: FoundDistribution(**found) for name, found in plain["distributions"].items()},
    )


def _module(found: Mapping[str, Any]) -> FoundModule:
    return FoundModule(**{**found, "locations": tuple(found.get("locations", ()))})

"""Interpreters that are none."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.bad_input.case import Case, Cases, Decorator, Words

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases(("new",))


def refused(sentence: str) -> Decorator:
    return bad(3, sentence, "name one that is there: --python /path/to/python")


def _interpreter(machine: Machine, script: str, path: Path | None = None) -> Words:
    path = path or machine.work / "python"
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return ["lock", "alpha", "--python", path]


@refused("gone/python: there is no such file")
def an_interpreter_that_is_not_there(machine: Machine) -> Words:
    return ["lock", "alpha", "--python", "./gone/python"]


@refused(
    "3.55: no such interpreter; looked for python3.55, python3, python on PATH (the shims of version managers left out), in /nowhere/versions, and asked uv"
)
def a_version_of_python_that_is_not_there(machine: Machine) -> Words:
    machine.variables |= {"PATH": "/nowhere", "PYENV_ROOT": "/nowhere", "UV_PYTHON_INSTALL_DIR": "/nowhere"}
    return ["lock", "alpha", "--python", "3.55"]


@refused(
    "snake: no such interpreter; neither a path nor a version, and looked for on PATH (the shims of version managers left out)"
)
def a_name_that_is_no_interpreter(machine: Machine) -> Words:
    machine.variables["PATH"] = "/nowhere"
    return ["lock", "alpha", "--python", "snake"]


@refused("ROOT/work/python: it does not work as a Python interpreter (exit code 127):\na library is missing")
def an_interpreter_that_does_not_start(machine: Machine) -> Words:
    return _interpreter(machine, "echo 'a library is missing' >&2; exit 127")


@refused("ROOT/work/python: it does not work as a Python interpreter (signal 9)")
def an_interpreter_that_is_killed(machine: Machine) -> Words:
    return _interpreter(machine, "kill -9 $$")


@refused("ROOT/work/python: it does not work as a Python interpreter (exit code 0)")
def a_program_that_is_no_interpreter(machine: Machine) -> Words:
    return _interpreter(machine, "echo hello")


@refused("ROOT/work/python: it cannot be run: Permission denied")
def an_interpreter_that_may_not_be_run(machine: Machine) -> Words:
    words = _interpreter(machine, "exit 0")
    (machine.work / "python").chmod(0o644)
    return words


@refused("ROOT/work: the folder holds no interpreter (bin/python)")
def a_folder_without_an_interpreter(machine: Machine) -> Words:
    return ["lock", "alpha", "--python", machine.work]


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)

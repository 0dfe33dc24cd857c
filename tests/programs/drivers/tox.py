"""tox and nox: they make environments of their own, from within this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

TOX = """\
[tox]
envlist = py, without
[testenv]
deps = idna
commands = python -c "import app, idna, sys; print(app.answer(), 'attr' in sys.modules)"
           python probe.py
[testenv:without]
skip_install = true
deps =
allowlist_externals = echo
commands = echo without
           python probe.py
"""
PYPROJECT = """\
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "app"
version = "1.0"
description = "an application"
"""
NOX = """\
import nox


@nox.session
def tests(session):
    session.install("idna")
    session.install("-e", ".", "--no-build-isolation") if False else session.install(".")
    session.run("python", "-c", "import app, idna; print(app.answer())")
    session.run("python", "probe.py")


@nox.session(venv_backend="none")
def here(session):
    session.run("python", "probe.py")
"""
PROBE = """\
import importlib.util, importlib.metadata, sys
for name in ("attr", "tox", "nox", "idna", "app"):
    spec = importlib.util.find_spec(name)
    print(name, spec and spec.origin)
print(sorted(dist.metadata["Name"] for dist in importlib.metadata.distributions()))
print([path for path in sys.path if "site-packages" in path], sys.prefix)
"""


def drive(side: Side) -> None:
    side.write({"tox.ini": TOX, "pyproject.toml": PYPROJECT, "noxfile.py": NOX, "probe.py": PROBE})
    side.write({"app.py": "def answer():\n    return 42\n"})
    side.run("tox", "--version")
    # tox hides settings of pip that come by variables, unless told.
    side.run("tox", "run", "-x", "testenv.pass_env=PIP_*")
    side.run("nox", "--version")
    side.run("nox", "--list")
    side.run("nox")


PROGRAM = Program(
    does="`tox` with a package and two environments, `nox` with a session in an environment of its own and one in this;"
    " what can be imported and seen in each",
    requirements=("tox", "nox", "attrs"),
    offers=("flit_core", "idna"),
    drive=drive,
    pythons=("3.11",),
    varying=(
        Rule(
            pattern=r" \(\d[^()]* seconds\)|, took (a|\d+) \w+| in (a|\d[\d.]*) seconds?",
            replacement="",
            reason="how long it took",
        ),
    ),
)

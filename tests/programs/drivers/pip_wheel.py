"""pip builds wheels in isolation: a setup.py cannot import what is locked in the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

SETUP = """\
from importlib.metadata import distributions
from setuptools import setup

seen = []
for name in ("attr", "idna", "requests"):
    try:
        seen.append(f"{name}: {__import__(name).__file__}")
    except ImportError as error:
        seen.append(f"{name}: {error!r}")
seen += sorted(dist.metadata["Name"] for dist in distributions())
setup(name="app", version="1.0", py_modules=["app"], description=" ".join(seen), install_requires=["attrs"])
"""
PYPROJECT = '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n'
READ = """\
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in sorted(wheel.namelist()):
        print(name)
        if name.endswith("METADATA"):
            print(wheel.read(name).decode())
"""


def drive(side: Side) -> None:
    side.write({"app/setup.py": SETUP, "app/pyproject.toml": PYPROJECT, "app/app.py": "import attr\n", "read.py": READ})
    side.run("python", "-m", "build", "--sdist", "--outdir", "sdist", "app", quiet=True)
    side.run("python", "-m", "pip", "--version")
    side.run("python", "-m", "pip", "wheel", "--no-deps", "-v", "-w", "isolated", "sdist/app-1.0.tar.gz", quiet=True)
    side.run("python", "read.py", "isolated/app-1.0-py3-none-any.whl")
    plain = ("pip", "wheel", "--no-deps", "--no-build-isolation", "-w", "not-isolated", "./app")
    side.run(*plain, quiet=True)
    side.run("python", "read.py", "not-isolated/app-1.0-py3-none-any.whl")
    side.run("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", "built", "app", quiet=True)
    side.run("python", "read.py", "built/app-1.0-py3-none-any.whl")
    side.run("pip", "check")
    for command in ("list", "freeze", "show attrs requests"):
        side.run("pip", *command.split())
    side.run("pip", "install", "--no-deps", "isolated/app-1.0-py3-none-any.whl")
    side.probe("import app, attr; print(app.__file__, attr.__file__)")
    side.run("pip", "uninstall", "--yes", "app")
    side.run("pip", "list")


PROGRAM = Program(
    does="`pip wheel` of an sdist with build isolation and without, `build`, and what `setup.py` can import and see;"
    " then `pip check`, `list`, `freeze`, `show`, and a real installation beside what is locked",
    requirements=("pip", "build", "attrs", "requests", "setuptools", "wheel"),
    offers=("setuptools", "wheel"),
    drive=drive,
    pythons=("3.8", "3.12", "3.13"),
    varying=(Rule(pattern=r"pip-[\w-]+-\w{8}", replacement="pip-TEMPORARY", reason="a temporary folder"),),
)

"""Type checkers and other readers of source say the same of a project, whether its environment is plain or ours.

The environment has a typed package, an untyped one, a namespace of several distributions, a stub-only distribution, a
single module, and a module that is native only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

pytestmark = [pytest.mark.index, pytest.mark.exhaustive, pytest.mark.xdist_group("static-tools")]

LOCKED = "attrs mako jaraco.functools jaraco.context requests types-requests six msgpack mypy pylint jedi".split()
TOOLS = "mypy ty pyrefly basedpyright".split()
SOURCE = '''\
"""A project with mistakes, each about another kind of distribution."""
import attr
import attrs
import jaraco.functools
import mako.template
import msgpack._cmsgpack
import requests
import six
from attr._make import _nothing_private
from jaraco import nothing_of_the_kind
from jaraco.context import suppress
from requests.adapters import Nothing


@attrs.define
class Point:
    """Two numbers."""

    x: int
    y: int = 0


POINT = Point("1", z=2)
ANSWER = requests.get("https://example.org", timeout="soon", nothing=3)
reveal_type(POINT)
reveal_type(ANSWER)
reveal_type(mako.template.Template("x").render())
reveal_type(msgpack.packb(1))
reveal_type(msgpack._cmsgpack.Packer)
reveal_type(six.PY3)
reveal_type(jaraco.functools.once)
reveal_type(suppress)
requests.does_not_exist()
jaraco.functools.does_not_exist()
mako.template.does_not_exist()
import not_installed_at_all
'''
JEDI = """
import jedi, sys
environment = jedi.create_environment(sys.argv[1], safe=False) if len(sys.argv) > 1 else None
source = open("main.py").read()
script = jedi.Script(source, path="main.py", environment=environment)
for line, column in [(3, 8), (4, 10), (5, 8), (6, 10), (7, 8), (8, 8), (11, 30), (15, 9)]:
    for found in script.goto(line, column, follow_imports=True):
        print(line, found.full_name, found.type, str(found.module_path).rpartition("/site-packages/")[2])
for text in ("requests.ge", "import jaraco.", "from jaraco.functools import on", "msgpack._cmsgpack.Pa", "attrs.def"):
    completed = jedi.Script(f"{source}\\n{text}", path="main.py", environment=environment).complete()
    print(text, [one.name for one in completed])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projects:
    """Two folders with the same project: ``plain`` has an ordinary environment, ``ours`` one with a view."""

    folder: Path

    def run(self, name: str, *command: str | Path, status: int | None = None) -> str:
        """Run a tool in one of the folders; return what it says, the folder left out."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL"))}
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder / name,
            env={**clean, "MULTISITE_STORE": str(self.folder / "store"), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert status in {None, done.returncode}, f"{done.args}\n{done.stdout}\n{done.stderr}"
        return (done.stdout + done.stderr).replace(str(self.folder / name), "PROJECT")

    def said(self, plain: list[str | Path], ours: list[str | Path]) -> str:
        """Demand that a tool says the same in both; return it."""
        expected = self.run("plain", *plain)
        assert self.run("ours", *ours) == expected
        return expected

    def tool(self, name: str) -> Path:
        return self.folder / "tools/bin" / name


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory, index: None) -> Projects:
    found = Projects(folder=tmp_path_factory.mktemp("static"))
    for name in ("plain", "ours"):
        (found.folder / name).mkdir()
        (found.folder / name / "main.py").write_text(SOURCE)
    uv = find_uv_bin()
    found.run("ours", sys.executable, "-m", "multisite", "lock", *LOCKED, "--python", sys.executable, status=0)
    found.run("ours", sys.executable, "-m", "multisite", "view", status=0)
    found.run("plain", uv, "venv", "-q", "--python", sys.executable, ".venv", status=0)
    found.run("plain", uv, "pip", "sync", "-q", "--python", ".venv", found.folder / "ours/.venv/pylock.toml", status=0)
    found.run("plain", uv, "venv", "-q", "--python", sys.executable, found.folder / "tools", status=0)
    found.run("plain", uv, "pip", "install", "-q", "--python", found.folder / "tools", *TOOLS, "jedi", status=0)
    return found


def settings(projects: Projects, tool: str) -> None:
    projects.run("ours", sys.executable, "-m", "multisite", "view", f"--{tool}", status=0)


def no_settings(projects: Projects) -> None:
    projects.run("ours", sys.executable, "-m", "multisite", "view", "--remove", status=0)
    projects.run("ours", sys.executable, "-m", "multisite", "view", status=0)


def test_mypy(projects: Projects) -> None:
    settings(projects, "mypy")
    said = projects.said(
        [projects.tool("mypy"), "--strict", "--python-executable", ".venv/bin/python", "main.py"],
        [projects.tool("mypy"), "--strict", "main.py"],
    )
    assert '"z" for "Point"' in said
    assert 'Revealed type is "requests.models.Response"' in said
    assert "mako.template" in said
    # Locked, it asks the environment's interpreter for its path, and needs the setting there as well.
    projects.said([".venv/bin/mypy", "--strict", "main.py"], [".venv/bin/mypy", "--strict", "main.py"])
    no_settings(projects)
    assert "import-not-found" in projects.run("ours", ".venv/bin/mypy", "main.py").splitlines()[0]


def test_ty(projects: Projects) -> None:
    settings(projects, "ty")
    check: list[str | Path] = [projects.tool("ty"), "check", "--output-format", "concise", "main.py"]
    said = projects.said([*check, "--python", ".venv"], check)
    assert "Revealed type: `Response`" in said
    no_settings(projects)


def test_pyrefly(projects: Projects) -> None:
    settings(projects, "pyrefly")
    check: list[str | Path] = [projects.tool("pyrefly"), "check", "--output-format", "min-text", "main.py"]
    (projects.folder / "plain/pyrefly.toml").write_text(
        'preset = "basic"\npython-interpreter-path = ".venv/bin/python"\n'
    )
    said = projects.said(check, check)
    assert "not_installed_at_all" in said
    assert "attrs" not in said
    no_settings(projects)


@pytest.mark.parametrize(("tool", "by"), [("pyright", "pyright"), ("basedpyright", "pyright"), ("pyright", "vscode")])
def test_pyright(tool: str, by: str, projects: Projects, tmp_path: Path) -> None:
    program = projects.tool("basedpyright") if tool == "basedpyright" else _pyright_of_npm(tmp_path)
    check: list[str | Path] = [program, "main.py"]
    expected = projects.run("plain", *check, "--pythonpath", ".venv/bin/python")
    settings(projects, by)
    ours = projects.folder / "ours"
    if by == "vscode":  # the setting that an editor gives to the language server
        text = (ours / ".vscode/settings.json").read_text()
        (ours / "pyrightconfig.json").write_text(text.replace("python.analysis.", ""))
        check += ["--pythonpath", ".venv/bin/python"]
    try:
        assert projects.run("ours", *check) == expected
    finally:
        (ours / "pyrightconfig.json").unlink()
        no_settings(projects)
    assert 'Type of "POINT" is "Point"' in expected
    assert "not_installed_at_all" in expected
    assert '"attrs" could not' not in expected


def _pyright_of_npm(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm to get pyright with")
    done = subprocess.run([npm, "install", "--prefix", folder, "pyright"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("npm cannot get pyright")
    return folder / "node_modules/.bin/pyright"


def test_jedi_needs_no_view(projects: Projects) -> None:
    """It asks the interpreter's finders, whether it runs in the environment or is told of it."""
    probe = projects.folder / "jedi_probe.py"
    probe.write_text(JEDI)
    said = projects.said([".venv/bin/python", probe], [".venv/bin/python", probe])
    assert "jaraco.functools" in said
    assert "['Packer']" in said
    outside: list[str | Path] = [projects.tool("python"), probe, ".venv"]
    assert projects.said(outside, outside) == said


def test_pylint_needs_no_view(projects: Projects) -> None:
    """Locked, it runs in the environment; astroid is told where locked packages are."""
    check: list[str | Path] = [".venv/bin/pylint", "--score=n", "main.py"]
    said = projects.said(check, check)
    assert "No name 'nothing_of_the_kind' in module 'jaraco'" in said
    assert "Unable to import 'not_installed_at_all'" in said

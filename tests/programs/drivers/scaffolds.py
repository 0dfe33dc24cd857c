"""cookiecutter, mkdocs, pre-commit, pip-compile, and builds with poetry-core and hatchling backends."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.process import free_port
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

POETRY = """\
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "app"
version = "1.0"
description = ""
authors = ["nobody <nobody@example.org>"]
packages = [{include = "app"}]
[tool.poetry.dependencies]
python = ">=3.8"
"""
HATCH = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "app"
version = "1.0"
"""
HOOKS = """\
repos:
  - repo: local
    hooks:
      - id: seen
        name: what a hook sees
        entry: python probe.py
        language: system
        pass_filenames: false
        verbose: true
"""
PROBE = "import yaml, sys\nprint(yaml.__file__, sys.prefix)\n"
MKDOCS = """\
site_name: shop
theme:
  name: material
plugins: [search]
markdown_extensions: [admonition, pymdownx.superfences]
"""


def drive(side: Side) -> None:
    side.write({"t/cookiecutter.json": '{"name": "shop", "upper": "{{ cookiecutter.name|upper }}"}'})
    side.write({"t/{{cookiecutter.name}}/a.txt": "{{ cookiecutter.upper }}\n", "t/hooks/post_gen_project.py": PROBE})
    side.run("cookiecutter", "--no-input", "-o", "made", "t")
    side.note("made", side.tree("made"))
    side.write({"mkdocs.yml": MKDOCS, "docs/index.md": "# Shop\n\n!!! note\n    x\n\n```python\nx = 1\n```\n"})
    side.run("mkdocs", "build", "--strict", "--site-dir", "site")
    side.note("site", side.tree("site"))
    _serves(side)
    for backend, text in (("poetry", POETRY), ("hatch", HATCH)):
        side.write({f"{backend}/pyproject.toml": text, f"{backend}/app/__init__.py": "x = 1\n"})
        for isolation in ("--no-isolation", "--installer=pip"):
            side.run("python", "-m", "build", "--wheel", isolation, backend, ordered=False)
    side.write({"requirements.in": "idna\nflit_core\n"})
    side.run("pip-compile", "--no-header", "--no-emit-find-links", "--no-emit-index-url", "-q", "requirements.in")
    side.note("pinned", side.tree(".")["requirements.txt 644"])
    side.run("git", "init", "-q", ".", quiet=True)
    side.write({".pre-commit-config.yaml": HOOKS, "probe.py": PROBE})
    side.run("git", "add", ".pre-commit-config.yaml", "probe.py", quiet=True)
    side.run("pre-commit", "run", "--all-files")
    side.run("pre-commit", "install")


def _serves(side: Side) -> None:
    port = free_port()
    with side.serve("mkdocs", "serve", "--dev-addr", f"127.0.0.1:{port}", "--livereload") as server:
        page = server.get(f"http://127.0.0.1:{port}/")
        side.note("page", "<title>" in page)
        text = "# Changed shop\n"
        after = server.changed(f"http://127.0.0.1:{port}/", page, lambda: side.write({"docs/index.md": text}))
        side.note("page after a change", "Changed shop" in after)
        side.stopped(server, signal.SIGTERM)


PROGRAM = Program(
    does="a template made into a project, `mkdocs` build and serve with a theme, builds by poetry-core and hatchling"
    " with isolation and without, `pip-compile`, a local hook of `pre-commit`",
    requirements=(
        "cookiecutter",
        "mkdocs <2",
        "mkdocs-material",
        "pre-commit",
        "pip-tools",
        "pip",
        "build",
        "poetry-core",
        "hatchling",
        "pyyaml",
    ),
    offers=("poetry-core", "hatchling", "idna", "flit_core"),
    drive=drive,
    pythons=("3.11",),
    needs=("git",),
    varying=(
        Rule(pattern=r"in \d+\.\d+ seconds|duration: [\d.]+s", replacement="in TIME", reason="how long it took"),
        Rule(pattern=r"20\d\d-\d\d-\d\d[ T][\d:.+]*|20\d\d-\d\d-\d\d", replacement="TIME", reason="the time"),
        Rule(pattern=r"\b\d+ bytes\b", replacement="BYTES", reason="a compressed site map holds the time"),
        Rule(pattern=r"build-env-\w+", replacement="build-env-X", reason="a temporary folder"),
    ),
)

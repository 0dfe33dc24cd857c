"""Sphinx: a site with extensions that are portions of one namespace package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

CONF = """\
project = "shop"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.intersphinx", "sphinx.ext.viewcode", "sphinxcontrib.httpdomain",
              "sphinxcontrib.programoutput", "sphinxcontrib.mermaid", "sphinxcontrib.jquery", "myst_parser"]
html_theme = "furo"
intersphinx_mapping = {}
"""
INDEX = """\
Shop
====

.. toctree::

   other

.. automodule:: shop
   :members:

.. http:get:: /items/(int:number)

   One item.

.. program-output:: python -c "print('made by a program')"

.. mermaid::

   graph LR; a --> b
"""
SHOP = '''\
"""Words about the shop."""

import attrs


@attrs.define
class Item:
    """One item."""

    price: int = 0
'''


def drive(side: Side) -> None:
    side.run("sphinx-quickstart", "--quiet", "--project", "shop", "--author", "nobody", "docs")
    side.note("project", side.tree("docs"))
    side.write(
        {"docs/conf.py": CONF, "docs/index.rst": INDEX, "docs/other.md": "# Other\n\n{term}`x`\n", "shop.py": SHOP}
    )
    environ = {"PYTHONPATH": str(side.work)}
    for builder in ("html", "man", "htmlhelp", "devhelp", "qthelp", "applehelp", "text"):
        side.run("sphinx-build", "-b", builder, "docs", f"out/{builder}", variables=environ)
    side.note("built", side.tree("out"))
    side.run("sphinx-apidoc", "-o", "api", ".")
    side.note("api", side.tree("api"))
    side.probe("import sphinxcontrib; print(type(sphinxcontrib.__path__).__name__)")


PROGRAM = Program(
    does="`sphinx-quickstart`, then a site with nine `sphinxcontrib` extensions, autodoc and a theme, by seven"
    " builders; every file of it",
    requirements=(
        "sphinx",
        "sphinxcontrib-httpdomain",
        "sphinxcontrib-programoutput",
        "sphinxcontrib-mermaid",
        "sphinxcontrib-jquery",
        "myst-parser",
        "furo",
        "attrs",
    ),
    drive=drive,
    pythons=("3.12",),
    varying=(
        Rule(
            pattern=r"\b\d+ bytes\b|sphinx-err-\w+",
            replacement="VARIES",
            reason="compressed files hold times and places; temporary files",
        ),
        Rule(
            pattern=r"(on|at|create time|Last updated on)\s+\w{3} \d+, 20\d\d|\w{3} \w{3} +\d+ [\d:]+ 20\d\d",
            replacement="TIME",
            reason="the time of the run",
        ),
    ),
)

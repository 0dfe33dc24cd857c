"""IPython, its magic commands, tracebacks and completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

CELLS = """\
import requests
requests.__file__
requests.sessions.Session.request?
%run script.py
%load_ext autoreload
%autoreload 2
import other
other.x
open("other.py", "w").write("x = 'changed and longer'\\n");
other.x
%who
get_ipython().complete("requests.sess")[1]
get_ipython().complete("import requests.ad")[1]
import requests.adapters as a; a.HTTPAdapter().send(None)
1 / 0
%timeit -n1 -r1 -q None
"""


def drive(side: Side) -> None:
    side.write({"cells.ipy": CELLS, "script.py": "import idna\nprint(idna.__file__, __name__)\n"})
    for mode in ("Plain", "Context", "Verbose", "Minimal"):
        side.write({"other.py": "x = 'first'\n"})
        words = ["--no-banner", "--colors=NoColor", "--simple-prompt", f"--xmode={mode}"]
        side.run("ipython", *words, told=CELLS)
    side.run("ipython", "profile", "create")
    side.run("ipython", "locate")
    side.run("python", "-m", "IPython", "-c", "import sys; print(sys.prefix, sys.argv)")


PROGRAM = Program(
    does="cells with imports, help, `%run`, `%autoreload`, completion and errors in each kind of traceback",
    requirements=("ipython", "requests"),
    drive=drive,
    pythons=("3.8", "3.12"),
    varying=(Rule(pattern=r"\d+(\.\d+)? [mµn]?s ±.*", replacement="TIME", reason="how long it took"),),
)

# /// parity
# rows = [31]
# says = "rich's suppressed modules, and IPython's tracebacks in each mode"
# requirements = ["rich", "ipython", "markupsafe"]
# cost = "index"
# environ.IPYTHONDIR = "{run}/ipython"
# expects = "KeyError"
# normalise = [{pattern = "\u001b\\[[0-9;]*m", with = "", reason = "colours around paths, which are of different lengths"}]
# ///
import io

import markupsafe, rich.console, rich.traceback

try:
    markupsafe.Markup("{x}").format()
except KeyError:
    out = io.StringIO()
    rich.console.Console(file=out, width=1000).print(rich.traceback.Traceback(suppress=[markupsafe], width=1000))
    for line in out.getvalue().splitlines():
        print(" ".join(line.strip("│╭╮╰╯─ ").split()))
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance(colors="NoColor" if sys.version_info < (3, 11) else "nocolor")
for mode in ("Plain", "Context", "Verbose", "Minimal"):
    shell.run_line_magic("xmode", mode)
    shell.run_cell("markupsafe = __import__('markupsafe')\nmarkupsafe.Markup('{x}').format()")

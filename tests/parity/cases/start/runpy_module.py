# /// parity
# rows = [38]
# says = "runpy runs locked modules and packages"
# expects = "<site>/tool/__main__.py"
# ///
import runpy

show(runpy.run_module("tool")["who"])
show(runpy.run_module("regular.sub", run_name="other")["who"], runpy.run_module("single", alter_sys=True)["__file__"])
attempt(runpy.run_module, "regular")
attempt(runpy.run_module, "missing")

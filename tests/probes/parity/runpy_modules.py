import runpy

show(runpy.run_module("tool")["who"])
show(runpy.run_module("reg.sub", run_name="other")["who"])
attempt(runpy.run_module, "reg")
attempt(runpy.run_module, "missing")

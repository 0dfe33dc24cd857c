# /// parity
# rows = [31]
# says = "the trace module leaves out locked modules when it is told to ignore sys.prefix, and names them as modules"
# state = "mended"
# reason = "its ignored folders and its names of modules go by the folders of the file; when it is loaded, it is told the plain ones"
# flags = []
# wheels."traced-1.0" = {"traced/__init__.py" = "", "traced/deep.py" = "def it():\n    return 1\n"}
# expects = "traced.deep"
# ///
import trace

ignoring = trace.Trace(ignoredirs=[sys.prefix, sys.exec_prefix, sys.base_prefix], trace=0, count=1)
ignoring.runfunc(lambda: importlib.import_module("traced.deep").it())
show(sorted({name for name, _ in ignoring.results().counts if "probe" not in name and not name.startswith("<")}))

naming = trace.Trace(trace=0, count=0, countfuncs=1)
naming.runfunc(lambda: importlib.import_module("traced.deep").it())
show(*sorted(module for file, module, _ in naming.results().calledfuncs if file.endswith("deep.py") and _ == "it"))
show(trace._fullmodname(importlib.import_module("traced.deep").__file__))

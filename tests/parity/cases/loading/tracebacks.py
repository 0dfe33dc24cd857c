# /// parity
# rows = [40]
# says = "tracebacks of modules that cannot be compiled, that raise, and that import what is not there, at the first and at later imports; what excepthook prints"
# run = ["python {program}", "python {program}", "python -O {program}"]
# fails = true
# [wheels."broken-1.0"]
# "broken/__init__.py" = ""
# "broken/syntax.py" = "def f(:\n    pass\n"
# "broken/raises.py" = "def f():\n    raise ValueError('from f')\nf()\n"
# "broken/imports.py" = "import broken.missing\n"
# "broken/asks.py" = "from broken import raises\n"
# "broken/null.py" = "x = 1\n# -*- coding: nothing -*-\n"
# ///
import traceback

for name in "syntax", "raises", "imports", "asks", "missing", "syntax.sub":
    try:
        importlib.import_module("broken." + name)
    except Exception as error:
        for line in traceback.format_exception(type(error), error, error.__traceback__):
            print(line)
try:
    import broken.asks
except ValueError as error:
    found = traceback.extract_tb(error.__traceback__)
    show([[entry.filename, entry.name, entry.line] for entry in found])
exec("import broken.syntax")

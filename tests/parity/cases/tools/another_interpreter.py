# /// parity
# rows = [30]
# says = "another interpreter with this site-packages folder in PYTHONPATH: it sees what is really there, and nothing that is locked"
# state = "limit"
# reason = "the .pth files of a folder in PYTHONPATH do not run, so nothing starts the finder; exporting an ordinary tree is the answer"
# run = ["python {program}", "env PYTHONPATH={site} {interpreter} {program}"]
# differs = [
#   '-["fine", ["<site>/regular/__init__.py", ["<site>/regular"]]]',
#   '-["fine", "1.0"]',
#   '''+["ModuleNotFoundError", "No module named 'regular'"]''',
#   '+["PackageNotFoundError"]',
# ]
# ///
attempt(where, "regular")
try:
    show("fine", metadata.version("regular"))
except metadata.PackageNotFoundError as error:
    show(type(error).__name__)

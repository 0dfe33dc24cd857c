# /// parity
# rows = [6]
# says = "after a distribution was installed beside the locked one and uninstalled again, the locked one is back"
# state = "limit"
# reason = "what is locked is not uninstalled by installers: the lockfile still says that it is there"
# private = true
# run = [
#   "{uv} pip install --quiet --no-deps --link-mode copy --python {python} regular==2.0",
#   "{uv} pip uninstall --quiet --python {python} regular",
#   "python {program}",
# ]
# differs = [
#   """-["ModuleNotFoundError", "No module named 'regular'"]""",
#   """-["ModuleNotFoundError", "No module named 'regular'"]""",
#   """-["PackageNotFoundError"]""",
#   """+["fine", ["<site>/regular/__init__.py", ["<site>/regular"]]]""",
#   """+["fine", ["<site>/regular/sub.py", []]]""",
#   """+["1.0"]""",
# ]
# ///
attempt(where, "regular")
attempt(where, "regular.sub")
try:
    show(metadata.version("regular"))
except metadata.PackageNotFoundError as error:  # its text is another on each Python
    show(type(error).__name__)

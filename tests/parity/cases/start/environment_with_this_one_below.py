# /// parity
# rows = [38]
# says = "an environment that names this one's site-packages in a .pth file of its own sees it as a plain folder's"
# files."line.pth" = "{site}"
# run = [
#   "python {program}",
#   "{interpreter} -m venv --without-pip {run}/top",
#   "sh -c 'cp line.pth {run}/top/lib/python*/site-packages'",
#   "{run}/top/bin/python {program}",
# ]
# state = "limit"
# reason = "a .pth file adds the folder and does not run the .pth files in it, so nothing starts the finder; an exported tree is the answer"
# differs = ['-["fine", ["<site>/regular/__init__.py", ["<site>/regular"]]]', '''+["ModuleNotFoundError", "No module named 'regular'"]''']
# ///
attempt(where, "regular")
show(SITE in sys.path)

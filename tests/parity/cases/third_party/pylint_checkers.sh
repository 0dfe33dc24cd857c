# /// parity
# rows = [29, 31]
# says = "pylint runs in the environment: it finds the names of its own checkers by the folders of their files"
# state = "mended"
# reason = "astroid goes by sys.path; when it is loaded, the folder of a locked distribution is put before it for its files"
# requirements = ["pylint"]
# cost = "index"
# fails = true
# expects = "missing-module-docstring"
# files."own.py" = "x = 1\n"
# ///
python -m pylint own.py

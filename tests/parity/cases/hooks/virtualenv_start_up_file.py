# /// parity
# rows = [9]
# says = "the _virtualenv.py that uv (for old Pythons) and virtualenv put into site-packages, which has a finder of its own"
# private = true
# python = "<3.10"
# run = [
#   "{uv} venv --quiet --python {interpreter} {run}/made",
#   "sh -c 'cp {run}/made/lib/python*/site-packages/_virtualenv* {site}'",
#   "python {program}",
# ]
# expects = "_virtualenv"
# ///
show("_virtualenv" in sys.modules, [type(finder).__name__ for finder in sys.meta_path if "irtualenv" in type(finder).__module__])
show(where("regular"), where("spread.a"), metadata.version("regular"))
show(where("_virtualenv"))

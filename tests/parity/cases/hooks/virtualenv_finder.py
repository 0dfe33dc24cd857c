# /// parity
# rows = [9]
# says = "virtualenv's own start-up file and finder, in an environment as it makes them"
# requirements = ["virtualenv", "regular==1.0", "setuptools<81"]
# cost = "index"
# private = true
# python = "<3.10"
# run = [
#   "virtualenv --quiet --no-seed --no-periodic-update {run}/made",
#   "sh -c 'cp {run}/made/lib/python*/site-packages/_virtualenv* {site}'",
#   "python {program}",
# ]
# expects = "_Finder"
# ///
show("_virtualenv" in sys.modules, [type(finder).__name__ for finder in sys.meta_path if type(finder).__module__ == "_virtualenv"])
show(where("regular"), metadata.version("regular"), where("_virtualenv"))
import distutils.dist, setuptools.dist

show(distutils.dist.__file__ is not None)

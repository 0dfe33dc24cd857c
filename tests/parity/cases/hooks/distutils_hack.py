# /// parity
# rows = [9, 19]
# says = "setuptools' distutils-precedence.pth and _distutils_hack: import distutils gives setuptools' copy"
# requirements = ["setuptools"]
# cost = "index"
# expects = "setuptools/_distutils"
# ///
show([type(finder).__name__ for finder in sys.meta_path if "Distutils" in type(finder).__name__])
import distutils, distutils.cmd

show(distutils.__file__.replace(os.sep, "/"), distutils.cmd.__name__, where("_distutils_hack"))
import setuptools

show(where("setuptools")[0], [entry for entry in sys.path if "_vendor" in entry])

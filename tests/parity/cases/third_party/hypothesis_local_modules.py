# /// parity
# rows = [31]
# says = "which modules Hypothesis takes for the project's own"
# state = "mended"
# reason = "it compares with the folders of sysconfig; when it is loaded, the folders of locked distributions are added"
# requirements = ["hypothesis >=6.131", "six"]
# python = ">=3.9"
# cost = "index"
# expects = '["six", 1]'
# ///
import six
from hypothesis.internal.scrutineer import ModuleLocation

for module in six, json, sys.modules["__main__"]:
    show(module.__name__, int(ModuleLocation.from_path(module.__file__)))

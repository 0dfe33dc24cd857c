# /// parity
# rows = [31]
# says = "which frames pyinstrument takes for the application's, and how it shortens paths"
# state = "mended"
# reason = "it compares with sys.prefix and sys.path; when it is loaded, it is told the plain paths"
# requirements = ["pyinstrument >=5", "six"]
# cost = "index"
# without."3.8" = "needs a compiler there"
# without."3.14" = "has no wheel for it"
# expects = '["six.py", false]'
# ///
import six
from pyinstrument.session import Session

prefixes = Session.current_sys_prefixes()
session = Session([], 0, 0, 0, 0, 0, [], "", 0, list(sys.path), prefixes)
for module in six, sys.modules["__main__"]:
    show(session.shorten_path(module.__file__), not module.__file__.startswith(tuple(prefixes)))

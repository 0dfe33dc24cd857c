# /// parity
# rows = [31]
# says = "loguru's coloured tracebacks: which frames are the project's own"
# state = "mended"
# reason = "it compares with the folders of sysconfig; when it is loaded, it is told the plain paths"
# requirements = ["loguru", "markupsafe"]
# cost = "index"
# expects = "markupsafe"
# ///
import io

from loguru import logger
from markupsafe import Markup

logger.remove()
out = io.StringIO()
logger.add(out, colorize=True, diagnose=True, format="{message}")
try:
    Markup("{x}").format()
except KeyError:
    logger.exception("formatted")
print(out.getvalue().replace("\x1b", "^"))

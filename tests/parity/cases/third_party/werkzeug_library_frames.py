# /// parity
# rows = [31]
# says = "Werkzeug's debugger: which frames of a traceback are a library's"
# state = "mended"
# reason = "it compares with the folders of sysconfig; when it is loaded, the stores are added to those that it asks for"
# requirements = ["werkzeug >=2.2"]
# cost = "index"
# expects = "true"
# ///
from werkzeug.debug.tbtools import DebugTraceback
from werkzeug.routing import Map

try:
    Map([None])
except Exception as error:
    for frame in DebugTraceback(error).all_frames:
        show(frame.name, frame.is_library)

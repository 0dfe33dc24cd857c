# /// parity
# rows = [7, 16]
# says = "a window of Qt without a screen: PyQt5, its Qt, and sip in PyQt5's own package"
# requirements = ["PyQt5"]
# cost = "long"
# needs = ["libGL.so.1", "libEGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1", "libglib-2.0.so.0"]
# environ = {XDG_RUNTIME_DIR = "{run}"}
# run = ["python {probes}/qt_window.py PyQt5", "python {program}"]
# expects = ["offscreen 200 80 ff204060", "platforms/libqoffscreen.so"]
# timeout = 300
# ///
from PyQt5 import QtCore, sip

print(sip.__file__, QtCore.__file__, sip.isdeleted(QtCore.QObject()))

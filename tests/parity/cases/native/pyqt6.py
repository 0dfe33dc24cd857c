# /// parity
# rows = [7, 16]
# says = "a window of Qt without a screen: PyQt6, its Qt, and sip in PyQt6's own package"
# requirements = ["PyQt6"]
# python = ">=3.9"
# cost = "long"
# needs = ["libGL.so.1", "libEGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1", "libglib-2.0.so.0"]
# run = ["python {probes}/qt_window.py PyQt6"]
# expects = ["offscreen 200 80 ff204060", "platforms/libqoffscreen.so"]
# timeout = 300
# ///

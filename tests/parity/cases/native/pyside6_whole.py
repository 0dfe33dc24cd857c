# /// parity
# rows = [7, 16]
# says = "a window of Qt without a screen: PySide6 with all its add-ons"
# requirements = ["PySide6"]
# python = "==3.12"
# cost = "long"
# needs = ["libGL.so.1", "libEGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1", "libglib-2.0.so.0"]
# run = ["python {probes}/qt_window.py PySide6"]
# expects = ["offscreen 200 80 ff204060", "platforms/libqoffscreen.so"]
# timeout = 300
# ///

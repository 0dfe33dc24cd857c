# /// parity
# rows = [7, 16]
# says = "a window of Qt without a screen: PyQt5, its Qt, and sip in PyQt5's own package"
# requirements = ["PyQt5"]
# cost = "long"
# needs = ["libGL.so.1", "libEGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1", "libglib-2.0.so.0"]
# environ = {QT_QPA_PLATFORM = "offscreen", XDG_RUNTIME_DIR = "{run}"}
# expects = ["200 80 2113632 offscreen", "platforms/libqoffscreen.so"]
# timeout = 300
# ///
from PyQt5 import QtCore, QtGui, QtWidgets, sip

app = QtWidgets.QApplication(["probe"])
window = QtWidgets.QLabel("hello")
window.resize(200, 80)
window.setStyleSheet("background: #204060; color: white")
window.show()
for _ in range(5):
    app.processEvents()
image = window.grab().toImage()
print(image.width(), image.height(), image.pixel(3, 3) & 0xFFFFFF, app.platformName())
print(sorted(bytes(name).decode() for name in QtGui.QImageReader.supportedImageFormats()))
print(QtCore.QLibraryInfo.location(QtCore.QLibraryInfo.PluginsPath), app.libraryPaths())
print(sip.__file__, QtCore.__file__, sip.isdeleted(window))
with open("/proc/self/maps") as maps:
    print(sorted({line.split()[-1] for line in maps if "/site-packages/" in line}))

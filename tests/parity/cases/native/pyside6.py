# /// parity
# rows = [7, 16]
# says = "a window of Qt without a screen: PySide6's modules, plugins and translations"
# requirements = ["PySide6-Essentials"]
# python = ">=3.9"
# cost = "long"
# needs = ["libGL.so.1", "libEGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1", "libglib-2.0.so.0"]
# environ = {QT_QPA_PLATFORM = "offscreen"}
# expects = ["200 80 2113632 offscreen", "platforms/libqoffscreen.so"]
# timeout = 300
# ///
from PySide6 import QtCore, QtGui, QtWidgets

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
print(QtCore.QLibraryInfo.path(QtCore.QLibraryInfo.LibraryPath.PluginsPath), app.libraryPaths())
translator = QtCore.QTranslator()
print(translator.load("qtbase_de", QtCore.QLibraryInfo.path(QtCore.QLibraryInfo.LibraryPath.TranslationsPath)))
with open("/proc/self/maps") as maps:
    print(sorted({line.split()[-1] for line in maps if "/site-packages/" in line}))

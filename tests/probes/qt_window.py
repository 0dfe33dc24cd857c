"""Show a window where there is no screen, and say what Qt found: ``qt_window.py BINDING``."""

import hashlib
import importlib
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"
binding = importlib.import_module(sys.argv[1])
QtCore, QtGui, QtSvg, QtWidgets = (
    importlib.import_module(f"{sys.argv[1]}.{part}") for part in ("QtCore", "QtGui", "QtSvg", "QtWidgets")
)
SITE = os.path.dirname(os.path.dirname(binding.__file__))


def shown(path):
    return os.path.relpath(path, SITE) if path.startswith(SITE) else path.replace(sys.prefix, "{prefix}")


app = QtWidgets.QApplication(["probe"])
window = QtWidgets.QLabel("hello")
window.resize(200, 80)
window.setStyleSheet("background: #204060; color: white")
window.show()
for _ in range(5):
    app.processEvents()
image = window.grab().toImage()
print(QtCore.qVersion(), app.platformName(), image.width(), image.height(), format(image.pixel(3, 3), "x"))
data = QtCore.QByteArray()
buffer = QtCore.QBuffer(data)
buffer.open(getattr(QtCore.QIODevice, "OpenModeFlag", QtCore.QIODevice).WriteOnly)
image.save(buffer, "PNG")
print(hashlib.sha256(bytes(data)).hexdigest())
# Formats and styles are plugins, SVG is one that needs another library of Qt.
print(sorted(bytes(name).decode() for name in QtGui.QImageReader.supportedImageFormats()))
print(QtWidgets.QStyleFactory.keys(), QtSvg.QSvgRenderer(b"<svg width='9' height='7'/>").defaultSize().width())
info = QtCore.QLibraryInfo
places = getattr(info, "LibraryPath", info)
for place in ("PrefixPath", "PluginsPath", "LibrariesPath", "TranslationsPath"):
    print(place, shown((getattr(info, "path", None) or info.location)(getattr(places, place))))
print([shown(path) for path in app.libraryPaths()])
translator = QtCore.QTranslator()
print(translator.load("qtbase_de", (getattr(info, "path", None) or info.location)(places.TranslationsPath)))
with open("/proc/self/maps") as maps:
    loaded = {line.split()[-1] for line in maps if "/site-packages/" in line}
print(sorted(shown(path) for path in loaded))

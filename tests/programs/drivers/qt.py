"""A Qt window, drawn without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

APP = """\
import hashlib
from PySide6.QtCore import QLibraryInfo, QTimer, qVersion
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget
from PySide6.QtSvg import QSvgRenderer
from PySide6 import QtNetwork, QtSql

app = QApplication([])
window = QWidget()
layout = QVBoxLayout(window)
label = QLabel("before")
button = QPushButton("press")
button.clicked.connect(lambda: label.setText("after"))
layout.addWidget(label)
layout.addWidget(button)
window.show()


def later():
    button.click()
    image = window.grab().toImage()
    print(label.text(), image.width() > 0, app.platformName(), qVersion())
    app.quit()


QTimer.singleShot(0, later)
print(app.exec())
print(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
print(sorted(QtSql.QSqlDatabase.drivers()), QtNetwork.QSslSocket.supportsSsl())
print(QSvgRenderer(b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>').isValid())
"""


def drive(side: Side) -> None:
    side.write({"app.py": APP})
    side.run("python", "app.py", variables={"QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*.debug=false"})
    side.run("pyside6-rcc", "--version")


PROGRAM = Program(
    does="a window with a button that is pressed, its plugins, network and database drivers (PySide6, offscreen)",
    requirements=("pyside6-essentials", "shiboken6"),
    drive=drive,
    pythons=("3.12",),
    needs=("libEGL.so.1", "libGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1"),
)

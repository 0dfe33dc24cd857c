"""PyInstaller freezes an application whose dependencies are locked; the frozen application runs elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Known, Program

if TYPE_CHECKING:
    from tests.programs.side import Side

APP = """\
import importlib.metadata, os, sys
import certifi, cryptography.hazmat.primitives.hashes as hashes, jinja2, numpy, pytz, yaml
from google.protobuf import descriptor_pb2

digest = hashes.Hash(hashes.SHA256())
digest.update(b"text")
print(digest.finalize().hex())
print(jinja2.Template("{{ word|upper }}").render(word="word"))
print(yaml.safe_load("[1, 2]"), numpy.arange(3).tolist(), pytz.timezone("Europe/Vienna"))
print(os.path.getsize(certifi.where()) > 1000, descriptor_pb2.DESCRIPTOR.name)
print(importlib.metadata.version("jinja2"))
print(sorted(name for name in sys.modules if "multisite" in name), getattr(sys, "frozen", False))
"""


def drive(side: Side) -> None:
    side.write({"app.py": APP})
    side.run("pyinstaller", "--version")
    words = ["--noconfirm", "--log-level", "WARN", "--copy-metadata", "jinja2", "app.py"]
    side.run("pyinstaller", "--onedir", *words, ordered=False)
    side.note("frozen", side.tree("dist", content=False))
    environ = {"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": ""}
    side.run(side.work / "dist" / "app" / "app", variables=environ)
    side.run("pyinstaller", "--onefile", *words, ordered=False)
    side.run(side.work / "dist" / "app", variables=environ) if (side.work / "dist" / "app").is_file() else None
    side.run("pyi-archive_viewer", "--list", "--brief", "build/app/PYZ-00.pyz")


PROGRAM = Program(
    does="freeze an application with compiled modules, data files and a namespace package, as a folder and as one file;"
    " every module and file of it; and run it",
    requirements=("pyinstaller", "certifi", "cryptography", "jinja2", "numpy", "protobuf", "pytz", "pyyaml"),
    drive=drive,
    pythons=("3.11",),
    varying=(Rule(pattern=r"(?m)^\d+ (WARNING|INFO)", replacement=r"\1", reason="milliseconds"),),
    known=(
        Known(
            pattern=r' "dist/app/_internal/[^/]+\.dist-info/(INSTALLER|REQUESTED) 644": "",',
            reason="what an installer notes beside the metadata is not in the store, so it is not copied",
        ),
    ),
)

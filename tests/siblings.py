"""Three made distributions whose libraries look for each other as torch's and NVIDIA's do; they need a C compiler.

``sib-app`` has an extension module that needs ``libmath.so.2`` of ``sib-math``, which needs ``libcore.so.1`` of
``sib-core``; each expects the other where an installer would have put it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.builders import Tree, make_wheel

__all__ = ["PROBE", "Siblings", "compiler"]

TAG = "py3-none-linux_x86_64" if sys.maxsize > 1 << 32 else "py3-none-any"
_CORE = "int core_version(void) {{ return {version}; }}\n"
_MATH = "int core_version(void);\nint math_answer(void) { return 100 * core_version() + 2; }\n"
_EXTENSION = """
#define Py_LIMITED_API 0x03080000
#include <Python.h>
int math_answer(void);
static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(math_answer()); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_ext", "", -1, methods};
PyMODINIT_FUNC PyInit__ext(void) { return PyModule_Create(&module); }
"""
# What anybody can see of it; folders are told from the folder of the packages.
PROBE = """
import ctypes, os
import sib_app._ext, sib_core
from sib.math import where
site = os.path.dirname(os.path.dirname(sib_app.__file__))
print(sib_app._ext.answer(), sib_app.answer(), sib_core.version())
print(ctypes.CDLL(os.path.join(where, "lib", "libmath.so.2")).math_answer())
loaded = sorted({line.split()[-1] for line in open("/proc/self/maps") if "sib" in line.split()[-1]})
print([os.path.relpath(path, site) for path in loaded if path.startswith(site)], len(loaded))
"""


def compiler() -> str:
    """Return a C compiler for this machine's interpreters; skip the test where there is none."""
    found = shutil.which("gcc") or shutil.which("cc")
    if sys.platform != "linux" or found is None:
        pytest.skip("no C compiler for Linux on this machine")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("no headers of this Python on this machine")
    return found


class Siblings:
    """Make the wheels in *folder*; with *chained*, only the extension module has a run path, and it serves all."""

    def __init__(self, work: Path, folder: Path, *, chained: bool = False) -> None:
        self._gcc = compiler()
        self._work = work
        self._folder = folder
        self._chained = chained
        work.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[Path]:
        return [self.core(), self.math(), self.app()]

    def core(self, version: str = "1.0") -> Path:
        library = self._library("libcore.so.1", _CORE.format(version=version.partition(".")[0]))
        code = "import ctypes, os\n_library = os.path.join(os.path.dirname(__file__), 'lib', 'libcore.so.1')\n"
        code += "def version(): return ctypes.CDLL(_library).core_version()\n"
        files: Tree = {"sib_core": {"__init__.py": code, "lib": {"libcore.so.1": library}}}
        return make_wheel(self._folder, "sib-core", version, files, tag=TAG)

    def math(self, version: str = "1.0") -> Path:
        self._library("libcore.so.1", _CORE.format(version=1))
        flags = [] if self._chained else ["-Wl,-rpath,$ORIGIN/../../../sib_core/lib", "-Wl,--enable-new-dtags"]
        library = self._library("libmath.so.2", _MATH, "libcore.so.1", *flags)
        code = f"import os\nwhere = os.path.dirname(__file__)\nversion = {version!r}\n"
        files: Tree = {"sib": {"math": {"__init__.py": code, "lib": {"libmath.so.2": library}}}}
        return make_wheel(self._folder, "sib-math", version, files, tag=TAG)

    def app(self, version: str = "1.0") -> Path:
        self._library("libcore.so.1", _CORE.format(version=1))
        self._library("libmath.so.2", _MATH, "libcore.so.1")
        path = "$ORIGIN/../sib/math/lib" + (":${ORIGIN}/../sib_core/lib" if self._chained else "")
        flags = [f"-Wl,-rpath,{path}", "-Wl,--disable-new-dtags" if self._chained else "-Wl,--enable-new-dtags"]
        # Of sib-core only the other library knows.
        unknown = "-Wl,--allow-shlib-undefined"
        include = f"-I{sysconfig.get_path('include')}"
        module = self._library("_ext.abi3.so", _EXTENSION, include, "libmath.so.2", unknown, *flags)
        code = "from sib_app._ext import answer\n"
        files: Tree = {"sib_app": {"__init__.py": code, "_ext.abi3.so": module}}
        return make_wheel(self._folder, "sib-app", version, files, tag=TAG, requires=["sib-math", "sib-core"])

    def under_the_prefix(self) -> list[Path]:
        """Make a distribution whose library is a data file, one that finds it there, and one that is both."""
        wheels = []
        for name, needed in (("sib-data", ""), ("sib-user", "libsib-data.so.1"), ("sib-both", "libsib-both.so.1")):
            data, files = {}, {f"{name.replace('-', '_')}.py": "\n"}
            if name != "sib-user":
                library = self._library(f"lib{name}.so.1", _CORE.format(version=len(name)))
                data = {"data": {"lib": {f"lib{name}.so.1": library}}}
            tree: Tree = files
            if needed:
                module = self._library("answer.so", _MATH, needed, "-Wl,-rpath,$ORIGIN/../../..")
                code = "import ctypes, os\n_file = os.path.join(os.path.dirname(__file__), 'answer.so')\n"
                code += "answer = ctypes.CDLL(_file).math_answer\n"
                tree = {name.replace("-", "_"): {"__init__.py": code, "answer.so": module}}
            wheels.append(make_wheel(self._folder, name, "1.0", tree, data=data, tag=TAG))
        return wheels

    def _library(self, name: str, source: str, *words: str) -> bytes:
        (self._work / "source.c").write_text(source)
        command = [self._gcc, "-shared", "-fPIC", "source.c", f"-Wl,-soname,{name}", "-o", name, *words]
        subprocess.run(command, cwd=self._work, check=True)
        return (self._work / name).read_bytes()

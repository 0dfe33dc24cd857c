# /// parity
# rows = [16]
# says = "libraries that look for each other through `$ORIGIN/..` in other distributions"
# made = "siblings"
# needs = ["cc"]
# requirements = ["sib-app", "sib-core==1.0"]
# expects = ["102 102 1"]
# ///
import ctypes
import os

import sib_app._ext
import sib_core
from sib.math import where

print(sib_app._ext.answer(), sib_app.answer(), sib_core.version())
print(ctypes.CDLL(os.path.join(where, "lib", "libmath.so.2")).math_answer())
# By a path from one distribution into another, as code does that loads its libraries itself.
beside = os.path.join(os.path.dirname(sib_app.__file__), "..", "sib_core", "lib", "libcore.so.1")
print(ctypes.CDLL(beside).core_version())
for module in (sib_app, sib_core, sib_app._ext):
    print(module.__file__, module.__spec__.origin)
with open("/proc/self/maps") as maps:
    print(sorted({line.split()[-1] for line in maps if "/sib" in line.split()[-1]}))

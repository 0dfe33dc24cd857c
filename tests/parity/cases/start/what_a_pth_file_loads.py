# /// parity
# rows = [36]
# says = "a start loads what reading a .pth file takes, also where there is no other .pth file"
# state = "limit"
# python = ">=3.13"
# reason = "site decodes every .pth file as utf-8-sig from 3.13 on, and a .pth file is the one way to start something in an environment"
# environ.PYTHONUTF8 = "1"
# prelude = false
# differs = ["-[]", "+['encodings.utf_8_sig']"]
# ///
import sys

print([name for name in sys.modules if name in ("encodings.utf_8_sig", "_bootlocale", "_locale", "importlib.util", "re", "types")])
import regular

print(regular.who)

# /// parity
# rows = [36]
# says = "a start under another locale, where .pth files are decoded in its encoding before 3.13, with a path that is not ASCII"
# private = true
# run = ["mv {venv} {run}/wörter", "{run}/wörter/bin/python {program}"]
# environ.LC_ALL = "C"
# environ.PYTHONCOERCECLOCALE = "0"
# environ.PYTHONUTF8 = "0"
# expects = "'who': 'regular 1.0'"
# ///
import regular, regular.sub

print({"who": regular.who, "sub": regular.sub.who, "version": metadata.version("regular")})

# /// parity
# rows = [36]
# says = "a start loads no modules but the start-up code, beside any .pth file in site-packages"
# files."{site}/other.pth" = "# a comment"
# prelude = false
# run = ["python {program}", "python -I {program}", "python -X utf8=0 {program}"]
# environ.LC_ALL = "C"
# expects = "'site'"
# ///
import sys

print(sorted(name for name in sys.modules if name.partition(".")[0] != "_multisite"))
print(sys.path[1:], len([name for name in sys.modules if name.startswith("_multisite")]) < 2)
import single

print(single.who)

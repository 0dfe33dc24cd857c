# /// parity
# rows = [19]
# says = ".pth files of locked distributions run as in site-packages: one that fails does not stop the others, a folder line extends sys.path and nothing else does"
# expects = "extra_module"
# catches = ["path", "before", "after"]
# [wheels."pth-1.0"]
# "a.pth" = "import sys; sys.said = getattr(sys, 'said', []) + ['a']"
# "c.pth" = """
#
# # comment
# extra
# missing_folder
# import sys; sys.said.append('c')
# """
# "extra/extra_module.py" = ""
# [wheels."pth_too-1.0"]
# "b.pth" = "import sys; sys.said.append('b')"
# "other.py" = ""
# ///
import extra_module

show(sys.said, where("extra_module"), [entry for entry in sys.path if "site-packages" in entry], where("other"))

# /// parity
# rows = [37]
# says = "NAME.start files (PEP 829) of locked distributions count for nothing before 3.15, as in site-packages"
# python = "<3.15"
# expects = "[[]]"
# [wheels."begun-1.0"]
# "begun.py" = "import sys; sys.begun = getattr(sys, 'begun', []) + ['loaded']"
# "begun.start" = "begun:main"
# "begun.pth" = "import sys; sys.line = True"
# ///
show(getattr(sys, "begun", []))
show(getattr(sys, "line", False), sorted(str(file) for file in metadata.files("begun") if file.suffix in (".start", ".pth")))
import begun

show(sys.begun, begun.__file__)

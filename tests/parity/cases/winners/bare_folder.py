# /// parity
# rows = [3]
# says = "a locked package comes before a folder of the same name without __init__.py beside the script"
# files."regular/mine.py" = ""
# files."spread/mine.py" = "who = 'mine'"
# expects = "regular 1.0"
# ///
import regular, regular.sub

show(regular.who, where("regular"))
attempt(importlib.import_module, "regular.mine")
# Two folders without it are one namespace.
show(where("spread"), where("spread.mine"), where("spread.a"))

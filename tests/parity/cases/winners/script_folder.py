# /// parity
# rows = [1]
# says = "a module beside the script comes before a locked package"
# files."regular.py" = "who = 'beside the script'"
# expects = "beside the script"
# catches = ["before"]
# ///
import regular

show(regular.who, where("regular"), metadata.version("regular"))
attempt(importlib.import_module, "regular.sub")

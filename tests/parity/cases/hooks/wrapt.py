# /// parity
# rows = [9]
# says = "wrapt's post import hooks run for locked modules"
# requirements = ["wrapt", "watched==1.0"]
# cost = "index"
# expects = "told of watched"
# [wheels."watched-1.0"]
# "watched/__init__.py" = ""
# "watched/part.py" = ""
# ///
import wrapt

wrapt.register_post_import_hook(lambda module: show("told of", module.__name__, module.__file__), "watched")
wrapt.register_post_import_hook(lambda module: print("told of", module.__name__, module.__file__), "watched.part")
print("told of nothing so far")
import watched.part

print("told of watched", where("watched.part"))

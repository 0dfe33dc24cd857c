# /// parity
# rows = [1]
# says = "an entry inserted at the front of sys.path comes before what is locked"
# files."before/regular/__init__.py" = "who = 'inserted'"
# expects = "inserted"
# catches = ["before"]
# ///
sys.path.insert(0, os.path.join(RUN, "before"))
import regular

show(regular.who, where("regular"))
attempt(importlib.import_module, "regular.sub")

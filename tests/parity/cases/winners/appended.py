# /// parity
# rows = [2]
# says = "an entry appended to sys.path comes after what is locked"
# folders.after = ["regular ==2.0", "single ==1.0"]
# files."after/other.py" = "who = 'other'"
# expects = "regular 1.0"
# catches = ["after"]
# ///
sys.path.append(os.path.join(RUN, "after"))
import other, regular

show(regular.who, where("regular"), other.who, metadata.version("regular"))
attempt(importlib.import_module, "regular.new")
show_metadata()

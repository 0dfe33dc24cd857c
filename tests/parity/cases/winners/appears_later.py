# /// parity
# rows = [7]
# says = "a real folder that appears beside a locked package which is imported already: its modules are found once the package is imported anew"
# state = "limit"
# reason = "the package's __path__ was made when the folder was not there, and in a plain environment it is the same folder"
# private = true
# differs = ['''+["ModuleNotFoundError", "No module named 'regular.late'"]''', '-["fine", ["<site>/regular/late.py", []]]']
# ///
import regular

os.makedirs(os.path.join(SITE, "regular"), exist_ok=True)
with open(os.path.join(SITE, "regular", "late.py"), "w") as stream:
    stream.write("who = 'late'\n")
importlib.invalidate_caches()
attempt(where, "regular.late")
forget("regular", "regular.late")
attempt(where, "regular.late")

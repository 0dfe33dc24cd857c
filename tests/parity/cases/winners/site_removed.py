# /// parity
# rows = [5]
# says = "without site-packages on sys.path nothing locked is found, nor its metadata"
# expects = "No module named 'regular'"
# catches = ["before", "after"]
# ///
import regular.sub

at = sys.path.index(SITE)
sys.path.remove(SITE)
forget("regular", "regular.sub")
attempt(importlib.import_module, "regular")
attempt(importlib.util.find_spec, "regular")
attempt(metadata.version, "regular")
show_metadata()
sys.path.insert(at, SITE)
attempt(where, "regular")
attempt(metadata.version, "regular")

# /// parity
# rows = [9]
# says = "a stranger's path hook, a cleared importer cache, and PathFinder asked directly before any locked module was imported: it does not find what is locked; any import of a locked name mends it, unless a finder before ours has an answer"
# state = "limit"
# reason = "nothing of multisite's is asked between the clearing and the question, and the stranger's hook comes first"
# differs = ['-["<site>/regular/__init__.py"]', '+[null]']
# ///
sys.path_hooks.insert(0, FileFinder.path_hook((Instrumenting, [".py"])))
sys.path_importer_cache.clear()
show(getattr(PathFinder.find_spec("regular"), "origin", None))
import regular

show(PathFinder.find_spec("regular").origin, regular.instrumented)

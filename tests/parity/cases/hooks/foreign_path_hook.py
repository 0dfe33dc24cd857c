# /// parity
# rows = [8]
# says = "a stranger's path hook and a cleared importer cache: what is locked is found, and instrumented by the stranger"
# expects = "[true, true, true, true]"
# catches = ["off"]
# ///
sys.path_hooks.insert(0, FileFinder.path_hook((Instrumenting, [".py"])))
sys.path_importer_cache.clear()
import regular.sub, single, spread.a

show([module.instrumented for module in (regular, regular.sub, single, spread.a)], where("spread"))
sys.path_importer_cache.clear()
attempt(importlib.import_module, "missing")
show([importlib.util.find_spec(name).origin for name in ("regular", "single", "spread.a")])

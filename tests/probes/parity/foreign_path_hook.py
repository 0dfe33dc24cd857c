sys.path_hooks.insert(0, FileFinder.path_hook((Instrumenting, [".py"])))
sys.path_importer_cache.clear()
import ns.a, reg.sub, six

show([module.instrumented for module in (reg, reg.sub, six, ns.a)], where("ns"))
sys.path_importer_cache.clear()
attempt(importlib.import_module, "missing")
show([importlib.util.find_spec(name).origin for name in ("reg", "six", "ns.a")])

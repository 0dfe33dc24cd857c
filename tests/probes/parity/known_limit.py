# A stranger's hook first, the cache cleared, and PathFinder asked directly: nothing of ours has had a turn yet.
sys.path_hooks.insert(0, FileFinder.path_hook((Instrumenting, [".py"])))
sys.path_importer_cache.clear()
show(PathFinder.find_spec("reg"))
import reg

show(PathFinder.find_spec("reg").origin, reg.instrumented)

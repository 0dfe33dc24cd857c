# /// parity
# rows = [40]
# says = "loaders and finders of modules and submodules, as programs look at them: kinds, names, equality, copies, and every question of the loader's protocol"
# ///
import copy, importlib.abc, inspect, linecache, pickle

import regular.sub, single, spread.deep.x

for module in regular, regular.sub, single, spread.deep.x:
    loader, spec = module.__loader__, module.__spec__
    fresh = SourceFileLoader(module.__name__, module.__file__)
    show(repr(loader).split(" at ")[0], isinstance(loader, SourceFileLoader), loader.__class__ is SourceFileLoader)
    show(loader == fresh, fresh == loader, hash(loader) == hash(fresh), issubclass(type(loader), SourceFileLoader))
    show(type(loader).__name__, type(loader).__qualname__, type(loader).__module__, sorted(vars(loader)))
    show([isinstance(loader, kind) for kind in (importlib.abc.SourceLoader, importlib.abc.ExecutionLoader, importlib.abc.Loader)])
    for other in copy.copy(loader), copy.deepcopy(loader), pickle.loads(pickle.dumps(loader)):
        show(type(other) is SourceFileLoader, other == loader, vars(other) == vars(loader))
    facts = os.stat(module.__file__)
    show(loader.path_stats(loader.path) == {"mtime": facts.st_mtime, "size": facts.st_size})
    attempt(loader.path_mtime, loader.path)
    show(loader.get_data(loader.path) == open(loader.path, "rb").read(), loader.get_source(module.__name__))
    show(loader.get_filename(), loader.is_package(module.__name__), loader.get_code(module.__name__).co_filename)
    attempt(loader.get_code, "another")
    attempt(loader.get_data, loader.path + ".missing")
    show(spec.cached, module.__cached__, spec.has_location, spec.parent, str(spec).split(" at ")[0])
    show(inspect.getsource(module), inspect.getfile(module), linecache.getlines(module.__file__))
    show(importlib.reload(module) is module, module.__loader__ == loader, module.__spec__.loader is loader)

finder = pkgutil.get_importer(list(regular.__path__)[0])
show(repr(finder), type(finder).__name__, type(finder).__module__, isinstance(finder, FileFinder), finder.path)
show(finder is sys.path_importer_cache[finder.path], finder.find_spec("regular.missing"), finder.find_spec("regular.sub").origin)
show([[suffix, loader.__name__] for suffix, loader in finder._loaders])
show(sorted(name for _, name, _ in pkgutil.iter_modules(regular.__path__)))
show(sorted(name for _, name, _ in pkgutil.walk_packages(spread.__path__, "spread.")))

# As pytest's assertion rewriting does, which also reads which files a plugin has.
show([PathFinder.find_spec(name).origin for name in ("reg", "plugin")], PathFinder.find_spec("missing"))
show(PathFinder.find_spec("reg.sub", importlib.import_module("reg").__path__).origin)
show(sorted(map(str, metadata.files("plugin"))))

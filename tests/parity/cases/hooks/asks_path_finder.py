# /// parity
# rows = [10]
# says = "PathFinder finds what is locked when it is asked directly, as pytest's assertion rewriting does, and files() names a plugin's modules"
# catches = ["before", "after"]
# expects = "plugin.py"
# [wheels."plugin-1.0"]
# "plugin.py" = ""
# "@dist-info/entry_points.txt" = """
# [pytest11]
# plugin = plugin
# """
# [wheels."other-1.0"]
# "other/__init__.py" = ""
# "other/sub.py" = ""
# ///
show([PathFinder.find_spec(name).origin for name in ("other", "plugin")], PathFinder.find_spec("missing"))
show(PathFinder.find_spec("other.sub", importlib.import_module("other").__path__).origin)
show(sorted(str(file) for file in metadata.files("plugin") if file.suffix == ".py"), entry_points("pytest11"))

# /// parity
# rows = [32]
# says = "which files the reloaders of Werkzeug and Django watch: those of all modules, and not the start-up code; here the table as well"
# state = "limit"
# reason = "an upgrade changes the files of modules in a plain environment, and only the table here: watching it has the reloader notice"
# requirements = ["werkzeug", "django"]
# cost = "index"
# differs = ['-["django", true, true, []]', '+["django", true, true, ["table"]]']
# ///
import django.utils.autoreload, werkzeug._reloader

files = {os.path.realpath(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
third = {file for file in files if "/site-packages/" in file}
watched = {
    "django": {str(path) for path in django.utils.autoreload.iter_all_python_module_files()},
    "werkzeug": {os.path.realpath(path) for path in werkzeug._reloader._find_stat_paths(set(), set())},
}
for name, paths in watched.items():
    own = sorted(os.path.basename(path) for path in paths if ".multisite" in path)
    show(name, bool(third) and third <= paths, __file__ in paths, own)

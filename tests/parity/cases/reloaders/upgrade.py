# /// parity
# rows = [32]
# says = "the reloaders of Werkzeug and Django notice that a distribution was upgraded"
# state = "mended"
# reason = "they watch the files of modules, which never change in the store; when they are loaded, they are told to watch the environment's table too"
# requirements = ["werkzeug", "django", "upgraded==1.0"]
# cost = "index"
# run = ["python {program} before", "lock werkzeug django upgraded==2.0", "python {program} after"]
# expects = "true"
# [wheels]
# "upgraded-1.0" = {"upgraded.py" = "version = 1"}
# "upgraded-2.0" = {"upgraded.py" = "version = 2\nmore = True"}
# ///
import django.utils.autoreload, upgraded, werkzeug._reloader

loop = werkzeug._reloader.ReloaderLoop()
stat = werkzeug._reloader._find_stat_paths(loop.extra_files, set())
found = {
    "django": {str(path) for path in django.utils.autoreload.iter_all_python_module_files()},
    "werkzeug": {os.path.abspath(path) for path in stat},
}
times = {name: {path: os.stat(path).st_mtime_ns for path in paths} for name, paths in found.items()}
if sys.argv[1] == "before":
    with open("times.json", "w") as stream:
        json.dump(times, stream)
else:
    with open("times.json") as stream:
        before = json.load(stream)
    for name in found:
        gone = [path for path in before[name] if not os.path.exists(path)]
        changed = [path for path, time in before[name].items() if path not in gone and os.stat(path).st_mtime_ns != time]
        show(name, bool(changed))

# /// parity
# rows = [40, 8]
# says = "path hooks of others in each place, also before what nobody has imported yet; a suffix of one's own; a standard loader whose methods were exchanged"
# [wheels."hooked-1.0"]
# "hooked/__init__.py" = ""
# "hooked/a.py" = "who = 'a'"
# "hooked/b.py" = "who = 'b'"
# "hooked/c.other" = "who = 'c'"
# "hooked/in_1/__init__.py" = ""
# "hooked/in_1/m.py" = "who = 1"
# "hooked/in_2/__init__.py" = ""
# "hooked/in_2/m.py" = "who = 2"
# "hooked/in_3/__init__.py" = ""
# "hooked/in_3/m.py" = "who = 3"
# "hooked/in_3/n.other" = "who = 'n'"
# "hooked/in_4/__init__.py" = ""
# "hooked/in_4/m.py" = "who = 4"
# "hooked/in_5/m.py" = "who = 5"
# ///
import hooked.a

instrumenting = FileFinder.path_hook((Instrumenting, [".py"]))


def declining(path):
    raise ImportError(path)


def tried(name):
    module = importlib.import_module(name)
    show(name, module.who, getattr(module, "instrumented", False), type(module.__loader__).__name__)


tried("hooked.a")
for at, name in ((0, "hooked.in_1.m"), (len(sys.path_hooks) - 1, "hooked.in_2.m")):
    sys.path_hooks.insert(at, instrumenting)
    tried(name)
    sys.path_hooks.remove(instrumenting)
sys.path_hooks.insert(0, declining)
sys.path_hooks.append(declining)
importlib.machinery.SOURCE_SUFFIXES.insert(0, ".other")
tried("hooked.in_3.n")
tried("hooked.in_3.m")
importlib.machinery.SOURCE_SUFFIXES.remove(".other")
attempt(importlib.import_module, "hooked.c")

known = SourceFileLoader.get_code
SourceFileLoader.get_code = lambda self, name: compile("who = 'exchanged'", self.path, "exec")
tried("hooked.in_4.m")
SourceFileLoader.get_code = known
SourceFileLoader.exec_module = lambda self, module: setattr(module, "who", "set")
tried("hooked.in_5.m")
del SourceFileLoader.exec_module
tried("hooked.b")

# /// parity
# rows = [40]
# says = "files that are added to a package's folder while a program runs, and taken away again"
# flags = ["-B"]
# [wheels."changing-1.0"]
# "changing/__init__.py" = ""
# "changing/old.py" = "who = 'old'"
# "changing/inner/__init__.py" = ""
# "changing/bare/leaf.py" = "who = 'leaf'"
# ///
import changing, changing.old

folder = list(changing.__path__)[0]
made = [os.path.join(folder, *name.split("/")) for name in ("late.py", "inner/late.py", "bare/late.py")]
names = ["changing.late", "changing.inner.late", "changing.bare.late"]


def tried():
    importlib.invalidate_caches()
    forget("changing.old", *names)
    for name in ["changing.old", *names]:
        attempt(lambda name: importlib.import_module(name).who, name)
    show(sorted(name for _, name, _ in pkgutil.iter_modules([folder, os.path.join(folder, "inner")])))


tried()
try:
    for path in made:
        with open(path, "w") as stream:
            stream.write("who = 'late'")
    tried()
finally:
    for path in made:
        os.remove(path)
tried()
os.rename(os.path.join(folder, "old.py"), os.path.join(folder, "older.py"))
try:
    tried()
finally:
    os.rename(os.path.join(folder, "older.py"), os.path.join(folder, "old.py"))
tried()

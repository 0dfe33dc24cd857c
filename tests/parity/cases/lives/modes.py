# /// parity
# rows = [34]
# says = "files that a program copies out of its package are writable, and have the modes that they have in a plain environment"
# expects = "[true, true]"
# ///
import regular, shutil, stat

source = os.path.dirname(regular.__file__)
for name in ("", "__init__.py", "data", "data/text.txt"):
    show(name, oct(stat.S_IMODE(os.stat(os.path.join(source, name)).st_mode)))
target = shutil.copytree(os.path.join(source, "data"), os.path.join(RUN, "project"))
path = os.path.join(target, "text.txt")
show(os.access(path, os.W_OK), bool(os.stat(path).st_mode & stat.S_IWUSR))
with open(path, "a") as stream:
    stream.write("more")
show(open(path).read(), pkgutil.get_data("regular", "data/text.txt").decode())

# /// parity
# rows = [11, 18]
# says = "data files of a package: beside __file__, by pkgutil.get_data and by importlib.resources"
# expects = "inside"
# ///
import regular

show(pkgutil.get_data("regular", "data/text.txt").decode())
with open(os.path.join(os.path.dirname(regular.__file__), "data", "text.txt")) as stream:
    show(stream.read())
if sys.version_info >= (3, 9):
    import importlib.resources

    show(importlib.resources.files("regular").joinpath("data/text.txt").read_text())
    show(sorted(item.name for item in importlib.resources.files("regular").iterdir() if item.name != "__pycache__"))
    with importlib.resources.as_file(importlib.resources.files("regular") / "data" / "text.txt") as path:
        show(path)

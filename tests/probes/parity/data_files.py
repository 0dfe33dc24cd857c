import reg

show(pkgutil.get_data("reg", "data/text.txt").decode())
with open(os.path.join(os.path.dirname(reg.__file__), "data", "text.txt")) as stream:
    show(stream.read())
if sys.version_info >= (3, 9):
    import importlib.resources

    show(importlib.resources.files("reg").joinpath("data/text.txt").read_text())
    with importlib.resources.as_file(importlib.resources.files("reg") / "data" / "text.txt") as path:
        show(path)

# /// parity
# rows = [7]
# says = "data that a real folder adds to a locked package: importlib.resources sees the package's first folder only"
# python = ">=3.9"
# state = "limit"
# reason = "the loader's resource reader knows one folder, that of __file__"
# files."{site}/regular/added.txt" = "added"
# differs = ['-["added", true]', '+["FileNotFoundError", false]']
# ///
import importlib.resources, regular

try:
    said = pkgutil.get_data("regular", "added.txt").decode().strip()
except FileNotFoundError as error:
    said = type(error).__name__
show(said, importlib.resources.files("regular").joinpath("added.txt").is_file())
show(any(os.path.isfile(os.path.join(folder, "added.txt")) for folder in regular.__path__))

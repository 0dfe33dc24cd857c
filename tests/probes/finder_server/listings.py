"""Steps that list packages and read what is in them."""

import importlib
import pkgutil
import sys

from finder_server.answers import Answers

try:
    import importlib.resources
except ImportError:
    pass


class Listings(Answers):
    """Packages as folders: `pkgutil` and `importlib.resources`."""

    def iter_modules(self, name):
        self.directly()
        path = None if name is None else importlib.import_module(name).__path__
        return self.listed(pkgutil.iter_modules(path, "" if name is None else name + "."), keep_order=name is None)

    def iter_folder(self, where):
        if not self.directly(where):
            return None
        return self.listed(pkgutil.iter_modules([self.places.folders[where]]), keep_order=True)

    def walk_packages(self, name):
        self.directly()
        path = None if name is None else importlib.import_module(name).__path__
        if path is None:
            path = [entry for entry in sys.path if entry.startswith(self.places.run)]
        errors = []
        found = pkgutil.walk_packages(path, "" if name is None else name + ".", onerror=errors.append)
        return [self.listed(found, keep_order=False), sorted(errors)]

    def listed(self, found, keep_order):
        rows = []
        for item in found:
            folder = self.places.plain(getattr(item.module_finder, "path", ""))
            if folder.startswith("<"):
                rows.append([folder.rstrip("/"), item.name, item.ispkg])
        return rows if keep_order else sorted(rows)

    def extend_path(self, name):
        self.directly()
        return self.places.folders_once(pkgutil.extend_path(["<own>"], name))

    def get_data(self, name, path):
        if self.trees.is_split(name):
            return None  # a known difference: such a package has two folders, data is looked for in one
        return self.get_data_always(name, path)

    def get_data_always(self, name, path):
        data = pkgutil.get_data(name, path)
        return None if data is None else data.decode()

    def resources(self, name):
        if self.trees.is_split(name):
            return None
        if not hasattr(importlib, "resources") or not hasattr(importlib.resources, "files"):
            return None
        if not hasattr(importlib.import_module(name), "__path__"):
            return None  # the folder of a module is all of site-packages
        folder = importlib.resources.files(name)
        return sorted(
            [item.name, item.read_text() if item.is_file() and item.name.endswith(".txt") else None]
            for item in folder.iterdir()
            if item.name != "__pycache__"
        )

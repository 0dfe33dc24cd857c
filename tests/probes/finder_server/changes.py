"""Steps that change the path, the hooks and what is on disk."""

import importlib
import importlib.machinery
import os
import sys

import site

from finder_server.imports import Imports
from finder_server.strangers import Instrumenting, Wrapping


class Changes(Imports):
    """Changes, after which modules are imported anew."""

    def path_insert(self, where, at):
        sys.path.insert(at, self.places.folders[where])

    def path_append(self, where):
        sys.path.append(self.places.folders[where])

    def path_remove(self, where):
        folder = self.places.folders[where]
        sys.path[:] = [entry for entry in sys.path if entry != folder]

    def path_respell(self, where):
        folders = {self.places.folders[name] for name in ("site", "alias", "slash", "inner")}
        sys.path[:] = [self.places.folders[where] if entry in folders else entry for entry in sys.path]

    def path_object(self):
        sys.path = list(sys.path)

    def clear_importer_cache(self):
        sys.path_importer_cache.clear()

    def forget_site_finder(self):
        sys.path_importer_cache.pop(self.places.site, None)

    def foreign_path_hook(self):
        self.foreign = True
        loaders = [
            (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
            (Instrumenting, importlib.machinery.SOURCE_SUFFIXES),
        ]
        sys.path_hooks.insert(0, importlib.machinery.FileFinder.path_hook(*loaders))

    def foreign_meta_finder(self, kind):
        sys.meta_path.insert(0, Wrapping(kind))

    def invalidate_caches(self):
        importlib.invalidate_caches()

    def install(self, key):
        for known in (self.spare, self.trees.real, self.trees.locked):
            self.changed(known[key]["files"] if key in known else ())
        self.trees.install(self.spare[key])
        importlib.invalidate_caches()

    def uninstall(self, key):
        for known in (self.trees.real, self.trees.locked):
            self.changed(known[key]["files"] if key in known else ())
        self.trees.uninstall(key)
        importlib.invalidate_caches()

    def write(self, where, path, text):
        self.changed([path])
        self.trees.write(where, path, text)
        importlib.invalidate_caches()

    def write_only(self, where, path, text):
        self.trees.write(where, path, text)
        importlib.invalidate_caches()

    def delete(self, where, path):
        self.changed([path])
        self.trees.delete(where, path)
        importlib.invalidate_caches()

    def changed(self, paths):
        """Forget the modules that are about to change on disk.

        A known difference: the __path__ of a locked package that is loaded already does not get the real folder that
        appears beside it.
        """
        for name in {path.split("/")[0].split(".")[0] for path in paths}:
            self.forget(name)

    def addsitedir_again(self):
        site.addsitedir(self.places.site, {os.path.normcase(entry) for entry in sys.path})

    def sys_path(self):
        return [self.places.name(entry) for entry in sys.path if entry.startswith(self.places.run)]

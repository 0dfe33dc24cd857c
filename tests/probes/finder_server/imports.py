"""Steps that import modules and look for them."""

import importlib
import importlib.machinery
import importlib.util
import pkgutil
import sys

from finder_server.answers import Answers


class Imports(Answers):
    """Modules."""

    def load(self, name):
        return self.module(importlib.import_module(name))

    def statement(self, text):
        scope = {}
        exec(text, scope)
        return {
            name: self.module(value) if hasattr(value, "__spec__") else type(value).__name__
            for name, value in scope.items()
            if not name.startswith("__")
        }

    def find_spec(self, name):
        return self.spec(importlib.util.find_spec(name))

    def path_finder(self, name):
        path = None
        if "." in name:
            path = importlib.import_module(name.rpartition(".")[0]).__path__
        self.directly()
        return self.spec(importlib.machinery.PathFinder.find_spec(name, path))

    def path_finder_in(self, name, where):
        if not self.directly(where):
            return None
        return self.spec(importlib.machinery.PathFinder.find_spec(name, [self.places.folders[where]]))

    def path_entry(self, name):
        """Ask the finder of the site-packages folder itself."""
        if not self.directly():
            return None
        return self.spec(pkgutil.get_importer(self.places.site).find_spec(name))

    def file_location(self, name):
        """Load a file under a name of one's own, as test runners do."""
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.origin:
            return None
        other = importlib.util.spec_from_file_location("alias_of_" + name.replace(".", "_"), spec.origin)
        module = importlib.util.module_from_spec(other)
        other.loader.exec_module(module)
        return self.module(module)

    def reload(self, name):
        return self.module(importlib.reload(importlib.import_module(name)))

    def forget(self, name):
        for known in [known for known in sys.modules if known == name or known.startswith(name + ".")]:
            del sys.modules[known]

    def loaded(self):
        """Say which modules of the scenario are loaded, and where the namespace packages lie by now."""
        found = {}
        for name, module in sorted(sys.modules.items()):
            path = getattr(module, "__path__", None)
            file = self.places.plain(getattr(module, "__file__", None) or "")
            if file.startswith("<") or (path is not None and str(self.places.folders_once(path)).startswith("['<")):
                if not name.startswith("_multisite"):
                    found[name] = [file, self.places.folders_once(path)]
        return found

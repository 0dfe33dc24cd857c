"""What a step answers with: modules, specs and errors in the form that is compared."""

import sys


class Answers:
    """What all kinds of steps know: the places, the trees, and how to say what they found."""

    def __init__(self, places, trees, scenario):
        self.places = places
        self.trees = trees
        self.spare = {dist["key"]: dist for dist in scenario["spare"]}
        self.foreign = False

    def directly(self, where="site"):
        """Prepare for asking path entries directly; tell whether they can be asked.

        A known difference: once a stranger's path hook stands first, an entry that is new to the importer cache is the
        stranger's until a locked name is imported that no finder before ours has an answer for.
        """
        if self.foreign:
            for dist in self.trees.locked.values():
                for path in dist["files"]:
                    for finder in sys.meta_path:
                        if hasattr(finder, "find_spec"):
                            finder.find_spec(path.split("/")[0].split(".")[0], None)
        return not self.foreign or self.places.folders[where] in sys.path

    def error(self, error):
        found = {"error": type(error).__name__, "message": self.places.plain(str(error))}
        if isinstance(error, ImportError):
            found["name"] = error.name
            found["path"] = self.places.plain(error.path)
        return found

    def spec(self, spec):
        if spec is None:
            return None
        return {
            "name": spec.name,
            "loader": loader_name(spec.loader),
            "origin": self.places.plain(spec.origin),
            "cached": self.places.plain(spec.cached),
            "locations": self.places.folders_once(spec.submodule_search_locations),
            "has_location": spec.has_location,
            "parent": spec.parent,
        }

    def module(self, module):
        return {
            "name": module.__name__,
            "file": self.places.plain(getattr(module, "__file__", "<none>")),
            "path": self.places.folders_once(getattr(module, "__path__", None)),
            "who": getattr(module, "who", None),
            "foreign": getattr(module, "instrumented", None),
            "loader": loader_name(getattr(module, "__loader__", None)),
            "spec": self.spec(module.__spec__),
            "package": module.__package__,
        }


def loader_name(loader):
    return getattr(loader, "__name__", None) if isinstance(loader, type) else type(loader).__name__

"""Import hooks of others."""

import importlib.machinery
import sys


class Instrumenting(importlib.machinery.SourceFileLoader):
    """A stranger's loader, as beartype.claw and import-time instrumentation have it."""

    def exec_module(self, module):
        module.instrumented = "path hook"
        super().exec_module(module)


class Wrapping:
    """A stranger's finder on sys.meta_path: asks PathFinder, or everyone after it, and instruments what they find."""

    def __init__(self, kind):
        self.kind = kind

    def find_spec(self, fullname, path=None, target=None):
        if self.kind == "PathFinder":
            spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        else:
            spec = None
            for finder in sys.meta_path:
                if finder is not self and not isinstance(finder, Wrapping):
                    spec = finder.find_spec(fullname, path, target)
                    if spec is not None:
                        break
        if spec is not None and type(spec.loader).__name__ == "SourceFileLoader":
            spec.loader = Instrumenting(spec.loader.name, spec.loader.path)
        return spec

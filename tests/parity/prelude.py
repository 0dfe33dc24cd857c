# What stands before each Python probe: names that it can use, and how it says what it sees.
import importlib, importlib.util, json, os, pkgutil, sys
from importlib import metadata
from importlib.machinery import FileFinder, PathFinder, SourceFileLoader

RUN, VENV, SITE = (os.environ.get("PARITY_" + name, "") for name in ("RUN", "VENV", "SITE"))


def show(*values):
    """Print the values as JSON, in one line."""
    print(json.dumps(values, default=str), flush=True)


def attempt(function, *arguments, **options):
    """Show what the call returns, or what it raises."""
    try:
        show("fine", function(*arguments, **options))
    except Exception as error:
        show(type(error).__name__, str(error))


def where(name):
    """Import a module; return its file and its path."""
    module = importlib.import_module(name)
    return [getattr(module, "__file__", None), list(getattr(module, "__path__", []))]


def show_metadata(path=None):
    """Show for each name how many distributions there are, and the version of the first."""
    rows = {}
    for found in metadata.distributions() if path is None else metadata.distributions(path=path):
        row = rows.setdefault(found.metadata["Name"], [0, found.version])
        row[0] += 1
    show(dict(sorted(rows.items())))


def entry_points(group):
    """Return name and value of the entry points of *group*, sorted, on each Python."""
    points = metadata.entry_points()
    points = points.select(group=group) if hasattr(points, "select") else points.get(group, [])
    return sorted([point.name, point.value] for point in points)


def forget(*names):
    """Have the modules imported anew when they are asked for next."""
    for name in names:
        sys.modules.pop(name, None)


class Instrumenting(SourceFileLoader):
    """A loader that marks what it loaded, as tools that rewrite code do."""

    def exec_module(self, module):
        module.instrumented = True
        super().exec_module(module)



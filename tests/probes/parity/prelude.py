"""Stands before each program here: names that they use, and how they say what they see."""
import importlib, importlib.util, json, os, pkgutil, sys
from importlib import metadata
from importlib.machinery import FileFinder, PathFinder, SourceFileLoader


def show(*values):
    print(json.dumps(values, default=str))


def attempt(function, *arguments):
    try:
        show("fine", function(*arguments))
    except Exception as error:
        show(type(error).__name__, str(error))


def where(name):
    module = importlib.import_module(name)
    return [getattr(module, "__file__", None), list(getattr(module, "__path__", []))]


def show_metadata(path=None):
    """For each name: how many distributions there are, and the version of the first."""
    rows = {}
    for found in metadata.distributions() if path is None else metadata.distributions(path=path):
        row = rows.setdefault(found.metadata["Name"], [0, found.version])
        row[0] += 1
    show(rows)


def forget(*names):
    for name in names:
        del sys.modules[name]


class Instrumenting(SourceFileLoader):
    def exec_module(self, module):
        module.instrumented = True
        super().exec_module(module)


def is_site(entry):
    return "site-packages" in entry and "venv" in entry


around = os.path.dirname(sys.prefix)
after = os.path.join(around, "after")
alias = os.path.join(around, "alias")
site_packages = next((entry for entry in sys.path if is_site(entry)), None)

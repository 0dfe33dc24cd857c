"""Where things are in one run."""

import collections
import os
import sys


class Places:
    """Where things are in one run, and how their names are brought to one form."""

    def __init__(self, run, scenario):
        self.run = run
        self.venv = os.path.join(run, "venv")
        self.site = os.path.join(self.venv, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
        self.store = os.path.join(run, "store")
        self.alias = os.path.join(run, "alias")
        self.folders = {"site": self.site, "alias": self.alias, "slash": self.site + "/", "inner": self.site + "/."}
        for name in ("before", "script", "after"):
            self.folders[name] = os.path.join(run, name)
        self.roots = {key: os.path.join(self.store, root) for key, root in scenario["roots"].items()}
        self.entries = {key: os.path.join(self.store, root) for key, root in scenario["entries"].items()}
        longest = sorted({*self.roots.values(), *self.entries.values()}, key=len, reverse=True)
        self.prefixes = [(folder, "<site>") for folder in longest]
        # However site-packages is spelled on the path: what is found in the store has the store's own spelling.
        self.prefixes += [(self.site + "/./", "<site>/"), (self.site + "//", "<site>/"), (self.alias, "<site>")]
        self.prefixes += [(self.site + "/.", "<site>"), (self.site, "<site>"), (run, "<run>")]

    def plain(self, value):
        """Bring *value* (of JSON's types, or a tuple, or with a str()) to the form that is compared."""
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, dict):
            return {self.plain(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        text = str(value)
        for folder, name in self.prefixes:
            text = text.replace(folder, name)
        return text

    def name(self, entry):
        """The name of a folder on sys.path as it is spelled there."""
        names = [name for name, folder in self.folders.items() if folder == entry]
        return names[0] if names else self.plain(entry)

    def folders_once(self, value):
        if value is None:
            return None
        return list(collections.OrderedDict.fromkeys(self.plain(list(value))))

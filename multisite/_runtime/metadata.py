"""Metadata of locked distributions for ``importlib.metadata``, and for whatever speaks its protocol.

The standard library finds metadata by listing the folders on the path. What answers for ordinary folders, its
``MetadataPathFinder`` or that of the ``importlib_metadata`` backport, which disables the standard one, is taught here
that the site-packages folder holds what is locked as well: that has its place on the path then, as in a plain
environment. The search, and with it the matching of names, stays that module's own.

Its ``PathDistribution`` learns what belongs to one installation and not to the store (``record.py``). A subclass of it
would be lost where a distribution is pickled, or made anew from the path of another.
"""

import copy
import functools
import os
import sys

from .answers import has_usual_name, teach
from .habits import wrap
from .installed import is_stub, normalized
from .record import Facts


def adapt_finders(site):
    """Teach whoever on ``sys.meta_path`` answers for the metadata in ordinary folders."""
    for finder in sys.meta_path:
        if hasattr(finder, "find_distributions"):
            module = sys.modules.get(type(finder).__module__)
            if hasattr(module, "MetadataPathFinder"):
                adapt(site, module)
    if "importlib.metadata" in sys.modules:
        adapt(site, sys.modules["importlib.metadata"])


def adapt(site, protocol):
    """Teach the classes of the module *protocol*, once; tell whether they are as expected."""
    wrappers = {
        "MetadataPathFinder": {"find_distributions": _finding},
        "PathDistribution": {"read_text": _reading, "locate_file": _locating},
    }
    for kind, methods in wrappers.items():
        if not all(name in getattr(getattr(protocol, kind, None), "__dict__", ()) for name in methods):
            return False
    taught = vars(protocol).setdefault("_multisite", [])
    if site not in taught:
        taught.append(site)
        facts = Facts(site)
        for kind, methods in wrappers.items():
            for name, wrapper in methods.items():
                wrap(getattr(protocol, kind), name, functools.partial(wrapper, protocol, facts))
        teach(protocol, facts)
    return True


def _finding(protocol, facts, function):
    site = facts.site

    def find_distributions(cls, context=None):
        if context is None:
            context = protocol.DistributionFinder.Context()
        path = context.path
        if iter(path) is path:  # the finders after this one are to see it as well
            path = vars(context)["path"] = list(path)
        if not any(site.owns(str(entry)) for entry in path):
            return function(cls, context)
        return _in_order(path, context)

    def _in_order(path, context):
        folder = _locked_folder(protocol, site)
        for entry in path:
            part = copy.copy(context)
            vars(part)["path"] = [entry]
            if site.owns(str(entry)):
                yield from _distributions(protocol, folder.found(context.name))
                real = function(protocol.MetadataPathFinder, part)
                yield from (one for one in real if not is_stub(str(one._path)))
            else:
                if not _has_none(site, str(entry)):
                    yield from function(protocol.MetadataPathFinder, part)

    return find_distributions


def _has_none(site, entry):
    """Tell whether there are no metadata in the folder *entry*, kept while its time is the same."""
    try:
        if not entry:  # the current folder, which may be another by the next time
            return not _metadata_in(os.curdir)
        time = os.stat(entry).st_mtime_ns
        known = site.metadata.get((entry, None))
        if known is None or known[0] != time:
            known = site.metadata[entry, None] = time, not _metadata_in(entry)
        return known[1]
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False


def _metadata_in(folder):
    return [name for name in os.listdir(folder) if name[-5:].lower() == "-info"]


def _distributions(protocol, paths):
    """Return the distributions with metadata at *paths*. From 3.13 on, their ``__new__`` looks for abstract methods."""
    kind = protocol.PathDistribution
    if getattr(kind.__init__, "__code__", _distributions.__code__).co_names != ("_path",):
        return map(kind, paths)
    return map(functools.partial(_distribution, kind), paths)


def _distribution(kind, path):
    made = object.__new__(kind)
    made._path = path
    return made


def _locked_folder(protocol, site):
    """Return the site-packages folder as the search of *protocol* sees it, kept while nothing changes."""
    table = site.table
    replaced = site.replaced(table)
    known = site.metadata.get(protocol.__name__)
    if known is None or known.table is not table or known.replaced is not replaced:
        known = site.metadata[protocol.__name__] = _new_folder(protocol, site, table, replaced)
    return known


def _new_folder(protocol, site, table, replaced):
    import pathlib

    class LockedFolder(protocol.FastPath):
        def __new__(cls, children):
            return object.__new__(cls)

        def __init__(self, indexes):
            super().__init__(site.path)
            self.indexes = indexes

        mtime = None

        def children(self):
            return list(self.indexes)

        def joinpath(self, child):
            return pathlib.Path(table.root(self.indexes[child], replaced) + os.sep + child)

        def found(self, name):
            """Return the metadata folders that are looked for: for a name only where that may be."""
            rows = table.distributions
            if name is None and all(map(has_usual_name, rows)):
                return [self.joinpath(child) for child in self.indexes]
            start = normalized(name) if name else ""
            indexes = [at for at in self.indexes.values() if rows[at][0].startswith(start)]
            usual = start and name[0].isalnum() and hasattr(protocol.Prepared, "normalize")
            if usual and all(has_usual_name(rows[at]) for at in indexes):
                return [self.joinpath(rows[at][3]) for at in indexes if rows[at][0] == start]
            return LockedFolder({rows[at][3]: at for at in indexes}).search(protocol.Prepared(name))

    folder = LockedFolder({row[3]: index for index, row in enumerate(table.distributions) if index not in replaced})
    folder.table = table
    folder.replaced = replaced
    return folder


def _reading(protocol, facts, function):
    def read_text(self, filename):
        index = facts.index(self._path) if facts.covers(filename) else None
        if index is None:
            return function(self, filename)
        return facts.read_text(index, str(filename), functools.partial(function, self))

    return read_text


def _locating(protocol, facts, function):
    def locate_file(self, path):
        index = facts.index(self._path)
        own = None if index is None else facts.located(index, path)
        return function(self, path) if own is None else own

    return locate_file

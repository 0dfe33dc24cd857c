"""Metadata of locked distributions for ``importlib.metadata``, and for whatever speaks its protocol.

The standard library finds metadata by listing the folders on the path. What answers for ordinary folders, its
``MetadataPathFinder`` or that of the ``importlib_metadata`` backport, which disables the standard one, is taught here
that the site-packages folder holds what is locked as well: that has its place on the path then, as in a plain
environment. The search, and with it the matching of names, stays that module's own.

Its ``PathDistribution`` learns what belongs to one installation and not to the store (``record.py``). A subclass of it
would be lost where a distribution is pickled, or made anew from the path of another.
"""

import functools
import os
import sys

from .answers import LEAN, teach
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
    if site in vars(protocol).get("_multisite", ()):
        return True
    wrappers = {
        "MetadataPathFinder": {"find_distributions": _finding},
        "PathDistribution": {"read_text": _reading, "locate_file": _locating},
    }
    for kind, methods in wrappers.items():
        if not all(name in getattr(getattr(protocol, kind, None), "__dict__", ()) for name in methods):
            return False
    vars(protocol).setdefault("_multisite", []).append(site)
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
        owned = [site.owns(str(entry)) for entry in path]
        if True not in owned:
            return function(cls, context)
        return _in_order(protocol, facts, function, path, owned, context)

    return find_distributions


def _in_order(protocol, facts, function, path, owned, context):
    """Yield what is in each entry of *path*; *function* is the standard library's, *owned* tells which are ours."""
    site = facts.site
    locked = _locked(protocol, facts)
    lean = getattr(context, "__dict__", {}).get(LEAN)
    if lean is not None and not _is_alone(protocol, site, path, owned):
        lean = None
    for at, entry in enumerate(path):
        if owned[at]:
            yield from _distributions(protocol, locked.found(context.name, lean))
            if not site.bare:
                real = _ordinary(protocol, function, entry, context)
                yield from (one for one in real if not is_stub(str(one._path)))
        elif lean is None and not _has_none(protocol, site, str(entry)):
            yield from _ordinary(protocol, function, entry, context)


def _ordinary(protocol, function, entry, context):
    import copy  # who asks for what is locked alone need not have it

    part = copy.copy(context)
    vars(part)["path"] = [entry]
    return function(protocol.MetadataPathFinder, part)


def _locked(protocol, facts):
    """Return what is locked, kept while nothing changes.

    What is really installed is listed anew where the standard library lists anew. It has an object for each folder,
    with what it listed: up to 3.9 for one question, later until it is to forget them.
    """
    site = facts.site
    kind = getattr(protocol, "FastPath", None)
    listing = None if kind is None else kind(site.path)
    if listing is None or listing is not facts.listing:
        facts.listing = listing
        site.look_again = True
    replaced = site.replaced(site.table)
    locked = facts.locked
    if locked is None or locked.table is not site.table or locked.replaced is not replaced:
        locked = facts.locked = Locked(protocol, site, site.table, replaced)
    return locked


def _is_alone(protocol, site, path, owned):
    """Tell whether nothing has metadata but what is locked: no folder of *path*, and no finder besides these two."""
    if not site.bare or len([finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]) != 2:
        return False
    return all(owned[at] or _has_none(protocol, site, str(entry)) for at, entry in enumerate(path))


def _has_none(protocol, site, entry):
    """Tell whether it is known that there are no metadata in the folder *entry*.

    Listings are the standard library's, which keeps them from 3.10 on; what else it does for a question is not needed.
    The last sync has listed the interpreter's own library, which has some hundred names.
    """
    try:
        if entry and os.stat(entry).st_mtime_ns == site.table.bare.get(entry):
            return True
        listing = protocol.FastPath(entry)
        if not hasattr(listing, "lookup"):
            return not [name for name in os.listdir(entry or os.curdir) if name[-5:].lower() == "-info"]
        found = listing.lookup(listing.mtime)
        return not (found.infos or found.eggs)
    except FileNotFoundError:
        return True
    except (AttributeError, OSError, ValueError):  # a later standard library may keep them otherwise
        return False


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


class Locked:
    """What is locked in the site-packages folder as the search of *protocol* sees it, kept while nothing changes.

    The paths of metadata are kept, as the standard library does it: by them ``Facts`` knows whose they are.
    """

    def __init__(self, protocol, site, table, replaced):
        self.site = site
        self.table = table
        self.replaced = replaced
        self.indexes = {}  # by the number (``id()``) of a path
        self._protocol = protocol
        self._paths = {}
        self._stores = {}
        self._folder = None

    def path(self, index):
        """Return the path of the metadata of the distribution with this *index*."""
        path = self._paths.get(index)
        if path is None:
            # Another thread may be as far: the path that is kept is the one that has a number.
            path = self._paths.setdefault(index, self._path(index))
            self.indexes[id(path)] = index
        return path

    def _path(self, index):
        import pathlib

        table = self.table
        row = table.row(index)
        if sys.version_info >= (3, 12) or self.replaced or table.edits:
            return pathlib.Path(table.root(index, self.replaced) + os.sep + row[3])
        # Up to 3.11 a path is taken apart when it is made: entry_points() would spend a third of its time on that.
        place = table.layers[index] if table.layers else 0
        store = self._stores.get(place)
        if store is None:
            store = self._stores[place] = pathlib.Path(table.stores[place])
        parts = [*store.parts, *row[2].split("/"), row[3]]
        return getattr(store, "_from_parsed_parts")(store.drive, store.root, parts)  # noqa: B009

    def found(self, name, lean):
        """Return the metadata folders that are looked for: for a name only where that may be.

        With *lean*, a group of entry points or an empty text for all groups, those that have such are enough.
        """
        usual = self.table.is_usual
        if name is not None:
            usual = usual and name and name[0].isalnum() and name[-1].isalnum()
            usual = usual and hasattr(self._protocol.Prepared, "normalize")
        if not usual:
            return self._searched(name)
        if name is not None:
            index = self.table.named(normalized(name))
            return () if index is None or index in self.replaced else (self.path(index),)
        if lean is not None and not self.table.edits:
            points = self.table.entry_points.items()  # in the order of distributions
            indexes = [index for index, found in points if _has_group(found, lean)]
        else:
            indexes = list(range(len(self.table.lines) - 1))
        return [self.path(index) for index in indexes if index not in self.replaced]

    def _searched(self, name):
        """Return what the search of the standard library finds."""
        if self._folder is None:
            rows = enumerate(self.table.distributions)
            self._folder = _folder(self, {row[3]: index for index, row in rows if index not in self.replaced})
        return self._folder.search(self._protocol.Prepared(name))


def _has_group(points, group):
    return points is None or not group or any(point[2] == group for point in points)


def _folder(locked, indexes):
    """Return the site-packages folder as a folder that the standard library's search is able to look through."""

    class LockedFolder(locked._protocol.FastPath):
        def __new__(cls):
            return object.__new__(cls)

        def __init__(self):
            super().__init__(locked.site.path)

        mtime = None

        def children(self):
            return list(indexes)

        def joinpath(self, child):
            return locked.path(indexes[child])

    return LockedFolder()


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

"""Metadata of locked distributions for ``importlib.metadata``, and for whatever speaks its protocol.

The standard library finds metadata by listing the folders on the path. A locked distribution has to be found where
site-packages stands on the path asked for: after what comes before it, instead of nothing where site-packages is not
on it, and not at all where a distribution of the same name is really installed. ``PathFinder`` answers for the whole
path at once, so there is one object before it, for what nothing shadows, and one after it, for the rest.

The classes are the standard library's, or the ``importlib_metadata`` backport's, which disables the standard finder and
brings its own. Names are matched by that module's own search.
"""

import os
import sys

from .installed import named
from .record import Facts


def early(site, context):
    """Yield the locked distributions for *context* that nothing earlier on its path shadows."""
    query = Query(site, context)
    if query.at:
        shadowed = query.shadowed()
        for index in query.indexes():
            if index not in shadowed:
                yield query.distribution(index)


def late(site, context, asked):
    """Yield the locked distributions for *context* that ``early()`` left out.

    *asked* is the object on ``sys.meta_path`` that was asked. Where somebody else's finder of metadata stands after it,
    an object of the same kind at the end answers instead: the backport appends its finder when it is imported.
    """
    kind = type(asked)
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    own = [at for at, finder in enumerate(finders) if type(finder) is kind and finder.site is site]
    strangers = [at for at, finder in enumerate(finders) if type(finder) is not kind]
    if strangers and own[-1] < strangers[-1]:
        sys.meta_path.append(kind(site))
        return
    if finders[own[-1]] is not asked:
        return
    query = Query(site, context)
    if query.at:
        shadowed = query.shadowed()
        for count in range(len(query.at)):
            for index in query.indexes():
                if count or index in shadowed:
                    yield query.distribution(index)


class Query:
    """One question for distributions: the name (None for all) and the path that it asks about."""

    def __init__(self, site, context):
        self.protocol = _protocol()
        if context is None:
            context = self.protocol.DistributionFinder.Context()
        self.name = context.name
        path = context.path
        if iter(path) is path:  # the finders after this one are to see it as well
            path = vars(context)["path"] = list(path)
        self.path = [str(entry) for entry in path]
        self.site = site
        self.at = [at for at, entry in enumerate(self.path) if site.owns(entry)]
        self.folder = self._folder()

    def _folder(self):
        """Return the site-packages folder as the asking module's search sees it, kept while nothing changes."""
        table = self.site.table
        replaced = self.site.replaced(table)
        known = self.site.metadata.get(self.protocol.__name__)
        if known is None or known.table is not table or known.replaced is not replaced:
            known = _locked_folder(self.protocol, self.site, table, replaced)
            self.site.metadata[self.protocol.__name__] = known
        return known

    def indexes(self):
        """Return the indexes of the matching locked distributions that are not really installed, in order."""
        found = (self.folder.indexes[path.name] for path in self.folder.search(self.protocol.Prepared(self.name)))
        return [index for index in found if index not in self.folder.replaced]

    def shadowed(self):
        """Return the indexes of the locked distributions whose names an earlier entry of the path has."""
        prepared = self.protocol.Prepared(self.name)
        found = [
            os.path.basename(str(path))
            for entry in self.path[: self.at[0]]
            for path in self.protocol.FastPath(entry).search(prepared)
        ]
        return named(self.folder.table, found)

    def distribution(self, index):
        """Return the locked distribution with this *index*."""
        return self.folder.distribution(index)


def _protocol():
    """Return the module whose classes a plain environment would answer with.

    It is that of the finder that answers for ordinary folders: ``importlib.metadata``, or the backport (or a vendored
    copy of it), which takes the standard one's place, whoever asks.
    """
    for finder in sys.meta_path:
        if hasattr(finder, "find_distributions"):
            module = sys.modules.get(type(finder).__module__)
            if hasattr(module, "MetadataPathFinder") and hasattr(module, "FastPath"):
                return module
    import importlib.metadata

    return importlib.metadata


def _locked_folder(protocol, site, table, replaced):
    """Return a folder for the search of *protocol* whose children are what is locked."""
    import pathlib

    class LockedFolder(protocol.FastPath):
        def __new__(cls, root):
            return object.__new__(cls)

        mtime = None

        def children(self):
            return list(self.indexes)

        def joinpath(self, child):
            return pathlib.Path(table.root(self.indexes[child], replaced), child)

        def distribution(self, index):
            return self.kind(self.joinpath(table.distributions[index][3]), index)

    folder = LockedFolder(site.path)
    folder.table = table
    folder.replaced = replaced
    folder.indexes = {row[3]: index for index, row in enumerate(table.distributions)}
    folder.kind = _distribution_class(protocol, Facts(site))
    return folder


def _distribution_class(protocol, facts):
    class PathDistribution(protocol.PathDistribution):
        __doc__ = protocol.PathDistribution.__doc__

        def __init__(self, path, index=None):
            super().__init__(path)
            self._index = index

        def __reduce__(self):
            return protocol.PathDistribution, (self._path,)  # whoever gets it may not be in this environment

        def __copy__(self):
            return type(self)(self._path, self._index)

        def __deepcopy__(self, memo):
            return self.__copy__()

        def read_text(self, filename):
            if self._index is not None and facts.covers(filename):
                return facts.read_text(self._index, str(filename), super().read_text)
            return super().read_text(filename)

        def locate_file(self, path):
            own = None if self._index is None else facts.located(self._index, path)
            return super().locate_file(path) if own is None else own

    PathDistribution.__module__ = protocol.PathDistribution.__module__
    PathDistribution.__qualname__ = protocol.PathDistribution.__qualname__
    return PathDistribution

"""The modules of the site-packages folder, real and locked, for ``pkgutil``."""

import pkgutil

from .merging import union


def modules(finder, prefix):
    """Return (name, is a package) of each module that *finder* (a SiteFinder) finds, in the order of file names."""
    table = finder.site.table
    replaced = finder.site.replaced(table)
    indexes = [index for index in range(len(table.distributions)) if index not in replaced]
    folders = dict.fromkeys(table.root(index, replaced) for index in indexes)
    sources = [finder.real, *map(finder.finder_of, folders)]
    return union([pkgutil.iter_importer_modules(source, prefix) for source in sources if source is not None])

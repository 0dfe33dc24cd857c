"""The modules of the site-packages folder, real and locked, for ``pkgutil``."""

import pkgutil

from .merging import union


def modules(finder, prefix):
    """Return (name, is a package) of each module that *finder* (a SiteFinder) finds, in the order of file names."""
    sources = [finder.real, *map(finder.finder_of, folders(finder.site))]
    return union([pkgutil.iter_importer_modules(source, prefix) for source in sources if source is not None])


def folders(site):
    """Return the folders of the store that count as the contents of the site-packages folder."""
    table = site.table
    replaced = site.replaced(table)
    indexes = [index for index in range(len(table.distributions)) if index not in replaced]
    return list(dict.fromkeys(table.root(index, replaced, apart=True) for index in indexes))

"""The modules of the site-packages folder, real and locked, for ``pkgutil``."""

import pkgutil


def modules(finder, prefix):
    """Return (name, is a package) of each module that *finder* (a SiteFinder) finds, in the order of file names.

    As in ``pkgutil`` itself, a folder without an ``__init__`` file is not listed.
    """
    table = finder.site.table
    replaced = finder.site.replaced(table)
    folders = dict.fromkeys(table.root(index) for index in range(len(table.distributions)) if index not in replaced)
    found = {}
    for source in [finder.real, *map(pkgutil.get_importer, folders)]:
        if source is not None:
            for name, is_package in pkgutil.iter_importer_modules(source, prefix):
                found[name] = found.get(name, False) or is_package
    return sorted(found.items(), key=_file_name)


def _file_name(item):
    name, is_package = item
    return name if is_package else name + "."

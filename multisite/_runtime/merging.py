"""Several finds of one name in what counts as one folder."""

import os
import sys

from . import ask_hooks


def merged(site, specs, mixed):
    """Return the one spec that a single folder with all of the found things in it would give, None for no *specs*.

    As in ``FileFinder``, a regular package comes before a module, an extension module before source before bytecode,
    and a bare folder (a namespace portion) last; among equals the first. What lies in the folders that lost is part of
    the package that won. The folders are answered for as one, at every depth, but for the portions of a namespace that
    are not *mixed* real and locked: locked ones have nothing of the same name in them.
    """
    best = min(specs, key=_rank, default=None)
    if best is None or best.submodule_search_locations is None:
        return best
    locations = best.submodule_search_locations
    for spec in specs:
        locations.extend([found for found in _folders(spec) if found not in locations])
    if len(locations) > 1 and (mixed or best.loader is not None):
        _claim(site, tuple(locations))
    else:
        _release(site, locations)
    return best


def _folders(spec):
    """Return the folders of the name that *spec* is about, where it was found: a module hides one beside it."""
    if spec.submodule_search_locations is not None:
        return spec.submodule_search_locations
    beside = os.path.join(os.path.dirname(spec.origin or ""), spec.name.rpartition(".")[2])
    return [beside] if os.path.isdir(beside) else []


def _rank(spec):
    if spec.submodule_search_locations is not None:
        return 4 if spec.loader is None else 0
    origin = spec.origin or ""
    return 3 if origin.endswith(".pyc") else 2 if origin.endswith((".py", ".pyw")) else 1


def _claim(site, locations):
    """Have the folders of one package answered for as one, by the finder of the first.

    That one is in place before the others fall silent: another thread may be importing from them.
    """
    if site.folders.get(locations[0]) != locations:
        site.folders.update({location: locations if location == locations[0] else () for location in locations})
        for location in locations:
            sys.path_importer_cache[location] = claimed(site, location)


def _release(site, locations):
    """Have folders answered for by ordinary finders again: what they were merged with may have gone."""
    for location in locations:
        if location in site.folders:
            sys.path_importer_cache[location] = _ordinary(site, location)
            site.folders.pop(location, None)


def _ordinary(site, path):
    """Return the finder that a folder has by itself, None where there is none."""
    hooks = site.other_hooks()
    return site.in_store(path, hooks) or ask_hooks(hooks, path)


def claimed(site, path):
    """Return the finder of a folder that was claimed."""
    locations = site.folders.get(path)
    if not locations:  # or another thread has released it meanwhile
        return Covered(site)
    # Installing over what is locked replaces files, so the real one of two equals wins.
    return MergedFolders(site, path, sorted(locations, key=lambda folder: not folder.startswith(site.path + os.sep)))


class MergedFolders:
    """The path entry finder of several folders that would be one folder in a plain environment."""

    def __init__(self, site, path, locations):
        self.site = site
        self.path = path
        self._locations = locations
        self._made = None

    def _finders(self):
        """Return the folders' finders; path hooks are asked with the first question, as for any folder."""
        if self._made is None:
            made = [_ordinary(self.site, folder) for folder in self._locations]
            self._made = [finder for finder in made if finder is not None]
        return self._made

    def find_spec(self, fullname, target=None):
        """Find a module in the folders."""
        specs = [finder.find_spec(fullname, target) for finder in self._finders()]
        return merged(self.site, [spec for spec in specs if spec is not None], True)

    def invalidate_caches(self):
        """Forget what was read from disk."""
        for finder in self._made or ():
            if hasattr(finder, "invalidate_caches"):
                finder.invalidate_caches()

    def iter_modules(self, prefix=""):
        """List the modules in the folders for ``pkgutil``, in the order of file names."""
        import pkgutil  # whoever lists has it; a start that merges need not

        return union([pkgutil.iter_importer_modules(finder, prefix) for finder in self._finders()])


class Covered:
    """The path entry finder of a folder that another one's finder answers for."""

    def __init__(self, site):
        self.site = site

    def find_spec(self, fullname, target=None):
        """Find nothing."""

    def iter_modules(self, prefix=""):
        """List nothing."""
        return []


def union(listings):
    """Return (name, is a package) of each module in any of *listings*, in the order of file names.

    As in ``pkgutil`` itself, a folder without an ``__init__`` file is not listed.
    """
    found = {}
    for listing in listings:
        for name, is_package in listing:
            found[name] = found.get(name, False) or is_package
    return sorted(found.items(), key=_file_name)


def _file_name(item):
    name, is_package = item
    return name if is_package else name + "."

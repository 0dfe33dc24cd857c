"""What ``pkg_resources`` of older setuptools, and the copies of it, need in order to see locked distributions."""

import os
from types import SimpleNamespace

from .installed import is_stub
from .record import Facts


def adapt(package, finder_class):
    """Register the adapters for *finder_class* in the ``pkg_resources`` whose globals are *package*."""
    if finder_class in package["_distribution_finders"]:
        return

    def find_distributions(finder, path_item, only=False):
        """Yield what is really in the folder, then what is locked, each located in the folder itself.

        ``activate()`` puts the location of a distribution on ``sys.path``, where the store is never to be. pip has its
        own copy and does not activate: for it they are where they are, so that it does not take them for its own.
        """
        for distribution in package["find_on_path"](finder, path_item, only):
            if not is_stub(getattr(distribution._provider, "egg_info", None) or ""):
                yield distribution
        table = finder.site.table
        replaced = finder.site.replaced(table)
        for index, row in enumerate(table.distributions):
            if index not in replaced:
                root = table.root(index, replaced)
                location = root if package["__name__"].startswith("pip.") else path_item
                yield package["Distribution"].from_location(
                    location, row[3], provider(finder.site, index, root), precedence=package["DEVELOP_DIST"]
                )

    def declare_namespace(finder, path_item, name, module):
        """Return the first folder of namespace *name* that *module* has not got yet."""
        spec = finder.find_spec(name)
        for folder in spec.submodule_search_locations or ():
            if folder not in module.__path__:
                return folder
        return None

    provider = _provider(package)
    package["register_finder"](finder_class, find_distributions)
    package["register_namespace_handler"](finder_class, declare_namespace)


def _provider(package):
    """Return the class that reads metadata and files of one locked distribution."""
    names = SimpleNamespace(**package)

    class LockedMetadata(names.PathMetadata):
        def __init__(self, site, index, root):
            super().__init__(root, os.path.join(root, site.table.row(index)[3]))
            self._facts = Facts(site)
            self._index = index

        def _fact(self, path):
            """Return whether *path* belongs to the installation, and its text then: None for no such file."""
            folder, name = os.path.split(path)
            if folder != self.egg_info or not self._facts.covers(name):
                return False, None
            read = super()._get
            return True, self._facts.read_text(self._index, name, lambda name: read(path).decode("utf-8"))

        def _has(self, path):
            covered, text = self._fact(path)
            return text is not None if covered else super()._has(path)

        def _get(self, path):
            covered, text = self._fact(path)
            return (text or "").encode("utf-8") if covered else super()._get(path)

    return LockedMetadata

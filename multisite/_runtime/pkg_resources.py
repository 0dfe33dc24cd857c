"""What ``pkg_resources`` of older setuptools, and the copies of it, need in order to see locked distributions."""

import os

from .installed import is_stub


def adapt(package, finder_class):
    """Register the adapters for *finder_class* in the ``pkg_resources`` whose globals are *package*."""
    if finder_class in package["_distribution_finders"]:
        return

    def find_distributions(finder, path_item, only=False):
        """Yield what is really in the folder, then what is locked, each located in the folder itself.

        ``activate()`` puts the location of a distribution on ``sys.path``, where the store is never to be.
        """
        for distribution in package["find_on_path"](finder, path_item, only):
            if not is_stub(getattr(distribution._provider, "egg_info", None) or ""):
                yield distribution
        table = finder.site.table
        replaced = finder.site.replaced(table)
        for index, row in enumerate(table.distributions):
            if index not in replaced:
                root = table.root(index, replaced)
                metadata = package["PathMetadata"](root, os.path.join(root, row[3]))
                yield package["Distribution"].from_location(
                    path_item, row[3], metadata, precedence=package["DEVELOP_DIST"]
                )

    def declare_namespace(finder, path_item, name, module):
        """Return the first folder of namespace *name* that *module* has not got yet."""
        spec = finder.find_spec(name)
        for folder in spec.submodule_search_locations or ():
            if folder not in module.__path__:
                return folder
        return None

    package["register_finder"](finder_class, find_distributions)
    package["register_namespace_handler"](finder_class, declare_namespace)

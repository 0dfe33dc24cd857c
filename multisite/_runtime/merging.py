"""Several finds of one name in what counts as one folder."""


def merged(specs):
    """Return the one spec that a single folder with all of the found things in it would give.

    As in ``FileFinder``, a regular package comes before a module, an extension module before source before bytecode,
    and a bare folder (a namespace portion) last; among equals the first. What lies in the folders that lost is part of
    the package that won.
    """
    best = min(specs, key=_rank)
    if best.submodule_search_locations is not None:
        locations = best.submodule_search_locations
        for spec in specs:
            locations.extend([found for found in spec.submodule_search_locations or () if found not in locations])
    return best


def _rank(spec):
    if spec.submodule_search_locations is not None:
        return 4 if spec.loader is None else 0
    origin = spec.origin or ""
    return 3 if origin.endswith(".pyc") else 2 if origin.endswith((".py", ".pyw")) else 1

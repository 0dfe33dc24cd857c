"""Print what an environment answers about modules and metadata, as JSON; run by the environment's own interpreter.

Arguments: the names of the modules to look for. What may differ is brought to one form: the prefix, the folder of
site-packages, and the store's folders (the second part of a path up to ``site-packages``).
"""

import importlib.metadata
import importlib.util
import json
import pkgutil
import re
import site
import sys

SITE = site.getsitepackages()[0]
STORE = re.compile(r"/[^:]*/(?:multi-site-packages/[^/]+/[^/]+/[^/]+|shared/[^/]+)/site-packages")
# Who installed is a fact of its own; uv compiles no bytecode and keeps a note of its cache.
INSTALLER = ("INSTALLER", "RECORD", "REQUESTED", "uv_cache.json")


def normal(path):
    return None if path is None else STORE.sub("<site>", str(path).replace(SITE, "<site>")).replace(sys.prefix, "<prefix>")


def spec(name):
    found = importlib.util.find_spec(name)
    if found is None:
        return None
    locations = sorted({normal(folder) for folder in found.submodule_search_locations or ()})
    return [normal(found.origin), normal(found.cached), type(found.loader).__name__, locations]


def files(distribution):
    kept = [file for file in distribution.files if file.suffix != ".pyc" and file.name not in INSTALLER]
    scripts = [file for file in kept if str(file).startswith("..") and file.parent.name == "bin"]
    return {
        "files": sorted((str(file), file.size, file.hash and file.hash.value) for file in kept if file not in scripts),
        "scripts": sorted(str(file) for file in scripts),
        "missing": sorted(str(file) for file in kept if not file.locate().exists()),
    }


def metadata(distribution):
    return {
        "version": distribution.version,
        "metadata": sorted(map(list, distribution.metadata.items())),
        "requires": distribution.requires,
        "entry points": sorted(map(str, distribution.entry_points)),
        "files": files(distribution),
    }


def answers(names):
    distributions = list(importlib.metadata.distributions())
    result = {
        "path": [normal(entry) for entry in sys.path],
        "modules": [(module.name, module.ispkg) for module in pkgutil.iter_modules()],
        "distributions": sorted(distribution.metadata["Name"] for distribution in distributions),
    }
    result.update(("spec of " + name, spec(name)) for name in names)
    result.update((distribution.metadata["Name"], metadata(distribution)) for distribution in distributions)
    if sys.version_info >= (3, 10):
        found = importlib.metadata.packages_distributions()
        result["packages"] = {name: sorted(owners) for name, owners in found.items()}
    return result


json.dump(answers(sys.argv[1:]), sys.stdout)

"""Say what there is of the made distributions: in one line each where all that can be asked agrees."""

import importlib
import os
import subprocess
import sys
from importlib import metadata

SITE = os.environ["SITE"]


def by_metadata(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def by_import(name):
    try:
        return getattr(importlib.import_module(name), "version", "none")
    except ImportError:
        return "none"


def by_entry_points(name):
    points = metadata.entry_points()
    points = points.select(group="versions") if hasattr(points, "select") else points.get("versions", [])
    return ",".join(sorted({point.name.partition("-")[2] for point in points if point.value == name})) or "none"


def by_listing(name):
    found = [one.version for one in metadata.distributions() if one.metadata["Name"].lower() == name]
    return ",".join(found) or "none"


def by_pkg_resources(name):
    import warnings

    warnings.simplefilter("ignore")
    try:
        import pkg_resources
    except ImportError:
        return by_metadata(name)
    try:
        return pkg_resources.get_distribution(name).version
    except pkg_resources.DistributionNotFound:
        return "none"


def by_program(name):
    program = os.path.join(os.environ["VENV"], "bin", name + "-says")
    if name != "alpha" or not os.path.exists(program):
        return by_metadata(name)
    done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return done.stdout.strip()


ASKED = {
    "metadata": by_metadata,
    "import": by_import,
    "entry points": by_entry_points,
    "distributions": by_listing,
    "pkg_resources": by_pkg_resources,
    "program": by_program,
}
for name in ("alpha", "beta", "gamma", "delta"):
    answers = {way: ask(name) for way, ask in ASKED.items()}
    versions = set(answers.values())
    print(name, versions.pop() if len(versions) == 1 else answers)
    if answers["metadata"] != "none":
        for file in metadata.files(name) or ():
            if "__pycache__" not in str(file) and not os.path.exists(str(file.locate())):
                print(name, "misses", str(file).replace("../", ""))
    module = sys.modules.get(name)
    if module is not None and os.path.realpath(module.__path__[0]).startswith(os.path.realpath(SITE) + os.sep):
        print("really:", name)

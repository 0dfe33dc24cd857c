"""The start of an interpreter with the trees of a scenario."""

import importlib
import os
import shutil
import sys

import site

from finder_server.trees import put

MTIME_NS = 1700000000000000000


def start(places, setup, scenario):
    """Do to sys.path what the start of an interpreter with this site-packages folder does."""
    if setup["variant"] == "locked":
        if "template" in setup:
            bootstrap(places, setup, scenario)
        else:
            naive(places, setup, scenario)
    sys.prefix = sys.exec_prefix = places.venv
    sys.dont_write_bytecode = True
    sys.path.insert(0, places.folders["before"])
    known = site.removeduppaths()
    # In a virtual environment site-packages is processed twice.
    for _ in range(2):
        known = site.addsitedir(places.site, known)
    try:
        # site asks for it as well; from then on every entry of sys.path has a finder in the importer cache.
        importlib.import_module("sitecustomize")
    except ImportError:
        pass
    sys.path.insert(0, places.folders["script"])
    sys.path.append(places.folders["after"])


def bootstrap(places, setup, scenario):
    for folder, _, names in os.walk(setup["template"]):
        for name in names:
            source = os.path.join(folder, name)
            target = os.path.join(places.venv, os.path.relpath(source, setup["template"]))
            if name.endswith(".pth"):
                target = os.path.join(places.site, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
    with open(os.path.join(places.venv, ".multisite", "table"), "wb") as stream:
        stream.write(bytes.fromhex(scenario["table"]))
    lockfile = os.path.join(places.venv, "pylock.toml")
    put(lockfile, "")
    os.utime(lockfile, ns=(MTIME_NS, MTIME_NS))


def naive(places, setup, scenario):
    scope = {"__name__": "naive_finder"}
    with open(setup["naive"], encoding="utf-8") as stream:
        exec(compile(stream.read(), setup["naive"], "exec"), scope)
    rows = [
        (places.roots[dist["key"]], sorted({path.split("/")[0].split(".")[0] for path in dist["files"]}), dist["info"])
        for dist in scenario["distributions"]
        if dist["where"] == "locked"
    ]
    scope["install"](rows)

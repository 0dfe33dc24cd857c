"""The trees of a scenario on disk."""

import os
import py_compile
import sys


class Trees:
    """The trees of one scenario on disk."""

    def __init__(self, places, variant, scenario):
        self.places = places
        self.variant = variant
        self.locked = {}
        self.real = {}
        for dist in scenario["distributions"]:
            if dist["where"] == "locked":
                self.locked[dist["key"]] = dist
        self.scenario = scenario
        self.loose = set()

    def build(self):
        for folder in ("before", "script", "after"):
            os.makedirs(self.places.folders[folder])
        os.makedirs(self.places.site)
        os.symlink(self.places.site, self.places.alias)
        if self.variant == "locked":
            for key in sorted(self.locked):
                for root in sorted({self.places.roots[key], self.places.entries[key]}):
                    self._unpack(root, self.locked[key])
            for root, text in self.scenario["indexes"].items():
                put(os.path.join(self.places.store, os.path.dirname(root), "modules.txt"), text)
        for dist in self.scenario["distributions"]:
            if dist["where"] not in ("locked", "site"):
                self._unpack(self.places.folders[dist["where"]], dist)
        for dist in self.scenario["distributions"]:
            if dist["where"] == "site":
                self.real[dist["key"]] = dist
        self._rebuild_site()
        for loose in self.scenario["loose"]:
            self.write(loose["where"], loose["path"], loose["text"])

    def present(self):
        """The distributions that a plain site-packages folder holds now, in the order of their unpacking."""
        if self.variant == "plain":
            # Files that nobody's metadata tells of replace nothing.
            replaced = [key for key in self.real if self.real[key]["info"]]
            locked = [self.locked[key] for key in sorted(self.locked) if key not in replaced]
        else:
            locked = []
        return locked + [self.real[key] for key in sorted(self.real)]

    def _rebuild_site(self):
        """Unpack what belongs into site-packages; of two files with one path the later distribution's stays."""
        for dist in self.present():
            self._unpack(self.places.site, dist)

    def install(self, dist):
        self._clear()
        self.real[dist["key"]] = dist
        self._rebuild_site()

    def uninstall(self, key):
        if key in self.real:
            self._clear()
            del self.real[key]
            self._rebuild_site()

    def _clear(self):
        for dist in self.present():
            for path in self.contents(dist):
                full = os.path.join(self.places.site, path)
                if os.path.exists(full):
                    os.remove(full)
                    remove_empty(os.path.dirname(full), self.places.site)

    def is_split(self, name):
        """Tell whether the package with this top-level *name* has both locked and real files."""
        real = set(self.loose).union(*[dist["files"] for dist in self.real.values()])
        locked = set().union(*[dist["files"] for dist in self.locked.values()])
        return all(any(path.startswith(name + "/") for path in paths) for paths in (real, locked))

    def contents(self, dist):
        """All files of an installed distribution: path -> text, None for bytecode."""
        files = dict(dist["files"])
        compiled = [path for path in files if path.endswith(".py")]
        for path in compiled:
            folder, name = os.path.split(path)
            files[os.path.join(folder, "__pycache__", name[:-3] + "." + sys.implementation.cache_tag + ".pyc")] = None
        if dist["info"]:
            info = dist["info"] + "/"
            if "egg-info" not in dist["info"]:
                for name in ("INSTALLER", "RECORD"):
                    files[info + name] = "" if name == "RECORD" else "multisite\n"
                rows = [path + ",," for path in sorted(files)]
                files[info + "RECORD"] = "".join(row + "\n" for row in rows)
        return files

    def _unpack(self, root, dist):
        files = self.contents(dist)
        in_store = root.startswith(self.places.store)
        for path, text in files.items():
            full = os.path.join(root, path)
            if text is not None:
                if in_store and os.path.dirname(path) == dist["info"]:
                    # A wheel's own: no INSTALLER, and RECORD without what an installer adds.
                    if path.endswith("/INSTALLER"):
                        continue
                    if path.endswith("/RECORD"):
                        rows = [row for row in text.splitlines() if ".pyc," not in row and "/INSTALLER," not in row]
                        text = "".join(row + "\n" for row in rows)
                put(full, text)
        for path in files:
            if files[path] is None:
                source = os.path.join(root, os.path.dirname(os.path.dirname(path)), os.path.basename(path).split(".")[0])
                compile_to(source + ".py", os.path.join(root, path))

    def write(self, where, path, text):
        if where == "site":
            self.loose.add(path)
        put(os.path.join(self.places.folders[where], path), text)

    def delete(self, where, path):
        full = os.path.join(self.places.folders[where], path)
        if where == "site":
            # Only what nobody owns: it has the same effect in both variants.
            if any(path in self.contents(dist) for dist in self.present()):
                return
            if any(path in self.contents(dist) for dist in self.locked.values()):
                return
        if os.path.isfile(full):
            os.remove(full)
            remove_empty(os.path.dirname(full), self.places.folders[where])


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def compile_to(source, target):
    try:
        py_compile.compile(
            source, target, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
    except py_compile.PyCompileError:
        put(target, "")


def remove_empty(folder, upto):
    while folder != upto:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)

"""Runs scenarios in the interpreter under test: `python -I -S -B finder_server.py SETUP`, one JSON document a line.

A scenario is trees and steps. Each runs in a forked child of its own, which builds the trees on disk, processes the
site-packages folder as a start of the interpreter does, takes the steps and answers with what each one saw. SETUP is a
JSON document: `run` (the folder to build in), `variant` ("plain": everything is really unpacked in site-packages;
"locked": what is locked lies in a store), and for "locked" how it is found there (`template`: a folder with a
bootstrap, or `naive`: a file with a finder).

Answers of two variants are compared as they are. What may differ is brought to one form here: the site-packages folder
and the store's entries are `<site>`, and a list of folders says each only once (a namespace package that lies in
several entries has several folders where a plain environment has one).

Python 3.8 and later, standard library only.
"""

import collections
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import os
import pkgutil
import py_compile
import shutil
import signal
import sys
import traceback
import warnings

import site

try:
    import importlib.resources
except ImportError:
    pass

SECONDS_FOR_ONE_SCENARIO = 60
MTIME_NS = 1700000000000000000


class Places:
    """Where things are in one run, and how their names are brought to one form."""

    def __init__(self, run, scenario):
        self.run = run
        self.venv = os.path.join(run, "venv")
        self.site = os.path.join(self.venv, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
        self.store = os.path.join(run, "store")
        self.alias = os.path.join(run, "alias")
        self.folders = {"site": self.site, "alias": self.alias, "slash": self.site + "/", "inner": self.site + "/."}
        for name in ("before", "script", "after"):
            self.folders[name] = os.path.join(run, name)
        self.roots = {key: os.path.join(self.store, root) for key, root in scenario["roots"].items()}
        self.entries = {key: os.path.join(self.store, root) for key, root in scenario["entries"].items()}
        longest = sorted({*self.roots.values(), *self.entries.values()}, key=len, reverse=True)
        self.prefixes = [(folder, "<site>") for folder in longest]
        # However site-packages is spelled on the path: what is found in the store has the store's own spelling.
        self.prefixes += [(self.site + "/./", "<site>/"), (self.site + "//", "<site>/"), (self.alias, "<site>")]
        self.prefixes += [(self.site + "/.", "<site>"), (self.site, "<site>"), (run, "<run>")]

    def plain(self, value):
        """Bring *value* (of JSON's types, or a tuple, or with a str()) to the form that is compared."""
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, dict):
            return {self.plain(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        text = str(value)
        for folder, name in self.prefixes:
            text = text.replace(folder, name)
        return text

    def name(self, entry):
        """The name of a folder on sys.path as it is spelled there."""
        names = [name for name, folder in self.folders.items() if folder == entry]
        return names[0] if names else self.plain(entry)

    def folders_once(self, value):
        if value is None:
            return None
        return list(collections.OrderedDict.fromkeys(self.plain(list(value))))


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


class Steps:
    """What a scenario does, each step a method; the answer is what it returns or raises."""

    def __init__(self, places, trees, scenario):
        self.places = places
        self.trees = trees
        self.distributions = {dist["key"]: dist for dist in scenario["spare"]}
        self.foreign = False

    def directly(self, where="site"):
        """Prepare for asking path entries directly; tell whether they can be asked.

        A known difference: once a stranger's path hook stands first, an entry that is new to the importer cache is the
        stranger's until a locked name is imported that no finder before ours has an answer for.
        """
        if self.foreign:
            for dist in self.trees.locked.values():
                for path in dist["files"]:
                    for finder in sys.meta_path:
                        if hasattr(finder, "find_spec"):
                            finder.find_spec(path.split("/")[0].split(".")[0], None)
        return not self.foreign or self.places.folders[where] in sys.path

    def take(self, step):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                answer = getattr(self, step[0])(*step[1:])
            except Exception as error:
                answer = self.error(error)
        said = sorted({self.places.plain("{}: {}".format(w.category.__name__, w.message)) for w in caught})
        return {"answer": answer, "warnings": said} if said else {"answer": answer}

    def error(self, error):
        found = {"error": type(error).__name__, "message": self.places.plain(str(error))}
        if isinstance(error, ImportError):
            found["name"] = error.name
            found["path"] = self.places.plain(error.path)
        return found

    def spec(self, spec):
        if spec is None:
            return None
        return {
            "name": spec.name,
            "loader": loader_name(spec.loader),
            "origin": self.places.plain(spec.origin),
            "cached": self.places.plain(spec.cached),
            "locations": self.places.folders_once(spec.submodule_search_locations),
            "has_location": spec.has_location,
            "parent": spec.parent,
        }

    def module(self, module):
        return {
            "name": module.__name__,
            "file": self.places.plain(getattr(module, "__file__", "<none>")),
            "path": self.places.folders_once(getattr(module, "__path__", None)),
            "who": getattr(module, "who", None),
            "foreign": getattr(module, "instrumented", None),
            "loader": loader_name(getattr(module, "__loader__", None)),
            "spec": self.spec(module.__spec__),
            "package": module.__package__,
        }

    # -- imports

    def load(self, name):
        return self.module(importlib.import_module(name))

    def statement(self, text):
        scope = {}
        exec(text, scope)
        return {
            name: self.module(value) if hasattr(value, "__spec__") else type(value).__name__
            for name, value in scope.items()
            if not name.startswith("__")
        }

    def find_spec(self, name):
        return self.spec(importlib.util.find_spec(name))

    def path_finder(self, name):
        path = None
        if "." in name:
            path = importlib.import_module(name.rpartition(".")[0]).__path__
        self.directly()
        return self.spec(importlib.machinery.PathFinder.find_spec(name, path))

    def path_finder_in(self, name, where):
        if not self.directly(where):
            return None
        return self.spec(importlib.machinery.PathFinder.find_spec(name, [self.places.folders[where]]))

    def path_entry(self, name):
        """Ask the finder of the site-packages folder itself."""
        if not self.directly():
            return None
        return self.spec(pkgutil.get_importer(self.places.site).find_spec(name))

    def file_location(self, name):
        """Load a file under a name of one's own, as test runners do."""
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.origin:
            return None
        other = importlib.util.spec_from_file_location("alias_of_" + name.replace(".", "_"), spec.origin)
        module = importlib.util.module_from_spec(other)
        other.loader.exec_module(module)
        return self.module(module)

    def reload(self, name):
        return self.module(importlib.reload(importlib.import_module(name)))

    def forget(self, name):
        for known in [known for known in sys.modules if known == name or known.startswith(name + ".")]:
            del sys.modules[known]

    def loaded(self):
        """Say which modules of the scenario are loaded, and where the namespace packages lie by now."""
        found = {}
        for name, module in sorted(sys.modules.items()):
            path = getattr(module, "__path__", None)
            file = self.places.plain(getattr(module, "__file__", None) or "")
            if file.startswith("<") or (path is not None and str(self.places.folders_once(path)).startswith("['<")):
                if not name.startswith("_multisite"):
                    found[name] = [file, self.places.folders_once(path)]
        return found

    # -- pkgutil, resources

    def iter_modules(self, name):
        self.directly()
        path = None if name is None else importlib.import_module(name).__path__
        return self.listed(pkgutil.iter_modules(path, "" if name is None else name + "."), keep_order=name is None)

    def iter_folder(self, where):
        if not self.directly(where):
            return None
        return self.listed(pkgutil.iter_modules([self.places.folders[where]]), keep_order=True)

    def walk_packages(self, name):
        self.directly()
        path = None if name is None else importlib.import_module(name).__path__
        if path is None:
            path = [entry for entry in sys.path if entry.startswith(self.places.run)]
        errors = []
        found = pkgutil.walk_packages(path, "" if name is None else name + ".", onerror=errors.append)
        return [self.listed(found, keep_order=False), sorted(errors)]

    def listed(self, found, keep_order):
        rows = []
        for item in found:
            folder = self.places.plain(getattr(item.module_finder, "path", ""))
            if folder.startswith("<"):
                rows.append([folder.rstrip("/"), item.name, item.ispkg])
        return rows if keep_order else sorted(rows)

    def extend_path(self, name):
        self.directly()
        return self.places.folders_once(pkgutil.extend_path(["<own>"], name))

    def get_data(self, name, path):
        if self.trees.is_split(name):
            return None  # a known difference: such a package has two folders, data is looked for in one
        return self.get_data_always(name, path)

    def get_data_always(self, name, path):
        data = pkgutil.get_data(name, path)
        return None if data is None else data.decode()

    def resources(self, name):
        if self.trees.is_split(name):
            return None
        if not hasattr(importlib, "resources") or not hasattr(importlib.resources, "files"):
            return None
        if not hasattr(importlib.import_module(name), "__path__"):
            return None  # the folder of a module is all of site-packages
        folder = importlib.resources.files(name)
        return sorted(
            [item.name, item.read_text() if item.is_file() and item.name.endswith(".txt") else None]
            for item in folder.iterdir()
            if item.name != "__pycache__"
        )

    # -- metadata

    def version(self, name):
        return importlib.metadata.version(name)

    def metadata(self, name):
        return sorted(map(list, importlib.metadata.metadata(name).items()))

    def requires(self, name):
        return importlib.metadata.requires(name)

    def files(self, name):
        files = importlib.metadata.files(name)
        if files is None:
            return None
        return sorted([str(path), self.located(path), path.locate().exists()] for path in files)

    def located(self, path):
        # What an installer adds belongs to the environment, and lies in it.
        return None if path.name == "INSTALLER" else self.places.plain(path.locate())

    def read_text(self, name, path):
        found = importlib.metadata.distribution(name)
        return [found.read_text(path), self.places.plain(found.locate_file("x/y"))]

    def entry_points(self):
        found = importlib.metadata.entry_points()
        groups = found.items() if isinstance(found, dict) else [(None, found)]
        return sorted([point.group, point.name, point.value] for _, points in groups for point in points)

    def entry_point_load(self, group):
        found = importlib.metadata.entry_points()
        points = found.get(group, ()) if isinstance(found, dict) else found.select(group=group)
        answers = []
        for point in sorted(points, key=lambda point: (point.name, point.value)):
            try:
                loaded = point.load()
                answers.append([point.name, loaded if isinstance(loaded, str) else self.module(loaded)])
            except Exception as error:
                answers.append([point.name, self.error(error)])
        return answers

    def distributions(self):
        return self.counted(importlib.metadata.distributions())

    def distributions_in(self, wheres):
        return self.counted(importlib.metadata.distributions(path=[self.places.folders[where] for where in wheres]))

    def distributions_named(self, name):
        return self.counted(importlib.metadata.distributions(name=name))

    def named_in(self, name, wheres):
        path = [self.places.folders[where] for where in wheres]
        return self.counted(importlib.metadata.distributions(name=name, path=path))

    def counted(self, found):
        """For each name: how many there are, and the version of the first."""
        answer = {}
        for dist in found:
            row = answer.setdefault(dist.metadata["Name"], [0, dist.version, type(dist).__name__])
            row[0] += 1
        return answer

    def packages_distributions(self):
        if not hasattr(importlib.metadata, "packages_distributions"):
            return None
        return {name: sorted(owners) for name, owners in importlib.metadata.packages_distributions().items()}

    # -- changes

    def path_insert(self, where, at):
        sys.path.insert(at, self.places.folders[where])

    def path_append(self, where):
        sys.path.append(self.places.folders[where])

    def path_remove(self, where):
        folder = self.places.folders[where]
        sys.path[:] = [entry for entry in sys.path if entry != folder]

    def path_respell(self, where):
        folders = {self.places.folders[name] for name in ("site", "alias", "slash", "inner")}
        sys.path[:] = [self.places.folders[where] if entry in folders else entry for entry in sys.path]

    def path_object(self):
        sys.path = list(sys.path)

    def clear_importer_cache(self):
        sys.path_importer_cache.clear()

    def forget_site_finder(self):
        sys.path_importer_cache.pop(self.places.site, None)

    def foreign_path_hook(self):
        self.foreign = True
        loaders = [
            (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
            (Instrumenting, importlib.machinery.SOURCE_SUFFIXES),
        ]
        sys.path_hooks.insert(0, importlib.machinery.FileFinder.path_hook(*loaders))

    def foreign_meta_finder(self, kind):
        sys.meta_path.insert(0, Wrapping(kind))

    def invalidate_caches(self):
        importlib.invalidate_caches()

    def install(self, key):
        for known in (self.distributions, self.trees.real, self.trees.locked):
            self.changed(known[key]["files"] if key in known else ())
        self.trees.install(self.distributions[key])
        importlib.invalidate_caches()

    def uninstall(self, key):
        for known in (self.trees.real, self.trees.locked):
            self.changed(known[key]["files"] if key in known else ())
        self.trees.uninstall(key)
        importlib.invalidate_caches()

    def write(self, where, path, text):
        self.changed([path])
        self.trees.write(where, path, text)
        importlib.invalidate_caches()

    def write_only(self, where, path, text):
        self.trees.write(where, path, text)
        importlib.invalidate_caches()

    def delete(self, where, path):
        self.changed([path])
        self.trees.delete(where, path)
        importlib.invalidate_caches()

    def changed(self, paths):
        """Forget the modules that are about to change on disk.

        A known difference: the __path__ of a locked package that is loaded already does not get the real folder that
        appears beside it.
        """
        for name in {path.split("/")[0].split(".")[0] for path in paths}:
            self.forget(name)

    def addsitedir_again(self):
        site.addsitedir(self.places.site, {os.path.normcase(entry) for entry in sys.path})

    def sys_path(self):
        return [self.places.name(entry) for entry in sys.path if entry.startswith(self.places.run)]


class Instrumenting(importlib.machinery.SourceFileLoader):
    """A stranger's loader, as beartype.claw and import-time instrumentation have it."""

    def exec_module(self, module):
        module.instrumented = "path hook"
        super().exec_module(module)


class Wrapping:
    """A stranger's finder on sys.meta_path: asks PathFinder, or everyone after it, and instruments what they find."""

    def __init__(self, kind):
        self.kind = kind

    def find_spec(self, fullname, path=None, target=None):
        if self.kind == "PathFinder":
            spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        else:
            spec = None
            for finder in sys.meta_path:
                if finder is not self and not isinstance(finder, Wrapping):
                    spec = finder.find_spec(fullname, path, target)
                    if spec is not None:
                        break
        if spec is not None and type(spec.loader).__name__ == "SourceFileLoader":
            spec.loader = Instrumenting(spec.loader.name, spec.loader.path)
        return spec


def loader_name(loader):
    return getattr(loader, "__name__", None) if isinstance(loader, type) else type(loader).__name__


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


def on_stderr(text, places):
    """What was said on stderr, without the tracebacks' inner lines (they show the lines of other files)."""
    return [places.plain(line) for line in text.splitlines() if line.strip() and not line.startswith("    ")]


def run(setup, scenario):
    """Run one scenario in this process: its answers, one for each step."""
    places = Places(setup["run"], scenario)
    if os.path.isdir(places.run):
        shutil.rmtree(places.run)
    os.makedirs(places.run)
    trees = Trees(places, setup["variant"], scenario)
    trees.build()
    said = os.path.join(places.run, "stderr")
    with open(said, "wb") as stream:
        os.dup2(stream.fileno(), 2)
    sys.start_up = []
    start(places, setup, scenario)
    steps = Steps(places, trees, scenario)
    answers = [[["start"], {"answer": [steps.sys_path(), in_groups(sys.start_up)]}]]
    for step in scenario["steps"]:
        answers.append([step, steps.take(step)])
    answers.append([["end"], {"answer": [steps.sys_path(), in_groups(sys.start_up), steps.loaded()]}])
    sys.stderr.flush()
    with open(said, encoding="utf-8") as stream:
        answers.append([["stderr"], {"answer": on_stderr(stream.read(), places)}])
    return answers


def in_groups(lines):
    """Group what start-up lines reported by where they lie: the order among locked and real ones is not kept."""
    groups = {}
    for where, what in lines:
        groups.setdefault(where, []).append(what)
    return groups


def child(setup, scenario, answer_to):
    signal.alarm(SECONDS_FOR_ONE_SCENARIO)
    try:
        answer = {"answers": run(setup, scenario)}
    except BaseException:
        answer = {"crash": traceback.format_exc()}
    with os.fdopen(answer_to, "w") as stream:
        json.dump(answer, stream)


def serve(setup):
    # The answers have their own way out: whatever a scenario prints must not get between them.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reading)
            child(setup, json.loads(line), writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            answer = stream.read()
        status = os.waitpid(pid, 0)[1]
        out.write((answer or json.dumps({"crash": "the process ended with status {}".format(status)})) + "\n")
        out.flush()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))

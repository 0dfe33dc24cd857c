"""The start-up code of an environment: finds locked distributions in the store.

It is copied into each environment, where it is the package ``_multisite``, and runs at every start of its interpreter,
on CPython 3.8 and later. The rules:

* Who wins is decided by ``PathFinder`` alone. A path hook claims one entry of ``sys.path``, the environment's
  site-packages folder, and answers for it: what is really there and what is locked count as the contents of one
  folder. Nothing is added to ``sys.path``.
* The object on ``sys.meta_path`` finds nothing itself. For a locked name it makes sure that the entry is still claimed
  (other tools insert path hooks and clear ``sys.path_importer_cache``) and leaves the finding to whoever comes next.
  For any other name it costs two lookups, for a submodule one.
* For metadata it does the same: ``metadata.py`` teaches the finder of ordinary folders.
* Only what every start needs stands here, and it imports only what every interpreter has loaded already. What is put in
  place is dormant. With the first name that may be locked, and with any other question, ``finding.py`` is loaded, and
  the same objects become its ``LockedFinder`` and its ``SiteFinder``: whoever keeps or compares them notices nothing.
* It never breaks an interpreter: what goes wrong at start-up is one line on stderr.
* The table is described in docs/formats.md, "Dispatch table and its key".
"""

import marshal
import os
import sys
from _io import FileIO

if __spec__ is None:  # the .pth file has the bytecode executed without an import, which would cost more than all of it
    from _frozen_importlib import ModuleSpec
    from _frozen_importlib_external import SourceFileLoader
    from _imp import _fix_co_filename

    __file__ = sys.prefix + os.sep + os.path.join(".multisite", "runtime", "__init__.py")
    _fix_co_filename(sys._getframe().f_code, __file__)
    __loader__ = SourceFileLoader(__name__, __file__)
    __spec__ = ModuleSpec(__name__, __loader__, origin=__file__, is_package=True)
    __spec__.has_location = True
    __path__ = __spec__.submodule_search_locations
    __path__.append(__file__.rpartition(os.sep)[0])
    __package__ = __name__

MAGIC = b"MSTABLE\n"
FORMAT = 3
HEADER = 32
# The modules that tools.py sees to when they are loaded: its table has the same names.
_TOOLS = (
    "_pydevd_bundle.pydevd_filtering _pytest.assertion.rewrite astroid.interpreter._import.spec astroid.modutils "
    "cherrypy.process.plugins coverage.inorout ddtrace.appsec._patch_utils ddtrace.internal.packages "
    "django.utils.autoreload flask.helpers flask.sansio.scaffold flask.scaffold gunicorn.reloader hupper.worker "
    "hypothesis.internal.scrutineer importlib.metadata importlib_metadata logfire._internal.stack_info "
    "loguru._better_exceptions pip._internal.metadata.base PyInstaller.depend.bindepend pyinstrument.session "
    "tornado.autoreload trace werkzeug._reloader werkzeug.debug.tbtools"
)
TOOLS = frozenset(_TOOLS.split())


def start(sitedir):
    """Install the finder of the environment that has the site-packages folder *sitedir*; run its start-up lines.

    May be called any number of times. An environment whose table cannot be read gets no finder and a line on stderr.
    """
    if os.environ.get("MULTISITE_DISABLE", "0") not in ("", "0") and not sys.flags.ignore_environment:
        return
    for finder in sys.meta_path:
        if issubclass(type(finder), Dormant) and finder.may_own(sitedir):
            break
    else:
        folder = _state_folder(sitedir)
        try:
            finder = Dormant(sitedir, folder, read_table(folder + os.sep + "table"))
        except (OSError, ValueError) as error:
            part("messages").unusable(folder, error)
            return
        finder.install()
    finder.claim()
    if finder.starts_something:
        part("startup").run(finder.site)


def read_table(path):
    """Read the table file at *path*: the binding, a dict, and the other parts, still marshalled.

    Raises OSError where it cannot be read, ValueError where it is torn or of another format.
    """
    with FileIO(path) as stream:
        data = stream.read()
    if data[:8] != MAGIC:
        raise ValueError("not a dispatch table")
    found = int.from_bytes(data[8:12], "little")
    if found != FORMAT:
        raise ValueError("it has format {}, this environment's start-up code knows {}".format(found, FORMAT))
    parts = []
    at = HEADER
    for length in range(12, HEADER, 4):
        end = at + int.from_bytes(data[length : length + 4], "little")
        parts.append(data[at:end])
        at = end
    if len(data) != at:
        raise ValueError("it is torn")
    parts[0] = unmarshalled(parts[0])
    return parts


def unmarshalled(part):
    """Return the value of a *part* of the table. Raises ValueError where it is damaged."""
    try:
        return marshal.loads(part)
    except (EOFError, MemoryError, TypeError, ValueError) as error:
        raise ValueError("it is damaged: {}".format(error)) from error


def part(name):
    """Return the module *name* of the start-up code; it is loaded from where it lies, and no finder is asked."""
    name = __name__ + "." + name
    module = sys.modules.get(name)
    if module is None or getattr(module.__spec__, "_initializing", False):
        import _frozen_importlib
        from _frozen_importlib_external import spec_from_file_location

        # Plain text, here and on the way to what is imported: who traces a program sees each module that is run for it.
        path = __file__.rpartition(os.sep)[0] + os.sep + name.rpartition(".")[2] + ".py"
        with _frozen_importlib._ModuleLockManager(name):
            module = sys.modules.get(name)
            if module is None:
                module = _frozen_importlib._load_unlocked(spec_from_file_location(name, path))
    return module


def _state_folder(sitedir):
    """Return the folder of an environment's own files, next to which this code lies, for *sitedir*."""
    here = os.path.dirname(os.path.dirname(__file__))
    if sitedir.startswith(os.path.dirname(here) + os.sep):
        return here
    # The code was loaded for another environment of the same process.
    return os.path.join(sitedir, *([os.pardir] * (2 if os.name == "nt" else 3)), ".multisite")


def _is_usual(folder, binding):
    """Tell whether a table is in force as it stands: the lockfile has the size and time that its *binding* names."""
    try:
        if binding["edits"] or not binding["stores"] or os.environ.get("MULTISITE_STORE"):
            return False
        found = os.stat(os.path.dirname(folder) + os.sep + binding["lockfile"])
        return found.st_size == binding["size"] and found.st_mtime_ns == binding["mtime_ns"]
    except OSError:
        return False
    except (KeyError, TypeError) as error:
        raise ValueError("it lacks something: {!r}".format(error)) from error


def ask_hooks(hooks, path):
    """Return the finder that the first willing one of *hooks* makes for *path*, None where none is willing."""
    for hook in hooks:
        try:
            return hook(path)
        except ImportError:
            continue
    return None


class Dormant:
    """The object on ``sys.meta_path``, and the path hook, until something is asked for that may be locked."""

    def __init__(self, path, folder, parts):
        self.path = path
        self.folder = folder
        self.parts = parts
        self.starts_something = parts[2]
        self.entry = None
        self.table = None
        usual = _is_usual(folder, parts[0])
        self.stores = parts[0]["stores"]
        if not usual:
            self.table = part("finding").Table(folder, parts)
            self.starts_something = self.table.start_up

    def __getattr__(self, name):
        """Wake for whatever else is asked for: ``find_distributions``, ``site``."""
        if type(self) is Dormant and not name.startswith("_"):
            part("finding").wake(self)
            return getattr(self, name)
        raise AttributeError("{!r} object has no attribute {!r}".format(type(self).__name__, name))

    def install(self):
        """Take the places on ``sys.path_hooks`` and ``sys.meta_path``; say which stores are missing."""
        sys.path_hooks.insert(0, self.hook)
        self.stand()
        for at, store in enumerate((self.table or self).stores):
            if not os.access(store + os.sep + "multi-site-packages", os.X_OK):
                part("messages").missing_store(self.site.table, at)

    def stand(self):
        """Take the place on ``sys.meta_path``."""
        at = next((i for i, f in enumerate(sys.meta_path) if getattr(f, "__name__", "") == "PathFinder"), 0)
        sys.meta_path.insert(at, self)

    def hook(self, path):
        """Claim the environment's site-packages folder (a hook for ``sys.path_hooks``)."""
        if type(self) is Dormant and not self.may_own(path):
            raise ImportError("only folders of one environment are claimed", path=path)
        return self.site.claimed(path)

    def may_own(self, path):
        """Tell whether *path*, however it is spelled, is the environment's site-packages folder."""
        if path == self.path or not isinstance(path, str) or self.is_of_library(path):
            return path == self.path
        try:
            return os.path.samestat(os.stat(path or os.curdir), os.stat(self.path))
        except (OSError, ValueError):
            return False

    def is_of_library(self, path):
        """Tell whether *path* is where the interpreter has its own modules: no link leads from there to the folder."""
        library = getattr(os, "__file__", "").rpartition(os.sep)[0]
        if path.startswith(library + os.sep):
            return not self.path.startswith(library + os.sep)
        return path == library or (path.endswith(".zip") and path.startswith(library.rpartition(".")[0]))

    def claim(self):
        """Have the folder's path entry finder in its place, in every spelling of the folder on ``sys.path``."""
        cache = sys.path_importer_cache
        found = cache.get(self.path)
        others = [entry for entry in sys.path if entry != self.path]
        if found is not self.entry or any(map(self.may_own, filter(None, others))):
            self.site.claim()
        elif found is None and len(others) < len(sys.path):
            hooks = [hook for hook in sys.path_hooks if getattr(hook, "__self__", None) is not self]
            cache[self.path] = self.entry = DormantEntry(self, ask_hooks(hooks, self.path), hooks)

    def find_spec(self, fullname, path=None, target=None):
        """Find nothing; wake where it may take more than that."""
        if fullname in TOOLS or (path is None and fullname.encode("utf-8", "surrogatepass") in self.parts[1]):
            part("finding").wake(self)
            return self.find_spec(fullname, path, target)
        return None


class DormantEntry:
    """The path entry finder of the site-packages folder, until then."""

    def __init__(self, finder, real, hooks):
        self.finder = finder
        self.real = real
        self.hooks = hooks

    def __getattr__(self, name):
        """Wake for whatever else is asked for: ``iter_modules``, ``invalidate_caches``."""
        if type(self) is DormantEntry and not name.startswith("_") and name != "finder":
            part("finding").wake(self.finder)
            return getattr(self, name)
        raise AttributeError("{!r} object has no attribute {!r}".format(type(self).__name__, name))

    @property
    def __class__(self):
        """The class, which ``pkg_resources`` and each copy of it look adapters up by while they are imported."""
        caller = sys._getframe().f_back  # None where the interpreter itself asks, at the start of a thread
        asking = {} if caller is None else caller.f_globals
        if "_distribution_finders" in asking and "register_finder" in asking:
            part("finding").wake(self.finder)
            part("pkg_resources").adapt(asking, type(self))
        return type(self)

    def find_spec(self, fullname, target=None):
        """Find what is really there; wake for what may be locked."""
        # A name that does not even occur in what is marshalled need not be looked up.
        if fullname.rpartition(".")[2].encode("utf-8", "surrogatepass") in self.finder.parts[1]:
            part("finding").wake(self.finder)
            return self.find_spec(fullname, target)
        return None if self.real is None else self.real.find_spec(fullname, target)

"""The start-up code of an environment: finds locked distributions in the store.

It is copied into each environment, where it is the package ``_multisite``, and runs at every start of its interpreter,
on CPython 3.8 and later. The rules:

* Who wins is decided by ``PathFinder`` alone. A path hook claims one entry of ``sys.path``, the environment's
  site-packages folder, and answers for it: what is really there and what is locked count as the contents of one
  folder. Nothing is added to ``sys.path``.
* The object on ``sys.meta_path`` finds nothing itself. For a locked name it makes sure that the entry is still claimed
  (other tools insert path hooks and clear ``sys.path_importer_cache``) and leaves the finding to whoever comes next.
  For any other name it costs one lookup.
* For metadata it does the same: ``metadata.py`` teaches the finder of ordinary folders.
* Only what every start needs stands here, and it imports only what every interpreter has loaded already. What is put in
  place is dormant. With the first name that may be locked, and with any other question, ``finding.py`` is loaded, and
  the same objects become its ``LockedFinder`` and its ``SiteFinder``: whoever keeps or compares them notices nothing.
* It never breaks an interpreter: what goes wrong at start-up is one line on stderr.
* The table is described in docs/formats.md, "Dispatch table and its key".
"""

import marshal
import sys
from _frozen_importlib_external import path_sep
from _io import FileIO

# "os" is imported by the functions that need it: what stands on sys.meta_path outlives the other modules when an
# interpreter ends, and if it held "os", all of that would have to be taken apart by hand, at one percent of a start.

_EXECUTED = __name__ == "builtins"  # by the .pth file, without an import, which would cost more than all of it
if _EXECUTED:
    from _imp import _fix_co_filename

    __name__ = __package__ = "_multisite"
    _around, _sitedir, _digest = globals().pop("given")
    __path__ = [path_sep.join((sys.prefix, ".multisite", "runtime", _digest))]
    __file__ = __path__[0] + path_sep + "__init__.py"
    _fix_co_filename(sys._getframe().f_code, __file__)

_STATE = path_sep + ".multisite"
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
TOOLS = dict.fromkeys(_TOOLS.split())  # the garbage collector need not look into it, as it has to into a set


def start(sitedir):
    """Install the finder of the environment that has the site-packages folder *sitedir*; run its start-up lines.

    May be called any number of times. An environment whose table cannot be read gets no finder and a line on stderr.
    """
    if variable("MULTISITE_DISABLE") not in ("", "0") and not sys.flags.ignore_environment:
        return
    import os

    for finder in sys.meta_path:
        if issubclass(type(finder), Dormant) and finder.may_own(sitedir):
            break
    else:
        folder = __file__.rpartition(path_sep + "runtime" + path_sep)[0]
        if not sitedir.startswith(folder[: 1 - len(_STATE)]):
            # The code was loaded for another environment of the same process.
            folder = os.path.join(sitedir, *([os.pardir] * (2 if os.name == "nt" else 3)), ".multisite")
        try:
            finder = Dormant(sitedir, folder, read_table(folder + path_sep + "table"))
        except (OSError, ValueError) as error:
            part("messages").unusable(folder, error)
            return
        sys.path_hooks.insert(0, finder.hook)
        finder.stand()
        for at, store in enumerate((finder.table or finder).stores):
            if not os.access(store + path_sep + "multi-site-packages", os.X_OK):
                part("messages").missing_store(finder.site.table, at)
    finder.claim()
    if finder.starts_something and getattr(finder, "site", None):
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

        package = sys.modules[__name__]
        if package.__spec__ is None:  # no start needs one
            spec = spec_from_file_location(__name__, __file__, submodule_search_locations=__path__)
            _frozen_importlib._init_module_attrs(spec, package)  # type: ignore[arg-type]  # it is no None
        # Plain text, here and on the way to what is imported: who traces a program sees each module that is run for it.
        path = __file__.rpartition(path_sep)[0] + path_sep + name.rpartition(".")[2] + ".py"
        with _frozen_importlib._ModuleLockManager(name):
            module = sys.modules.get(name)
            if module is None:
                module = _frozen_importlib._load_unlocked(spec_from_file_location(name, path))
    return module


def variable(name):
    """Return a variable of the environment, nothing where it is not set: without an exception on the way."""
    import os

    known = getattr(os.environ, "_data", (name,))  # its keys are bytes, on Windows text
    return os.environ.get(name, "") if name in known or name.encode() in known else ""


def ask_hooks(hooks, path):
    """Return the finder that the first willing one of *hooks* makes for *path*, None where none is willing."""
    for hook in hooks:
        try:
            return hook(path)
        except ImportError:
            continue
    return None


class Dormant:
    """What stands on ``sys.meta_path`` and is the path hook, until something is asked for that may be locked.

    Another one, which has the first as its ``finder``, is the path entry finder of the site-packages folder. They share
    a class, for making one is a tenth of what a start takes here.
    """

    finder = entry = known = real = None  # by an annotation each start would take longer

    def __init__(self, path, folder, parts):
        import os

        self.path = path
        self.folder = folder
        self.parts = parts
        self.starts_something = parts[2]
        self.table = None
        binding = parts[0]
        try:
            self.stores = binding["stores"]
            # The table is in force as it stands where the lockfile has the size and time that it names.
            usual = self.stores and not (binding["edits"] or variable("MULTISITE_STORE"))
            if usual:
                found = os.stat(folder[: 1 - len(_STATE)] + binding["lockfile"])
                usual = found.st_size == binding["size"] and found.st_mtime_ns == binding["mtime_ns"]
        except OSError:
            usual = False
        except (KeyError, TypeError) as error:
            raise ValueError("it lacks something: {!r}".format(error)) from error
        if not usual:
            self.table = part("finding").Table(folder, parts)
            self.starts_something = self.table.start_up

    def __getattr__(self, name):
        """Wake for whatever else is asked for: ``find_distributions``, ``site``."""
        if type(self) is Dormant and not name.startswith("_"):
            self.woken()
            if type(self) is not Dormant:
                return getattr(self, name)
        raise AttributeError("{!r} object has no attribute {!r}".format(type(self).__name__, name))

    def woken(self):
        """Become what can tell what is locked, and the other one too; or stay asleep, with one line on stderr.

        It keeps its places then: whoever asks is just walking through them.
        """
        finder = self.finder or self
        try:
            part("finding").wake(finder)
        except Exception as error:  # bytecode that is damaged may raise anything
            if finder.known != {}:
                finder.known = {}
                if finder.entry is not None:
                    finder.entry.known = finder.known
                    sys.path_importer_cache.pop(finder.path, None)
                if sys.stderr:
                    problem = "the start-up code cannot be used, nothing locked can be imported"
                    venv = finder.folder[: -len(_STATE)]
                    line = "multisite: {}: {} ({!r}); run: multisite sync --venv {}\n"
                    sys.stderr.write(line.format(venv, problem, error, venv))

    def stand(self):
        """Take the place on ``sys.meta_path``."""
        for finder in sys.meta_path:
            if getattr(finder, "__name__", "") == "PathFinder":
                return sys.meta_path.insert(sys.meta_path.index(finder), self)
        return sys.meta_path.insert(0, self)

    def hook(self, path):
        """Claim the environment's site-packages folder (a hook for ``sys.path_hooks``)."""
        if (type(self) is Dormant and not self.may_own(path)) or getattr(self, "site", None) is None:
            raise ImportError("only folders of one environment are claimed", path=path)
        return self.site.claimed(path)

    def may_own(self, path):
        """Tell whether *path*, however it is spelled, is the environment's site-packages folder."""
        if path == self.path or not isinstance(path, str) or self.is_of_library(path):
            return path == self.path
        import os

        try:
            return os.path.samestat(os.stat(path or os.curdir), os.stat(self.path))
        except (OSError, ValueError):
            return False

    def is_of_library(self, path):
        """Tell whether *path* is where the interpreter has its own modules: no link leads from there to the folder."""
        library = getattr(sys.modules.get("os"), "__file__", "").rpartition(path_sep)[0]
        if path.startswith(library + path_sep):
            return not self.path.startswith(library + path_sep)
        return path == library or (path.endswith(".zip") and path.startswith(library.rpartition(".")[0]))

    def claim(self):
        """Have the folder's path entry finder in its place, in every spelling of the folder on ``sys.path``."""
        if self.known == {}:
            return None
        found = sys.path_importer_cache.get(self.path)
        wanted = False
        for entry in sys.path:
            if entry == self.path:
                wanted = True
            elif entry and self.may_own(entry):
                return self.site.claim()
        if found is not self.entry:
            return self.site.claim()
        if wanted and found is None:
            self.entry = claimed = Dormant.__new__(Dormant)
            claimed.finder = self
            claimed.hooks = list(sys.path_hooks)
            if self.hook in claimed.hooks:
                claimed.hooks.remove(self.hook)
            claimed.real = ask_hooks(claimed.hooks, self.path)
            sys.path_importer_cache[self.path] = claimed
        return None

    def find_spec(self, fullname, path=None, target=None):
        """Find only what is really there; wake for what may be locked, and for modules of tools.

        The second argument of a path entry finder is the target.
        """
        known = self.known
        if known is None:
            finder = self.finder or self
            # Two names are asked for at each start: they do not even occur in what is marshalled.
            if fullname not in ("sitecustomize", "usercustomize") or fullname.encode() in finder.parts[1]:
                try:
                    known = self.known = finder.known or {**dict.fromkeys(unmarshalled(finder.parts[1])), **TOOLS}
                except ValueError:
                    known = {fullname: None}  # who wakes will tell
        if known and (fullname in known or ("." in fullname and self.real and fullname.rpartition(".")[2] in known)):
            self.woken()
            if type(self) is not Dormant:
                return self.find_spec(fullname, path, target) if self.finder is None else self.find_spec(fullname, path)
        return self.real and self.real.find_spec(fullname, path or target)

    @property
    def __class__(self):
        """The class, which ``pkg_resources`` and each copy of it look adapters up by while they are imported."""
        if self.finder is not None:
            caller = sys._getframe().f_back  # None where the interpreter itself asks, at the start of a thread
            asking = {} if caller is None else caller.f_globals
            if "_distribution_finders" in asking and "register_finder" in asking:
                self.woken()
                if type(self) is not Dormant:
                    part("pkg_resources").adapt(asking, type(self))
        return type(self)


def begin(around, sitedir):
    """Start for *sitedir*, and again when ``site``, whose globals *around* is, processes the same file once more."""
    around["_multisite"] = _again
    start(sitedir)


def _again(_):
    """Stand for ``exec`` in the .pth file: there is nothing to be executed any more."""
    start(sys._getframe(1).f_locals["sitedir"])


if _EXECUTED:
    _module = type(sys)(__name__)
    vars(_module).update(globals())
    del _module._around, _module._module
    # Another environment of the process, of an earlier release, may have loaded its own code already.
    start = sys.modules.setdefault(__name__, _module).start
    begin(_around, _sitedir)
    del _around, _module

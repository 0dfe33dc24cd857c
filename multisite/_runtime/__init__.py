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
* Only what every start needs stands here, and it imports only what every interpreter has loaded already.
* It never breaks an interpreter: what goes wrong at start-up is one line on stderr.
* The table is described in docs/formats.md, "Dispatch table and its key".
"""

import marshal
import os
import sys
from _frozen_importlib_external import FileFinder
from _io import FileIO

MAGIC = b"MSTABLE\n"
FORMAT = 1
HEADER = 24
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


class TableError(Exception):
    """The dispatch table cannot be used; the text says why."""


def start(sitedir):
    """Install the finder of the environment that has the site-packages folder *sitedir*; run its start-up lines.

    May be called any number of times. An environment whose table cannot be read gets no finder and a line on stderr.
    """
    if os.environ.get("MULTISITE_DISABLE", "0") not in ("", "0") and not sys.flags.ignore_environment:
        return
    site = next((f.site for f in sys.meta_path if type(f) is LockedFinder and f.site.owns(sitedir)), None)
    if site is None:
        folder = _state_folder(sitedir)
        try:
            site = Site(sitedir, folder)
        except (OSError, TableError) as error:
            from .messages import say

            say("the environment's table cannot be used, nothing locked can be imported", folder, error)
            return
        sys.path_hooks.insert(0, site.hook)
        site.install()
        for at, store in enumerate(site.table.stores):
            if not os.access(store + os.sep + "multi-site-packages", os.X_OK):
                from .messages import missing_store

                missing_store(site.table, at)
    site.claim()
    if site.table.start_up:
        from .startup import run

        run(site)


def read_table(path):
    """Read the table file at *path*: the binding and the lookup, two dicts, and the details, still marshalled.

    Raises OSError where it cannot be read, TableError where it is torn or of another format.
    """
    with FileIO(path) as stream:
        data = stream.read()
    if data[:8] != MAGIC:
        raise TableError("not a dispatch table")
    found, binding, lookup, details = [int.from_bytes(data[at : at + 4], "little") for at in (8, 12, 16, 20)]
    if found != FORMAT:
        raise TableError("it has format {}, this environment's start-up code knows {}".format(found, FORMAT))
    at = HEADER + binding
    if len(data) != at + lookup + details:
        raise TableError("it is torn")
    try:
        return marshal.loads(data[HEADER:at]), marshal.loads(data[at : at + lookup]), data[at + lookup :]
    except (EOFError, MemoryError, TypeError, ValueError) as error:
        raise TableError("it is damaged: {}".format(error)) from error


def _state_folder(sitedir):
    """Return the folder of an environment's own files, next to which this code lies, for *sitedir*."""
    here = os.path.dirname(os.path.dirname(__file__))
    if sitedir.startswith(os.path.dirname(here) + os.sep):
        return here
    # The code was loaded for another environment of the same process.
    return os.path.join(sitedir, *([os.pardir] * (2 if os.name == "nt" else 3)), ".multisite")


class Table:
    """What is locked for one environment. It never changes: a new table is another object."""

    def __init__(self, folder):
        self.folder = folder
        binding, lookup, details = read_table(os.path.join(folder, "table"))
        try:
            self.stores, self.layers, self.edits = binding["stores"], binding["layers"], binding["edits"]
            moved = os.environ.get("MULTISITE_STORE")
            if moved and not sys.flags.ignore_environment:
                # A list like PATH. A store that is named in it is where it was, another is what has its place there.
                named = [store and os.path.abspath(store) for store in moved.split(os.pathsep)]
                there = dict(enumerate(named))  # by place; what is missing or empty moves nothing
                self.stores = tuple([s if s in named else there.get(i) or s for i, s in enumerate(self.stores)])
            self.inside = tuple([store + os.sep for store in self.stores])
            lockfile = os.path.join(os.path.dirname(folder), binding["lockfile"])
            try:
                found = os.stat(lockfile)
            except OSError:
                found = None
            if found is None or found.st_size != binding["size"] or found.st_mtime_ns != binding["mtime_ns"]:
                from .freshness import in_force

                lookup, details, self.layers = in_force(self, lockfile, binding, lookup, details)
            self.names = lookup["names"]
            self.start_up = lookup["pth"]
            self._details = details
            if self.edits:
                from .edits import applied

                applied(self)
        except (AttributeError, KeyError, TypeError) as error:
            raise TableError("it lacks something: {!r}".format(error)) from error

    def __getattr__(self, name):
        """Load the details when the first of them is needed: most starts of an interpreter need none."""
        if name not in ("distributions", "entry_points"):
            raise AttributeError(name)
        try:
            details = marshal.loads(self._details)
            self.distributions, self.entry_points = details["distributions"], details["entry_points"]
        except (EOFError, KeyError, TypeError, ValueError) as error:
            from .messages import damaged

            raise damaged(self, error) from error
        return details[name]

    def root(self, index, replaced=(), apart=False):
        """Return the folder that holds the distribution with this *index*, as a site-packages folder holds it.

        A folder that it shares with one of the *replaced* distributions has that one's files as well. So then it is the
        folder of its own entry, unless the two have no name in common: they share it for what their libraries find in
        there of each other. *apart* is for who looks at all of a folder.
        """
        root = self.distributions[index][2]
        store = self.stores[self.layers[index] if self.layers else 0]
        if replaced:
            from .installed import apart_from

            store, root = apart_from(self, index, replaced, apart) or (store, root)
        if root in self.edits:
            return os.path.join(os.path.dirname(self.folder), self.edits[root].replace("/", os.sep))
        return store + os.sep + root.replace("/", os.sep)


class Site:
    """One environment: its site-packages folder, and what is locked for it."""

    def __init__(self, path, folder):
        self.path = path
        self.folder = folder
        self.table = Table(folder)
        self._claims = {path: True}
        self._identity = None
        self._replaced = None
        self.folders = {}  # what merging.py claims besides: path -> the folders that it answers for
        self.metadata = {}  # what metadata.py keeps, by the module whose classes ask
        self.indexes = {}  # what indexed.py keeps, by the folder that stands for site-packages
        self.unknown = []  # modules of tools that tools.py does not know in this shape
        self.finder = LockedFinder(self)

    def install(self):
        """Put the object for ``sys.meta_path`` in place, again where somebody has filtered it out."""
        at = next((i for i, f in enumerate(sys.meta_path) if getattr(f, "__name__", "") == "PathFinder"), 0)
        sys.meta_path.insert(at, self.finder)

    def hook(self, path):
        """Claim the environment's site-packages folder (a hook for ``sys.path_hooks``)."""
        if path in self.folders:
            from .merging import claimed

            return claimed(self, path)
        if path != self.path and not self.owns(path):
            finder = self.in_store(path)
            if finder is None:
                raise ImportError("only folders of one environment are claimed", path=path)
            return finder
        return SiteFinder(self, path, ask_hooks(self.other_hooks(), path))

    def in_store(self, path, hooks=None):
        """Return the finder of a folder of the store that has an index; None for others, or with unusual *hooks*."""
        if not isinstance(path, str) or not path.startswith(self.table.inside):
            return None
        from .indexed import finder_of

        return finder_of(self, path, hooks)

    def owns(self, path):
        """Tell whether *path*, however it is spelled, is the environment's site-packages folder."""
        known = self._claims.get(path)
        if known is None:
            if not isinstance(path, str) or path.startswith(self.table.inside):
                return False
            try:
                found = os.stat(path or os.curdir)
                if self._identity is None:
                    self._identity = os.stat(self.path)
            except (OSError, ValueError):
                return False  # for now: it may come to be a link to the folder
            known = os.path.samestat(found, self._identity)
            if os.path.isabs(path):
                self._claims[path] = known
        return known

    def claim(self):
        """Make sure that every spelling of the folder on ``sys.path`` is answered by a SiteFinder."""
        cache = sys.path_importer_cache
        for entry in sys.path:
            # PathFinder asks for the current folder, spelled '', by its whole path.
            if isinstance(entry, str) and entry and self.owns(entry):
                finder = cache.get(entry)
                if type(finder) is not SiteFinder or finder.site is not self:
                    cache[entry] = self._reclaimed(entry, finder)

    def _reclaimed(self, entry, stranger):
        """Return a SiteFinder for *entry* around what others made of it: they hooked in on purpose."""
        if stranger is None:
            stranger = ask_hooks(sys.path_hooks, entry)
            if type(stranger) is SiteFinder and stranger.site is self:
                return stranger
        return SiteFinder(self, entry, stranger)

    def other_hooks(self):
        """Return the path hooks that are not ours: what a folder would be asked by in a plain environment."""
        return [hook for hook in sys.path_hooks if getattr(hook, "__self__", None) is not self]

    def replaced(self, table):
        """Return the indexes of the locked distributions that count as not there, for they are really installed too.

        In a plain environment installing a distribution takes the older one of the same name away.
        """
        try:
            time = os.stat(self.path).st_mtime_ns
        except OSError:
            return ()
        known = self._replaced
        if known is None or known[0] is not table or known[1] != time:
            kinds = (".dist-info", ".egg-info", ".egg-link")
            infos = [child for child in os.listdir(self.path) if child.endswith(kinds)]
            if infos:
                from .installed import installed

                infos = installed(table, self.path, infos)
            self._replaced = known = (table, time, infos)
        return known[2]

    def refresh(self):
        """Take up what changed on disk since: real distributions, links to the folder, and a new table."""
        from .freshness import renewed

        self._replaced, self._claims, self.indexes = None, {self.path: True}, {}
        self.table = renewed(self.table)


def ask_hooks(hooks, path):
    """Return the finder that the first willing one of *hooks* makes for *path*, None where none is willing."""
    for hook in hooks:
        try:
            return hook(path)
        except ImportError:
            continue
    return None


class SiteFinder:
    """The path entry finder of the site-packages folder: what is really there and what is locked, as one folder."""

    def __init__(self, site, path, real):
        self.site = site
        self.path = path
        self.real = real
        # The finder of a plain site-packages folder keeps the loaders of the moment when it was made, whatever path
        # hooks come after; it stands for all that is in the folder.
        self._hooks = site.other_hooks()
        self._finders = {}

    def __repr__(self):
        return "{}({!r})".format(type(self).__name__, self.path)

    def find_spec(self, fullname, target=None):
        """Find a module in the folder (the contract of ``importlib.abc.PathEntryFinder``)."""
        spec = None if self.real is None else self.real.find_spec(fullname, target)
        table = self.site.table
        owners = table.names.get(fullname.rpartition(".")[2])
        if owners is None:
            return spec
        if self.site.finder not in sys.meta_path:
            self.site.install()
        specs = [] if spec is None else [spec]
        mixed = spec is not None
        missing = []
        for folder, index in self._folders(table, (owners,) if type(owners) is int else owners).items():
            finder = self.finder_of(folder)
            spec = None if finder is None else finder.find_spec(fullname, target)
            if spec is not None:
                specs.append(spec)
            elif not os.path.isdir(folder):
                missing.append(index)
        if missing and not any(spec.loader for spec in specs):
            from .messages import not_in_store

            raise not_in_store(table, fullname, missing[0])
        if len(specs) > 1 or self.site.folders:
            from .merging import merged

            return merged(self.site, specs, mixed)
        return specs[0] if specs else None

    def _folders(self, table, owners):
        """Return the folders to look in, with the index of a distribution in each. Several may share a folder."""
        replaced = self.site.replaced(table)
        folders = {}
        # Where a folder that they shared is not to be used, the later of them still has the say.
        for index in reversed(owners) if replaced else owners:
            if index not in replaced:
                folders.setdefault(table.root(index, replaced), index)
        return folders

    def finder_of(self, folder):
        """Return the finder for a *folder* of the store, None where there is no such folder."""
        finder = self._finders.get(folder)
        if finder is None:  # it may be there after the next sync
            finder = self._finders[folder] = self.site.in_store(folder, self._hooks) or ask_hooks(self._hooks, folder)
        return finder

    def invalidate_caches(self):
        """Forget what was read from disk."""
        for finder in [self.real, *self._finders.values()]:
            if hasattr(finder, "invalidate_caches"):
                finder.invalidate_caches()
        self.site.refresh()

    def iter_modules(self, prefix=""):
        """List the modules in the folder for ``pkgutil``."""
        from .listing import modules

        return modules(self, prefix)

    # Whoever still asks by PEP 302 gets FileFinder's own answer, which is made of find_spec(). Gone in 3.12.
    if hasattr(FileFinder, "find_loader"):
        find_loader = FileFinder.find_loader
        find_module = FileFinder.find_module

    @property
    def __class__(self):
        """The class. ``pkg_resources``, and each copy of it, looks adapters up by it while it is being imported."""
        caller = sys._getframe().f_back  # None where the interpreter itself asks, at the start of a thread
        asking = {} if caller is None else caller.f_globals
        if "_distribution_finders" in asking and "register_finder" in asking:
            from .pkg_resources import adapt

            adapt(asking, SiteFinder)
        return SiteFinder


class LockedFinder:
    """The object on ``sys.meta_path`` before ``PathFinder``."""

    def __init__(self, site):
        self.site = site

    def find_spec(self, fullname, path=None, target=None):
        """See to it that the next finder on ``sys.meta_path`` finds what is locked; find only modules of tools."""
        if path is None and fullname in self.site.table.names:
            self.site.claim()
        if fullname in TOOLS:
            from .tools import watched

            return watched(self, fullname, path, target)
        return None

    def find_distributions(self, context=None):
        """See to it that the next finder finds the metadata of what is locked; find nothing."""
        from .metadata import adapt_finders

        adapt_finders(self.site)
        return iter(())  # up to 3.9 it has to be an iterator

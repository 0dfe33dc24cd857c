"""What is locked for an environment, and where it is found: loaded with the first question that it takes more for."""

import marshal
import os
import sys
from _frozen_importlib_external import FileFinder
from _thread import RLock

from . import TOOLS, Dormant, ask_hooks, part, read_table, unmarshalled

COLUMNS = 7
_WAKING = RLock()


def wake(finder):
    """Make *finder* (a Dormant), and its entry, finders that can tell what is locked.

    Where the table turns out to be damaged, that is one line on stderr, and nothing is locked.
    """
    with _WAKING:
        if type(finder) is not Dormant:
            return
        table = finder.table
        try:
            table = table or Table(finder.folder, finder.parts, True)
        except ValueError as error:
            part("messages").unusable(finder.folder, error)  # an import would ask the finder, which is not awake yet
            nothing = marshal.dumps({})
            table = Table(finder.folder, [finder.parts[0], nothing, b"", b"", nothing], True)
        finder.site = site = Site(finder, table)
        entry = finder.entry
        if entry is not None:
            SiteFinder.__init__(entry, site, finder.path, entry.real, entry.hooks)  # type: ignore[arg-type]
            _CLASS.__set__(entry, SiteFinder)
        _CLASS.__set__(finder, LockedFinder)


_CLASS = vars(object)["__class__"]


class Table:
    """What is locked for one environment. It never changes: a new table is another object.

    *parts* are those of its file, when they have been read. Raises OSError and ValueError where it cannot be used.
    """

    def __init__(self, folder, parts=None, usual=False):
        self.folder = folder
        binding, *own = read_table(os.path.join(folder, "table")) if parts is None else parts
        try:
            self.stores, self.layers, self.edits = binding["stores"], binding["layers"], binding["edits"]
            if not usual:
                from .freshness import in_force, stores_of

                self.stores = stores_of(self.stores)
                own, self.layers = in_force(self, binding, own)
            self.inside = tuple([store + os.sep for store in self.stores])
            self.bare = binding.get("bare", {})
            self._rows = {}
            names, start_up, self._distributions, self._entry_points = own
            self.names = unmarshalled(names)
            self.start_up = unmarshalled(start_up)["pth"] if start_up else ()
            if self.edits:
                from .edits import applied

                applied(self)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("it lacks something: {!r}".format(error)) from error

    def __getattr__(self, name):
        """Load the other parts when they are needed: most starts of an interpreter need none."""
        if name not in ("lines", "distributions", "entry_points"):
            raise AttributeError(name)
        try:
            if name == "lines":
                value = lines_of(self._distributions)
            elif name == "distributions":
                value = tuple([self.row(index) for index in range(len(self.lines) - 1)])
            else:
                value = unmarshalled(self._entry_points)
        except ValueError as error:
            from .messages import damaged

            raise damaged(self.folder, error) from error
        setattr(self, name, value)
        return value

    def row(self, index):
        """Return what is known of the distribution with this *index*, without a look at the others."""
        row = self._rows.get(index)
        if row is None:
            try:
                row = self._rows[index] = columns_of(self.lines[index + 1])
            except (IndexError, ValueError) as error:
                from .messages import damaged

                raise damaged(self.folder, error) from error
        return row

    def named(self, name):
        """Return the index of the distribution with this normalised *name*; None where there is none."""
        if "\t" in name or "\n" in name:
            return None
        part = self._distributions
        at = part.find(b"\n" + name.encode("utf-8", "surrogatepass") + b"\t")
        return None if at < 0 else part.count(b"\n", 0, at)

    def is_like(self, other):
        """Tell whether it leads to the same folders as the table *other*."""
        return (self.stores, self.edits, self._distributions) == (other.stores, other.edits, other._distributions)

    @property
    def is_usual(self):
        """Tell whether every metadata folder has the name by which its distribution is looked for."""
        return self._distributions.startswith(b"\n")

    def root(self, index, replaced=(), apart=False):
        """Return the folder that holds the distribution with this *index*, as a site-packages folder holds it.

        A folder that it shares with one of the *replaced* distributions has that one's files as well. So then it is the
        folder of its own entry, unless the two have no name in common: they share it for what their libraries find in
        there of each other. *apart* is for who looks at all of a folder.
        """
        root = self.row(index)[2]
        store = self.stores[self.layers[index] if self.layers else 0]
        if replaced:
            from .installed import apart_from

            store, root = apart_from(self, index, replaced, apart) or (store, root)
        if root in self.edits:
            return os.path.join(os.path.dirname(self.folder), self.edits[root].replace("/", os.sep))
        return store + os.sep + root.replace("/", os.sep)


def lines_of(part):
    """Return the lines of the part that has the distributions. Raises ValueError where it is damaged."""
    lines = part.split(b"\n")
    if lines[0].strip(b"0123456789 "):
        raise ValueError("it is damaged: the distributions begin with something else")
    return lines


def columns_of(line):
    """Return what a line says of a distribution. Raises ValueError where it is damaged."""
    row = tuple(line.decode("utf-8", "surrogatepass").split("\t"))
    if len(row) != COLUMNS:
        raise ValueError("it is damaged: a distribution without its {} columns".format(COLUMNS))
    return row


class Site:
    """One environment: its site-packages folder, and what is locked for it."""

    def __init__(self, finder, table):
        self.path = finder.path
        self.folder = finder.folder
        self.finder = finder
        self.folders = {}  # what merging.py claims besides: path -> the folders that it answers for
        self.indexes = {}  # what indexed.py keeps, by the folder that stands for site-packages
        self.unknown = []  # modules of tools that tools.py does not know in this shape
        self._claims = {self.path: True}
        self._identity = None
        self._replaced = None
        self.bare = False  # whether replaced() saw no metadata in the folder
        self.look_again = False  # whether replaced() is to list the folder even if its clock has not moved
        self.table = table

    def claimed(self, path):
        """Return the finder for a *path* that the hook is asked about, where it is one of ours."""
        if path in self.folders:
            from .merging import claimed

            return claimed(self, path)
        if path != self.path and not self.owns(path):
            finder = self.in_store(path)
            if finder is None:
                raise ImportError("only folders of one environment are claimed", path=path)
            return finder
        hooks = self.other_hooks()
        return SiteFinder(self, path, ask_hooks(hooks, path), hooks)

    def in_store(self, path, hooks=None):
        """Return the finder of a folder of the store that has an index; None for others, or with unusual *hooks*."""
        if not isinstance(path, str) or not path.startswith(self.table.inside):
            return None
        return part("indexed").finder_of(self, path, hooks)

    def owns(self, path):
        """Tell whether *path*, however it is spelled, is the environment's site-packages folder."""
        known = self._claims.get(path)
        if known is None:
            if not isinstance(path, str) or path.startswith(self.table.inside):
                return False
            if self.finder.is_of_library(path):
                return False
            try:
                found = os.stat(path or os.curdir)
                identity = self._identity  # another thread may forget it meanwhile
                if identity is None:
                    identity = self._identity = os.stat(self.path)
            except (OSError, ValueError):
                return False  # for now: it may come to be a link to the folder
            known = os.path.samestat(found, identity)
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
        return SiteFinder(self, entry, stranger, self.other_hooks())

    def other_hooks(self):
        """Return the path hooks that are not ours: what a folder would be asked by in a plain environment."""
        return [hook for hook in sys.path_hooks if getattr(hook, "__self__", None) is not self.finder]

    def replaced(self, table):
        """Return the indexes of the locked distributions that count as not there, for they are really installed too.

        In a plain environment installing a distribution takes the older one of the same name away.
        """
        try:
            time = os.stat(self.path).st_mtime_ns
        except OSError:
            return ()
        known = self._replaced
        if known is None or known[0] is not table or known[1] != time or self.look_again:
            self.look_again = False
            kinds = (".dist-info", ".egg-info", ".egg-link")
            children = os.listdir(self.path)
            self.bare = not [child for child in children if child[-5:].lower() == "-info"]
            infos = [child for child in children if child.endswith(kinds)]
            if infos:
                from .installed import installed

                infos = installed(table, self.path, infos)
            if known is not None and known[0] is table and known[2] == infos:
                infos = known[2]  # who keeps something for it need not make that anew
            self._replaced = known = (table, time, infos)
        return known[2]

    def refresh(self):
        """Take up what changed on disk since: real distributions, links to the folder, and a new table."""
        from .freshness import renewed

        self._identity = self._replaced = None
        self._claims, self.indexes = {self.path: True}, {}
        self.table = renewed(self.table)

    def follows(self):
        """Take up the table that stands there now, since what the present one leads to is gone; tell if it is another.

        A private copy was returned, most often: the environment has another place for it.
        """
        before = self.table
        self.refresh()
        return not self.table.is_like(before)


class SiteFinder(Dormant):
    """The path entry finder of the site-packages folder: what is really there and what is locked, as one folder."""

    def __init__(self, site, path, real, hooks):
        self.finder = site.finder
        self.site = site
        self.path = path
        self.real = real
        # The finder of a plain site-packages folder keeps the loaders of the moment when it was made, whatever path
        # hooks come after; it stands for all that is in the folder.
        self._hooks = hooks
        self._finders = {}

    def __repr__(self):
        return "{}({!r})".format(type(self).__name__, self.path)

    def find_spec(self, fullname, target=None):  # type: ignore[override]  # it is no meta path finder any more
        """Find a module in the folder (the contract of ``importlib.abc.PathEntryFinder``)."""
        site = self.site
        spec = None if self.real is None else self.real.find_spec(fullname, target)
        table = site.table
        owners = table.names.get(fullname.rpartition(".")[2])
        if owners is None:
            return spec
        if site.finder not in sys.meta_path:
            site.finder.stand()
        specs = [] if spec is None else [spec]
        mixed = spec is not None
        missing = []
        for folder, index in self._folders(table, (owners,) if type(owners) is int else owners).items():
            found = self.finder_of(folder)
            spec = None if found is None else found.find_spec(fullname, target)
            if spec is not None:
                specs.append(spec)
            elif not os.path.isdir(folder):
                missing.append(index)
        if missing and not any(spec.loader for spec in specs):
            if site.follows():
                return self.find_spec(fullname, target)
            from .messages import not_in_store

            raise not_in_store(table, fullname, missing[0])
        if len(specs) > 1 or site.folders:
            from .merging import merged

            return merged(site, specs, mixed)
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


class LockedFinder(Dormant):
    """The object on ``sys.meta_path`` before ``PathFinder``."""

    def claim(self):
        """Have the path entry finder in its place, in every spelling of the folder on ``sys.path``."""
        self.site.claim()

    def find_spec(self, fullname, path=None, target=None):
        """See to it that the next finder on ``sys.meta_path`` finds what is locked; find only modules of tools."""
        if path is None and fullname in self.site.table.names:
            self.site.claim()
        if fullname in TOOLS:
            from .tools import watched

            return watched(self, fullname, path, target)
        return None

    def invalidate_caches(self):
        """Forget what was read from disk, where no path entry finder is in its place to be told so."""
        finders = list(sys.path_importer_cache.values())
        if not any(type(finder) is SiteFinder and finder.site is self.site for finder in finders):
            self.site.refresh()

    def find_distributions(self, context=None):
        """See to it that the next finder finds the metadata of what is locked; find nothing."""
        from .metadata import adapt_finders

        adapt_finders(self.site)
        return iter(())  # up to 3.9 it has to be an iterator

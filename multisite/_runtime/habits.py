"""How tools judge a file by its folder, and what each such way needs for the answer of a plain environment.

Each habit is a function of the places, of what has the name in question (a module or a class), and of the name. It
returns whether it found what it expects; anything else it leaves alone.
"""

import functools
import os
import sys
from types import FunctionType


class Places:
    """Where locked distributions are, and where they would be in a plain environment."""

    def __init__(self, site):
        self.site = site

    @functools.cached_property
    def roots(self):
        """The stores, as they are spelled and as they really are, and the folder of the start-up code."""
        stores = self.site.table.stores
        return tuple(dict.fromkeys([*stores, *map(os.path.realpath, stores), self.site.folder]))

    def root(self, path):
        """Return the folder of the store that holds *path* as site-packages would, None for a path elsewhere."""
        part = os.sep + "site-packages" + os.sep
        for root in self.roots:
            if path.startswith(root + os.sep) and part in path:
                return path[: path.index(part) + len(part) - 1]
        return None

    def folders(self, name):
        """Return the folders of the store in which the top-level module *name* is looked for."""
        table = self.site.table
        owners = table.names.get(name, ())
        replaced = self.site.replaced(table)
        owners = (owners,) if isinstance(owners, int) else owners
        return tuple([table.root(index, replaced) for index in owners if index not in replaced])

    def told(self, path):
        """Return where the file *path* would be in a plain environment; whatever is no path of ours as it is."""
        text = str(path) if isinstance(path, os.PathLike) else path
        if not isinstance(text, str):
            return path
        root = self.root(text + os.sep)
        if root is not None:
            text = self.site.path + text[len(root) :]
        elif text.startswith(self.site.folder + os.sep):
            text = os.path.join(self.site.path, "_multisite", os.path.basename(text))
        else:
            return path
        return text if isinstance(path, str) else type(path)(text)


def wrap(owner, name, wrapper):
    """Put ``wrapper(function)`` in the place of a plain function; tell whether it is one."""
    found = vars(owner)[name]
    kind = type(found) if isinstance(found, (staticmethod, classmethod)) else None
    function = found.__func__ if kind else found
    if not isinstance(function, FunctionType):
        return False
    wrapped = functools.wraps(function)(wrapper(function))
    setattr(owner, name, kind(wrapped) if kind else wrapped)
    return True


def by_file(places, owner, name):
    """This release knows what is installed file by file, from the metadata: nothing is to be done."""
    return True


def absent(places, owner, name):
    """Without the name, this release does not judge files by their folders, or does so in another module."""
    return not hasattr(owner, name)


def asked(places, owner, name, position):
    """A function is asked about a path, its argument at *position*: it is told the plain one."""

    def wrapper(function):
        def ask(*args, **kwargs):
            if len(args) > position:
                args = (*args[:position], places.told(args[position]), *args[position + 1 :])
            return function(*args, **kwargs)

        return ask

    return wrap(owner, name, wrapper)


def fills(places, owner, name):
    """A function adds the folders of third-party code to the set that is its argument."""

    def wrapper(function):
        def fill(*args, **kwargs):
            result = function(*args, **kwargs)
            if args and isinstance(args[0], set):
                args[0].update(places.roots)
            return result

        return fill

    return wrap(owner, name, wrapper)


def returns(places, owner, name):
    """A function returns a list of the folders of third-party code."""

    def wrapper(function):
        def answer(*args, **kwargs):
            result = function(*args, **kwargs)
            return [*result, *places.roots] if isinstance(result, list) else result

        return answer

    return wrap(owner, name, wrapper)


def returns_folders(places, owner, name):
    """A function returns a list of the folders, as paths, that distributions are installed in."""
    from .listing import folders

    def wrapper(function):
        def answer(*args, **kwargs):
            result = function(*args, **kwargs)
            if not isinstance(result, list) or not result:
                return result
            return [*result, *map(type(result[0]), folders(places.site))]

        return answer

    return wrap(owner, name, wrapper)


def holds(places, owner, name, kind=None):
    """A value is the folders of third-party code: texts, or what the module calls *kind*."""
    value = getattr(owner, name)
    make = str if kind is None else getattr(owner, kind, None)
    if make is None or not isinstance(value, (tuple, list, set)):
        return False
    setattr(owner, name, type(value)([*value, *map(make, (*places.roots, places.site.path))]))
    return True


def uses_sysconfig(places, owner, name):
    """A module asks ``sysconfig`` by itself: for the folders of third-party code."""
    sysconfig = getattr(owner, name)
    if not hasattr(sysconfig, "get_paths"):
        return False

    class Sysconfig(type(sysconfig)):
        def __getattr__(self, name):
            return getattr(sysconfig, name)

        def get_paths(self, *args, **kwargs):
            return {**sysconfig.get_paths(*args, **kwargs), **{root: root for root in places.roots}}

    setattr(owner, name, Sysconfig(sysconfig.__name__))
    return True


def installed_in(places, owner, name):
    """A function returns where a package is installed: the prefix, and the folder that it is imported from."""

    def wrapper(function):
        def find(*args, **kwargs):
            result = function(*args, **kwargs)
            if isinstance(result, tuple) and len(result) == 2:
                folder = places.told(result[1])
                if folder != result[1]:
                    return os.path.abspath(sys.prefix), folder
            return result

        return find

    return wrap(owner, name, wrapper)


def named_by_path(places, owner, name):
    """A function names the module in a file, its first argument, by the folders in its second, or ``sys.path``."""

    def wrapper(function):
        def find(filename, path=None, *args, **kwargs):
            root = places.root(filename) if isinstance(filename, str) else None
            return function(filename, path if root is None else [root, *(path or ())], *args, **kwargs)

        return find

    return wrap(owner, name, wrapper)


def lists_path(places, owner, name):
    """A method looks for a top-level name in the folders of ``sys.path``, unless its last argument is other folders.

    The argument before that is what is found already of a dotted name.
    """
    found = vars(owner)[name]
    kind = type(found) if isinstance(found, (staticmethod, classmethod)) else None
    function = found.__func__ if kind else found

    @functools.wraps(function)
    def find(*args, **kwargs):
        spec = function(*args, **kwargs)
        if spec is None and len(args) > 2 and args[-1] is None and not args[-2]:
            folders = places.folders(next((arg for arg in args if isinstance(arg, str)), None))
            return function(*args[:-1], folders, **kwargs) if folders else None
        return spec

    if not callable(function):
        return False
    setattr(owner, name, kind(find) if kind else find)
    return True


def topmost(places, owner, name, by):
    """A function returns the topmost part of a path that is a package, as another, *by*, tells for one folder."""

    def wrapper(function):
        def find(path, *args, **kwargs):
            root = places.root(str(path)) if isinstance(path, os.PathLike) else None
            tell = getattr(owner, by, None)
            if root is None or tell is None:
                return function(path, *args, **kwargs)
            return tell(path.relative_to(root), type(path)(root))

        return find

    return wrap(owner, name, wrapper)


def lists_modules(places, owner, name):
    """A function returns the files of all modules, to be watched for changes: our own are no part of the program."""
    own = os.path.dirname(__file__) + os.sep

    def wrapper(function):
        def files(*args, **kwargs):
            result = function(*args, **kwargs)
            found = [file for file in result if not str(file).startswith(own)]
            return type(result)(found) if isinstance(result, (list, set, frozenset)) else iter(found)

        return files

    return wrap(owner, name, wrapper)


def watches(places, owner, name):
    """A function returns the files to be watched for changes, as texts or paths.

    What an upgrade changes in a plain environment is the modules' files; here it is the table.
    """
    if not lists_modules(places, owner, name):
        return False
    table = os.path.join(places.site.folder, "table")

    def wrapper(function):
        def files(*args, **kwargs):
            result = function(*args, **kwargs)
            if not isinstance(result, (list, set, frozenset)) or not result:
                return result
            return type(result)([*result, type(next(iter(result)))(table)])

        return files

    return wrap(owner, name, wrapper)


def keeps_extra_files(places, owner, name):
    """A class is made with extra files to be watched for changes, and keeps them as a set."""
    table = os.path.join(places.site.folder, "table")

    def wrapper(function):
        def initialise(self, *args, **kwargs):
            function(self, *args, **kwargs)
            if isinstance(getattr(self, "extra_files", None), set):
                self.extra_files.add(table)

        return initialise

    return wrap(owner, name, wrapper)


def takes_extra_file(places, owner, name):
    """A function is called with each extra file that is to be watched for changes."""
    getattr(owner, name)(os.path.join(places.site.folder, "table"))
    return True


def executes(places, owner, name):
    """A method of a loader executes modules that no finder after it is asked for."""
    from .tools import loaded

    def wrapper(function):
        def exec_module(self, module, *args, **kwargs):
            function(self, module, *args, **kwargs)
            loaded(places.site, module)

        return exec_module

    return wrap(owner, name, wrapper)


def declines(places, owner, name):
    """A function tells whether the folders on ``sys.path`` may be read instead of asking a finder: they may not."""
    return wrap(owner, name, lambda function: lambda *args, **kwargs: False)


def lists_local(places, owner, name):
    """A method yields what is installed; told to leave out what is not below ``sys.prefix``, also what is locked."""

    def wrapper(function):
        def distributions(self, *args, **kwargs):
            if args or not kwargs.get("local_only", True):
                yield from function(self, *args, **kwargs)
                return
            for one in function(self, **{**kwargs, "local_only": False}):
                if one.local or (isinstance(one.location, str) and places.root(one.location + os.sep)):
                    yield one

        return distributions

    return wrap(owner, name, wrapper)


def may_remove(places, owner, name):
    """A property tells of what lies below ``sys.prefix`` that it may be removed: a private copy is somebody's work."""
    found = vars(owner)[name]
    if not isinstance(found, property):
        return False

    def answer(self):
        location = self.location
        return found.fget(self) and not (isinstance(location, str) and places.root(location + os.sep))

    setattr(owner, name, property(answer, doc=found.__doc__))
    return True


def finds_metadata(places, owner, name):
    """A module has the classes of ``importlib.metadata``."""
    from .metadata import adapt

    return adapt(places.site, owner)

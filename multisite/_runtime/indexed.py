"""Modules in folders of the store: found by an index of what the folders list, loaded without a look at their source.

The files that an entry's RECORD lists never change, so nobody has to ask the disk for them: a module that the index
names is found without a system call, and bytecode that is not to be checked (PEP 552) is read with one. Whatever the
index does not know is looked for on the disk, as in any folder. The index is described in docs/formats.md,
"Module index".

Finder and loader are the standard ones but for these questions to the disk: who looks at them sees a ``FileFinder``
and a ``SourceFileLoader``.
"""

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import (
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
    SourceLoader,
)
from _io import FileIO

HEADER = "multisite modules 1 "
NAME = "modules.txt"
# Files with other suffixes are not in the index. Where somebody has added one to the interpreter's, it is not used.
SUFFIXES = (".py", ".pyw", ".pyc", ".so", ".pyd")
_LOADERS = (ExtensionFileLoader, SourceFileLoader, SourcelessFileLoader)
_GET_CODE = SourceLoader.get_code.__code__
_UNSEEN = {"mtime": 0, "size": 0}
_UNCHECKED = b"\1\0\0\0"


def finder_of(site, path, hooks):
    """Return a finder for *path*, a folder of the store as its index has it; None where *hooks* are to be asked.

    So it is where the index has no such folder, and where *hooks* are not those of an interpreter; without *hooks* it
    is those after ours, which a plain environment would ask now.
    """
    root, folder = _parted(site.table, path)
    folders = root and _folders(site, root)
    if not folders or folder not in folders:
        return None
    if hooks is None:
        hooks = sys.path_hooks
        hooks = hooks[
            next((at for at, hook in enumerate(hooks) if getattr(hook, "__self__", None) is site.finder), -1) + 1 :
        ]
    details = _details(hooks)
    return None if details is None else IndexedFinder(path, folders, folder, details)


def _parted(table, path):
    """Return the folder that stands for site-packages in the store, and the rest of *path* with slashes."""
    for inside in table.inside:
        if path.startswith(inside):
            parts = path[len(inside) :].split(os.sep)
            depth = {"multi-site-packages": 5, "shared": 3}.get(parts[0], 0)
            if depth and len(parts) >= depth:
                return inside + os.sep.join(parts[:depth]), "/".join(parts[depth:])
    return None, None


def _folders(site, root):
    """Return what the folders below *root* list: path -> names of modules' files. None where no index can be used."""
    try:
        return site.indexes[root]
    except KeyError:
        pass
    folders = None
    try:
        with FileIO(root.rpartition(os.sep)[0] + os.sep + NAME) as stream:
            # Without a codec of its own: opened as text it would have a module loaded.
            header, *lines = stream.read().decode("ascii").split("\n")
        if header == HEADER + str(len(lines) - 1) and not lines.pop():
            folders = dict([line.split("\t") for line in lines])
    except (OSError, ValueError):
        pass  # the store is older, or newer, or damaged: then this costs what a plain environment costs
    site.indexes[root] = folders
    return folders


def _details(hooks):
    """Return the loaders, with suffixes, that *hooks* make finders of; None where they are not the standard ones."""
    archives = getattr(sys.modules.get("zipimport"), "zipimporter", None)
    if len(hooks) < 2 or hooks[0] is not archives or sys.flags.verbose:
        return None
    names = getattr(getattr(hooks[1], "__code__", None), "co_freevars", ())
    if names != ("cls", "loader_details"):
        return None
    kind, details = [cell.cell_contents for cell in hooks[1].__closure__]
    # Looked at each time: there are those who add a suffix to the interpreter's list.
    known = all(suffix.endswith(SUFFIXES) for _, suffixes in details for suffix in suffixes)
    if kind is not FileFinder or tuple([loader for loader, _ in details]) != _LOADERS or not known:
        return None
    return [(UncheckedLoader if loader is SourceFileLoader else loader, suffixes) for loader, suffixes in details]


class IndexedFinder(FileFinder):
    """The finder of one folder of the store."""

    def __init__(self, path, folders, folder, details):
        FileFinder.__init__(self, path, *details)
        self._folders = folders
        self._folder = folder + "/" if folder else ""
        self._names = frozenset(folders[folder].split("/"))

    def find_spec(self, fullname, target=None):
        """Find a module by the index, and what that does not know on the disk."""
        folders = self._folders  # another thread may forget them meanwhile
        if folders is not None:
            tail = fullname.rpartition(".")[2]
            path = self.path + os.sep + tail
            inner = folders.get(self._folder + tail) if tail else None
            if inner is not None:
                inner = inner.split("/")
                for suffix, loader in self._loaders:
                    if "__init__" + suffix in inner:
                        return self._get_spec(loader, fullname, path + os.sep + "__init__" + suffix, [path], target)
            for suffix, loader in self._loaders:
                if tail + suffix in self._names:
                    return self._get_spec(loader, fullname, path + suffix, None, target)
            if inner is not None:
                spec = ModuleSpec(fullname, None)
                spec.submodule_search_locations = [path]
                return spec
        return FileFinder.find_spec(self, fullname, target)

    def invalidate_caches(self):
        """Forget what was read from disk: from now on the folder is asked, whatever became of it."""
        self._folders = None
        FileFinder.invalidate_caches(self)


class UncheckedLoader(SourceFileLoader):
    """The loader of a source file in the store.

    What ``SourceLoader.get_code`` asks of a loader is answered so that it does not see the source where there is
    bytecode: all the deciding, and its frames in tracebacks, are its own. Whoever else asks gets the ordinary answers.
    """

    def path_stats(self, path):
        """Return time and size of the source; who needs them for bytecode is told nothing that a look would cost."""
        return _UNSEEN if sys._getframe(1).f_code is _GET_CODE else SourceFileLoader.path_stats(self, path)

    def get_data(self, path):
        """Read a file; bytecode that has time and size of its source is compared with the source here."""
        if sys._getframe(1).f_code is not _GET_CODE:
            return SourceFileLoader.get_data(self, path)
        if path == self.path:
            from .caching import source

            return source(self)
        data = SourceFileLoader.get_data(self, path)
        if data[4:8] != _UNCHECKED:
            from .caching import checked

            return checked(self, path, data)
        return data

    def _cache_bytecode(self, source_path, bytecode_path, data):
        from .caching import keep

        keep(self, source_path, bytecode_path, data, sys._getframe(1).f_locals.get("source_bytes"))

    def __reduce_ex__(self, protocol):
        """Have copies be made of a standard loader: what they are copied for may know nothing of this one."""
        plain = SourceFileLoader(self.name, self.path)
        vars(plain).update(vars(self))
        return plain.__reduce_ex__(protocol)

    @property
    def __class__(self):
        """The class as those see it who compare it, ``FileLoader.__eq__`` among them."""
        return SourceFileLoader


# Whoever shows or compares the names of these classes gets what there is in a plain environment.
for _kind, _base in (IndexedFinder, FileFinder), (UncheckedLoader, SourceFileLoader):
    _kind.__name__, _kind.__qualname__, _kind.__module__ = _base.__name__, _base.__qualname__, _base.__module__

"""Bytecode in the store that has to be compared or made: what ``indexed.py`` does where no bytecode is to be believed.

It is written so that nobody has to look at the source again (PEP 552, unchecked), in one step, and only by the account
whose folder it is: nobody runs bytecode of an account that the store is not of, and root leaves nothing in a folder of
somebody else's. Where bytecode is not to lie in the store it is ordinary bytecode.
"""

import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from _imp import source_hash

_FLAGS = {"timestamp": b"\0\0\0\0", "unchecked": b"\1\0\0\0"}
_RAW_MAGIC = int.from_bytes(MAGIC_NUMBER, "little")
_FILE, _FOLDER = 0o644, 0o755


def source(loader):
    """Return the source; a file that the index has and the folder has not is a module that cannot be found."""
    try:
        return SourceFileLoader.get_data(loader, loader.path)
    except FileNotFoundError:
        message = "No module named {!r}".format(loader.name)
        raise ModuleNotFoundError(message, name=loader.name) from None


def checked(loader, path, data):
    """Return the bytecode *data* so that it counts where the source has no time and no size.

    Bytecode with the time and size of the source is made bytecode that is not to be checked.
    """
    if data[:8] != MAGIC_NUMBER + _FLAGS["timestamp"] or len(data) < 16:
        return data
    facts = SourceFileLoader.path_stats(loader, loader.path)
    if data[8:16] != _facts(facts):
        return data[:8] + b"\xff" * 8
    if not sys.dont_write_bytecode and _is_ours(loader.path, path):
        _write(path, _header(SourceFileLoader.get_data(loader, loader.path)) + data[16:])
    return data[:8] + bytes(8) + data[16:]


def keep(loader, source_path, path, data, text):
    """Write bytecode that was just compiled of the source *text*; *data* is what the standard loader would write."""
    if _is_usual(path) and sys.pycache_prefix is None:
        if text is not None and _is_ours(source_path, path):
            _write(path, _header(text) + data[16:])
        return
    if data[4:8] == _FLAGS["timestamp"]:
        data = bytes(data[:8]) + _facts(SourceFileLoader.path_stats(loader, source_path)) + data[16:]
    SourceFileLoader._cache_bytecode(loader, source_path, path, data)


def _facts(facts):
    return b"".join([(int(facts[name]) & 0xFFFFFFFF).to_bytes(4, "little") for name in ("mtime", "size")])


def _header(text):
    return MAGIC_NUMBER + _FLAGS["unchecked"] + source_hash(_RAW_MAGIC, text)


def _is_usual(path):
    """Tell whether *path* is where the interpreter keeps bytecode: import hooks of others have names of their own."""
    tag = sys.implementation.cache_tag
    return path.endswith(("." + tag + ".pyc", "." + tag + ".opt-1.pyc", "." + tag + ".opt-2.pyc"))


def _is_ours(source_path, path):
    if os.name == "nt":
        return _is_usual(path) and sys.pycache_prefix is None
    try:
        owner = os.stat(os.path.dirname(source_path)).st_uid
    except OSError:
        return False
    return owner == os.geteuid() and _is_usual(path) and sys.pycache_prefix is None


def _write(path, data):
    """Write a file that is whole or not at all; where that cannot be there is none."""
    made = "{}.{}.{}".format(path, os.getpid(), id(data))
    try:
        if not os.path.isdir(os.path.dirname(path)):
            os.mkdir(os.path.dirname(path), _FOLDER)
    except FileExistsError:
        pass  # another process is as far
    except OSError:
        return
    try:
        descriptor = os.open(made, os.O_EXCL | os.O_CREAT | os.O_WRONLY | getattr(os, "O_BINARY", 0), _FILE)
    except OSError:
        return
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
        os.replace(made, path)
    except OSError:
        try:
            os.unlink(made)
        except OSError:
            pass

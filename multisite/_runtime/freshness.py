"""Which table is in force when the lockfile is not the one that the environment's table was made from."""

import os
import stat
import sys

from . import read_table
from .finding import Table
from .messages import say


def renewed(table):
    """Return the table that stands where *table* was read; *table* itself where that one cannot be used."""
    try:
        return Table(table.folder)
    except (OSError, ValueError) as error:
        say("the environment's new table cannot be used, the old one stays in force", table.folder, error)
        return table


def stores_of(stores):
    """Return the folders of the *stores* of a binding: MULTISITE_STORE may say that they are elsewhere."""
    moved = os.environ.get("MULTISITE_STORE")
    if not moved or sys.flags.ignore_environment:
        return stores
    # A list like PATH. A store that is named in it is where it was, another is what has its place there.
    named = [store and os.path.abspath(store) for store in moved.split(os.pathsep)]
    there = dict(enumerate(named))  # by place; what is missing or empty moves nothing
    return tuple([s if s in named else there.get(i) or s for i, s in enumerate(stores)])


def in_force(table, binding, own):
    """Return the parts and the layers of the table that is in force; *binding* and the parts *own* are the own one's.

    Another lockfile that the environment was synced with before (a switch between branches) takes effect at once,
    where a store still has its table.
    """
    as_it_was = own, binding["layers"]
    try:
        with open(os.path.join(os.path.dirname(table.folder), binding["lockfile"]), "rb") as stream:
            facts = os.fstat(stream.fileno())
            if facts.st_size == binding["size"] and facts.st_mtime_ns == binding["mtime_ns"]:
                return as_it_was
            import hashlib  # takes longer than a start without it

            found = hashlib.sha256(stream.read()).hexdigest()
    except OSError as error:
        say("the lockfile cannot be read, the environment stays as it was", table.folder, error)
        return as_it_was
    if found == binding["sha256"]:
        return as_it_was
    if found in binding["known"]:
        key, layers = binding["known"][found]
        for store in table.stores:
            try:
                doubt = _doubt(table, store, key, binding.get("trusted", ((), ())))
                if doubt is None:
                    parts = read_table(os.path.join(store, "tables", key))[1:]
                    if table.edits:
                        from .edits import warn

                        warn(table, own[2], parts[2])
                    return parts, layers
                say("a table is not used, for others may have changed it: " + doubt, table.folder)
            except (OSError, ValueError):
                continue
    say("the lockfile has changed since the environment was made from it", table.folder)
    return as_it_was


def _doubt(table, store, key, trusted):
    """Return the first of *store*, its folder of tables and the table that somebody else could have changed.

    One trusts oneself, root, whose environment it is, and the users and groups that were trusted when it was synced.
    """
    if os.name == "nt":
        return None
    users = {0, os.geteuid(), os.stat(table.folder).st_uid}.union(trusted[0])
    groups = {0}.union(trusted[1])
    folder = os.path.join(store, "tables")
    # The store's own folder may be reached by a link.
    looked_at = [(store, os.stat(store)), (folder, os.lstat(folder)), (key, os.lstat(os.path.join(folder, key)))]
    for path, facts in looked_at:
        mode = facts.st_mode
        by_group = mode & stat.S_IWGRP and facts.st_gid not in groups
        foreign = facts.st_uid not in users and facts.st_gid not in groups
        if mode & stat.S_IWOTH or by_group or foreign or stat.S_ISLNK(mode):
            return os.path.join(folder, path)
    return None

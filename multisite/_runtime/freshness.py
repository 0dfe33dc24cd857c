"""Which table is in force when the lockfile is not the one that the environment's table was made from."""

import os
import stat

from . import Table, TableError, read_table
from .messages import say


def renewed(table):
    """Return the table that stands where *table* was read; *table* itself where that one cannot be used."""
    try:
        return Table(table.folder)
    except (OSError, TableError) as error:
        say("the environment's new table cannot be used, the old one stays in force", table.folder, error)
        return table


def in_force(table, lockfile, binding, lookup, details):
    """Return lookup, details and layers of the table that is in force; *lookup* and *details* are of the own one.

    Another lockfile that the environment was synced with before (a switch between branches) takes effect at once,
    where a store still has its table.
    """
    import hashlib

    own = lookup, details, binding["layers"]
    try:
        with open(lockfile, "rb") as stream:
            found = hashlib.sha256(stream.read()).hexdigest()
    except OSError as error:
        say("the lockfile cannot be read, the environment stays as it was", table.folder, error)
        return own
    if found == binding["sha256"]:
        return own
    if found in binding["known"]:
        key, layers = binding["known"][found]
        for store in table.stores:
            try:
                doubt = _doubt(table, store, key, binding.get("trusted", ((), ())))
                if doubt is None:
                    lookup, found = read_table(os.path.join(store, "tables", key))[1:]
                    if table.edits:
                        from .edits import warn

                        warn(table, details, found)
                    return lookup, found, layers
                say("a table is not used, for others may have changed it: " + doubt, table.folder)
            except (OSError, TableError):
                continue
    say("the lockfile has changed since the environment was made from it", table.folder)
    return own


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

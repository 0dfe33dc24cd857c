"""Which table is in force when the lockfile is not the one that the environment's table was made from."""

import os

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
                lookup, details = read_table(os.path.join(store, "tables", key))[1:]
            except (OSError, TableError):
                continue
            if table.edits:
                from .edits import warn

                warn(table, own[1], details)
            return lookup, details, layers
    say("the lockfile has changed since the environment was made from it", table.folder)
    return own

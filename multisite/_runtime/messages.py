"""The sentences for a program whose environment is broken."""

import os
import sys

# Start-up files run twice in a virtual environment, and a warning is to be seen once.
_said = set()


def say(problem, folder, error=None):
    """Write one line about *problem* of the environment with the state *folder* to stderr, once for each process."""
    venv = os.path.dirname(folder)
    reason = "" if error is None else " ({})".format(error)
    line = "multisite: {}: {}{}; run: multisite sync --venv {}\n".format(venv, problem, reason, venv)
    if line not in _said and sys.stderr is not None:
        _said.add(line)
        sys.stderr.write(line)


def not_in_store(table, fullname, index):
    """Return the error for a module whose distribution, the one with *index*, is locked but not in the store."""
    name, version = table.distributions[index][:2]
    sentence = "No module named {!r}: {} {} is locked, but not in the store ({}); run: multisite sync --venv {}".format(
        fullname, name, version, table.root(index), os.path.dirname(table.folder)
    )
    return ModuleNotFoundError(sentence, name=fullname)


def damaged(table, error):
    """Return the error for a table whose details cannot be read; *error* says why."""
    venv = os.path.dirname(table.folder)
    return ImportError(
        "{}: the environment's table is damaged ({}); run: multisite sync --venv {}".format(venv, error, venv)
    )

"""The sentences for a program whose environment is broken."""

import os
import sys

# Start-up files run twice in a virtual environment, and a warning is to be seen once.
_said = set()
_DENIED = "run it as somebody who may read that"


def say(problem, folder, error=None):
    """Write one line about *problem* of the environment with the state *folder* to stderr, once for each process."""
    venv = os.path.dirname(folder)
    reason = "" if error is None else " ({})".format(error)
    line = "multisite: {}: {}{}; {}\n".format(venv, problem, reason, _advice(venv, error))
    if line not in _said and sys.stderr is not None:
        _said.add(line)
        sys.stderr.write(line)


def unusable(folder, error):
    """Say that the table of the state *folder* cannot be used."""
    say("the environment's table cannot be used, nothing locked can be imported", folder, error)


def denial(folder):
    """Return the error of who may not look into a folder, None where that is not what is wrong with it."""
    try:
        os.listdir(folder)
    except PermissionError as error:
        return error
    except OSError:
        pass
    return None


def missing_store(table, at):
    """Say that the store in this place is missing, unless nothing is locked there."""
    if at not in (table.layers or (0,)):
        return
    what = "what is locked there cannot" if table.layers else "nothing locked can"
    problem = "its store is missing or cannot be read, {} be imported: {}".format(what, table.stores[at])
    say(problem, table.folder, denial(os.path.join(table.stores[at], "multi-site-packages")))


def _advice(venv, error):
    # What one account may not read, no command of its own mends.
    return _DENIED if isinstance(error, PermissionError) else "run: multisite sync --venv " + venv


def not_in_store(table, fullname, index):
    """Return the error for a module whose distribution, the one with *index*, is locked but not in the store."""
    name, version = table.row(index)[:2]
    root = table.root(index)
    error = denial(root)
    sentence = "No module named {!r}: {} {} is locked, but {} ({}); {}".format(
        fullname,
        name,
        version,
        "not in the store" if error is None else "may not be read in the store",
        root,
        _advice(os.path.dirname(table.folder), error),
    )
    return ModuleNotFoundError(sentence, name=fullname)


def damaged(folder, error):
    """Return the error for a table, of the state *folder*, of which a part cannot be read; *error* says why."""
    venv = os.path.dirname(folder)
    return ImportError(
        "{}: the environment's table is damaged ({}); run: multisite sync --venv {}".format(venv, error, venv)
    )

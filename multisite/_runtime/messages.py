"""The sentences for a program whose environment is broken."""

import os


def not_in_store(table, fullname, index):
    """Return the error for a module whose distribution, the one with *index*, is locked but not in the store."""
    name, version = table.distributions[index][:2]
    sentence = "No module named {!r}: {} {} is locked, but not in the store ({}); run: multisite sync --venv {}".format(
        fullname, name, version, table.root(index), os.path.dirname(table.folder)
    )
    return ModuleNotFoundError(sentence, name=fullname)

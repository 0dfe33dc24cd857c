"""Private copies of locked distributions: what is in their folders now, for people change them."""

import os

from .finding import columns_of, lines_of
from .messages import say

_MODULES = (".py", ".pyc", ".so", ".pyd")


def applied(table):
    """Have *table* know what the private copies hold: their ``.pth`` files, and top-level names that were added."""
    table.inside += (os.path.join(table.folder, "edits") + os.sep,)
    owners = {}
    try:
        rows = table.distributions
    except ImportError:
        return  # the first import of something locked says so
    for index, row in enumerate(rows):
        if row[2] in table.edits:
            owners.setdefault(row[2], []).append(index)
    for indexes in owners.values():
        folder = table.root(indexes[0])
        try:
            entries = sorted(os.listdir(folder))
            texts = [(name, indexes[0], _text(os.path.join(folder, name))) for name in entries if name.endswith(".pth")]
        except OSError:
            continue  # the import of what was in it says so
        for name in _top_level(folder, entries):
            known = table.names.get(name, ())
            known = (known,) if type(known) is int else known
            if not any(index in indexes for index in known):
                table.names[name] = tuple(sorted(known + (indexes[0],))) if known else indexes[0]
        others = [row for row in table.start_up if row[1] not in indexes]
        table.start_up = tuple(sorted(others + texts))


def _top_level(folder, entries):
    """Yield what ``import`` could find in *folder*."""
    for name in entries:
        if os.path.isdir(os.path.join(folder, name)):
            if name != "__pycache__" and "." not in name:
                yield name
        elif name.endswith(_MODULES):
            yield name.partition(".")[0]


def _text(path):
    with open(path, encoding="utf-8-sig", errors="surrogateescape") as stream:
        return stream.read()


def warn(table, own, others):
    """Say which private copies are not in use with the distributions *others*, being of builds that only *own* has."""
    own, others = [[columns_of(line) for line in lines_of(part)[1:]] for part in (own, others)]
    roots = {row[2] for row in others}
    for row in own:
        if row[2] in table.edits and row[2] not in roots:
            say("the private copy of {} {} is not in use, another build is locked".format(*row[:2]), table.folder)

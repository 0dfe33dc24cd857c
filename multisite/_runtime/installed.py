"""Which locked distributions have metadata of the same name elsewhere: really installed, or in an earlier folder.

And where the others are then looked for that shared a folder with one of them.
"""

import os

# In metadata that only stand for a locked distribution, for those who look at site-packages from outside. It sorts
# before the others: it is written first and removed last, so that there is no moment in which they count.
STUB = ".multisite-stub"


def installed(table, folder, infos):
    """Return the indexes of the distributions that *infos*, names of metadata in *folder*, say to be installed there.

    Empty metadata are what a half removal left, and count for nothing; nor does a stub.
    """
    return named(table, [info for info in infos if is_whole(os.path.join(folder, info))])


def named(table, infos):
    """Return the indexes of the distributions that *infos*, names of metadata folders and files, are named after."""
    names = {project(info) for info in infos}
    return frozenset([index for index, row in enumerate(table.distributions) if row[0] in names])


def project(info):
    """Return the normalised name of the distribution that the metadata *info* are named after."""
    return normalized(_stem(info))


def _stem(info):
    """Return the name in front of the version; an ``.egg-link`` (of a develop installation) has no version."""
    stem, _, suffix = info.rpartition(".")
    return stem if suffix == "egg-link" else stem.partition("-")[0]


def is_whole(info):
    """Tell whether the metadata at *info*, a folder or a single file, are those of an installed distribution."""
    files = [os.path.join(info, name) for name in ("METADATA", "PKG-INFO")]
    if any(map(os.path.isfile, files)):
        return not is_stub(info)
    return os.path.isfile(info) and os.path.getsize(info) > 0


def is_stub(info):
    """Tell whether the metadata at *info* are ours: a locked distribution's, and nothing is installed with them."""
    return os.path.isfile(os.path.join(info, STUB))


def normalized(name):
    """Normalise a project name (PEP 503) without the ``re`` module."""
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join([part for part in parts if part])


def apart_from(table, index, replaced, apart):
    """Return store and root of a distribution's own entry where it must not be in a folder with *replaced* ones.

    None where it may be; *apart* is that of ``Table.root``.
    """
    row = table.row(index)
    sharing = [other for other in replaced if table.row(other)[2] == row[2]]
    if not sharing or not (apart or any(_meet(table, index, other) for other in sharing)):
        return None
    root = "/".join(("multi-site-packages", row[0], row[1], row[4], "site-packages"))
    # The entry may lie in another store than the folder that was made of several.
    having = [store for store in table.stores if os.path.isdir(os.path.join(store, root))]
    return (having or table.stores)[0], root


def _meet(table, index, other):
    """Tell whether two distributions have a top-level name in common."""
    owners = [found for found in table.names.values() if isinstance(found, tuple)]
    return any(index in found and other in found for found in owners)

"""Which locked distributions have metadata of the same name elsewhere: really installed, or in an earlier folder."""

import os


def installed(table, folder, infos):
    """Return the indexes of the distributions that *infos*, names of metadata in *folder*, say to be installed there.

    Empty metadata are what a half removal left, and count for nothing.
    """
    return named(table, [info for info in infos if is_whole(os.path.join(folder, info))])


def named(table, infos):
    """Return the indexes of the distributions that *infos*, names of metadata folders and files, are named after."""
    names = {_normalized(_stem(info)) for info in infos}
    return frozenset([index for index, row in enumerate(table.distributions) if row[0] in names])


def _stem(info):
    """Return the name in front of the version; an ``.egg-link`` (of a develop installation) has no version."""
    stem, _, suffix = info.rpartition(".")
    return stem if suffix == "egg-link" else stem.partition("-")[0]


def is_whole(info):
    """Tell whether the metadata at *info*, a folder or a single file, are those of a distribution."""
    files = [os.path.join(info, name) for name in ("METADATA", "PKG-INFO")]
    return any(map(os.path.isfile, files)) or (os.path.isfile(info) and os.path.getsize(info) > 0)


def _normalized(name):
    """Normalise a project name (PEP 503) without the ``re`` module."""
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join([part for part in parts if part])

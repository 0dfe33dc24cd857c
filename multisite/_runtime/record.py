"""The facts of one installation: what an installer would have written beside the metadata that the wheel brought.

``INSTALLER``, ``REQUESTED``, ``direct_url.json`` (PEP 376, PEP 610) and the lines of RECORD for scripts and data files
belong to the environment and not to the store. ``environment.json`` has them (docs/formats.md).
"""

import os
import sys

INSTALLER = "multisite\n"
# Their hashes and sizes as RECORD has them (PEP 427): whoever replaced the path hooks may have lost hashlib.
_INSTALLER = "sha256=Vr5zJLB9b05ayZTKk2wxU15cBatC9CVYp9b9Pz0SsGA", "10"
_REQUESTED = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "0"


class Facts:
    """The facts of every distribution in one environment."""

    def __init__(self, site):
        self.site = site
        self.locked = None  # what metadata.py keeps of the folder
        self.listing = None  # what the standard library keeps of it
        self._known = None
        self._said = None
        self._beside = {}  # by the index: the files in the site-packages folder itself

    def index(self, path):
        """Return the index of the distribution whose metadata folder is *path*, None where it is none of ours."""
        table = self.site.table
        locked = self.locked
        if locked is not None and locked.table is table:
            index = locked.indexes.get(id(path))
            if index is not None:
                return index
        text = str(path)
        if not text.startswith(table.inside):
            return None
        if self._known is None or self._known[0] is not table:
            self._known = table, {row[3]: index for index, row in enumerate(table.distributions)}
        folder, _, name = text.rpartition(os.sep)
        index = self._known[1].get(name)
        if index is None:
            return None
        if folder == table.root(index) or folder == table.root(index, (index,), apart=True):
            return index
        return None

    def _state(self):
        """Return what environment.json says, kept while the table is the same."""
        table = self.site.table
        if self._said is None or self._said[0] is not table:
            self._said = table, self._read_state()
            self._beside = {}
        return self._said[1]

    def covers(self, filename):
        """Tell whether *filename* in a dist-info folder is one of those that belong to the environment."""
        return str(filename) in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")

    def read_text(self, index, filename, in_store):
        """Return the text of *filename* for the distribution with this *index*, None where there is no such file.

        *in_store* reads a file of the same name from the store.
        """
        if filename == "RECORD":
            return self._record(index, in_store("RECORD"))
        if filename == "INSTALLER":
            return INSTALLER
        path = self._path(index, filename)
        if path is None or not os.path.isfile(path):
            return None
        with open(path, encoding="utf-8") as stream:
            return stream.read()

    def located(self, index, path):
        """Return where the environment has the file *path* of RECORD; None where it is in the store."""
        import pathlib

        text = str(path).replace("\\", "/")
        parts = text.split("/")
        if parts[0] == os.pardir or text in self._in_site(index):
            return pathlib.Path(self.site.path, path)
        if len(parts) == 2 and parts[0] == self.site.table.row(index)[3] and parts[1] != "RECORD":
            own = self._path(index, parts[1])
            return None if own is None else pathlib.Path(own)
        return None

    def _in_site(self, index):
        """Return the paths in RECORD of what the distribution's data files brought into the site-packages folder."""
        self._state()
        beside = self._beside  # another thread may begin a new one meanwhile
        if index not in beside:
            import csv

            _, added, _ = self._of(self.site.table.row(index)[0])
            paths = [row[0] for row in csv.reader(added) if row and not row[0].startswith(os.pardir + "/")]
            beside[index] = frozenset([*paths, *_bytecode(paths)])
        return beside[index]

    def _path(self, index, filename):
        """Return the file of the environment that stands for *filename*, None where the store's own is meant."""
        folder = os.path.join(self.site.folder, "facts")
        if filename == "INSTALLER":
            return os.path.join(folder, "INSTALLER")
        name = self.site.table.row(index)[0]
        if filename == "REQUESTED":
            requested = self._of(name)[0].get("requested")
            return os.path.join(folder, "REQUESTED" if requested else "NOT-REQUESTED")
        if filename == "direct_url.json":
            return os.path.join(folder, name + ".direct_url.json")
        return None

    def _of(self, name):
        """Return what environment.json says of the distribution: its build, and its installation.

        That is the lines that RECORD gets, and the paths that it loses: one that ends with a slash is of a folder.
        """
        state = self._state()
        install = state.get("installs", {}).get(name, {})
        added = install.get("added", ())
        if isinstance(added, dict):
            added = [_line(folder, row) for folder in sorted(added) for row in added[folder]]
        return state.get("builds", {}).get(name, {}), added, tuple(install.get("removed", ()))

    def _read_state(self):
        """Read environment.json; a damaged one is doctor's to report, and counts as one without facts."""
        import json

        try:
            with open(os.path.join(self.site.folder, "environment.json"), encoding="utf-8") as stream:
                state = json.load(stream)
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) and state.get("format") in (1, 2) else {}

    def outline(self, index, text):
        """Return the rows of RECORD that tell which top-level names there are, without what repeats itself.

        That is every file at the top, and of each folder there one file that is source and one that is not.
        """
        if text is None:
            return None
        _, added, removed = self._of(self.site.table.row(index)[0])
        found = {}
        for line in [*text.splitlines(), *added]:
            path = line[1:].partition('"')[0] if line.startswith('"') else line.partition(",")[0]
            top, inner, _ = path.partition("/")
            if path and not (removed and _is_in(path, removed)):
                found.setdefault((top, path.endswith(".py")) if inner and top != "__pycache__" else path, line)
        tops = [path for path in found if isinstance(path, str)]
        return "\n".join([*found.values(), *[path + ",," for path in _bytecode(tops)]])

    def _record(self, index, text):
        """Return RECORD as an installer would have left it: the wheel's own, and what installing adds."""
        if text is None:
            return None
        import csv
        import io

        name, _, _, dist_info = self.site.table.row(index)[:4]
        build, added, removed = self._of(name)
        rows = [row for row in csv.reader(text.splitlines()) if row and not (removed and _is_in(row[0], removed))]
        rows.extend(csv.reader(added))
        rows.extend([path, "", ""] for path in _bytecode([row[0] for row in rows]))
        rows.append([dist_info + "/INSTALLER", *_INSTALLER])
        if build.get("requested"):
            rows.append([dist_info + "/REQUESTED", *_REQUESTED])
        direct_url = self.read_text(index, "direct_url.json", None)
        if direct_url is not None:
            rows.append([dist_info + "/direct_url.json", *_signed(direct_url.encode())])
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(sorted(rows))
        return out.getvalue()


def _line(folder, row):
    """Return a line of RECORD of what environment.json has under a folder; under none it has whole ones."""
    name, _, rest = row.partition(",")
    return "{}/{},sha256={}".format(folder, name, rest) if folder else row


def _is_in(path, removed):
    """Tell whether *path* is one of those that RECORD loses, or below one that is a folder."""
    return any(path == gone or (gone[-1:] == "/" and path.startswith(gone)) for gone in removed)


def _bytecode(paths):
    """Return the bytecode files that an installer would have compiled for the source files among *paths*."""
    tag = sys.implementation.cache_tag
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name.endswith(".py") and tag and not path.startswith(".."):
            yield "{}__pycache__/{}.{}.pyc".format(folder + "/" if folder else "", name[:-3], tag)


def _signed(content):
    """Return hash and size of *content* as RECORD has them (PEP 427)."""
    import base64
    import hashlib

    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return "sha256=" + digest, str(len(content))

"""What the table says of a locked distribution, so that nobody has to read its metadata.

``PathDistribution`` has properties that read METADATA or ``entry_points.txt``. For a distribution of the store they are
answered from the table, but for private copies, and for what the table leaves to the standard library
(docs/formats.md). A subclass that reads otherwise is asked as ever.
"""

from types import FunctionType


def teach(protocol, facts):
    """Teach the module *protocol* to ask the table first."""
    kind = protocol.PathDistribution

    def row_of(distribution):
        """Return index and row of what the table tells of; (None, None) for all others."""
        own = type(distribution)
        if own is not kind and (own.read_text is not kind.read_text or own.metadata is not kind.metadata):
            return None, None
        table = facts.site.table
        index = facts.index(distribution._path)
        if index is None or table.distributions[index][2] in table.edits:
            return None, None
        return index, table.distributions[index]

    def told(name, answer):
        before = getattr(kind, name, None)
        if not isinstance(before, property):
            return

        def get(self):
            index, row = row_of(self)
            value = None if row is None else answer(self, index, row)
            return before.fget(self) if value is None else value

        setattr(kind, name, property(get, doc=before.__doc__))

    def entry_points(self, index, row):
        found = facts.site.table.entry_points.get(index, ())
        return None if found is None else _entry_points(protocol, self, found)

    told("name", lambda self, index, row: row[5] or None)
    told("version", lambda self, index, row: row[6] or None)
    told("entry_points", entry_points)
    told("_normalized_name", lambda self, index, row: row[0].replace("-", "_") if has_usual_name(row) else None)
    _teach_packages(protocol, facts, row_of)


def has_usual_name(row):
    """Tell whether the metadata folder of a *row* of the table has the name by which the distribution is looked for."""
    return row[3].partition("-")[0].lower().replace("_", "-").replace(".", "-") == row[0]


def _entry_points(protocol, distribution, found):
    """Return the entry points in *found* as this version of the standard library does."""
    points = [protocol.EntryPoint(*point) for point in found]
    if not hasattr(protocol, "EntryPoints"):
        return points
    return protocol.EntryPoints([point._for(distribution) for point in points])


def _teach_packages(protocol, facts, row_of):
    """Have ``packages_distributions`` see of each RECORD only as much as makes a difference to it."""
    function = vars(protocol).get("packages_distributions")
    if not isinstance(function, FunctionType) or "distributions" not in function.__code__.co_names:
        return

    class Outline(protocol.PathDistribution):
        metadata = None

        def read_text(self, filename):
            if str(filename) == "RECORD":
                return facts.outline(self.index, super().read_text.__wrapped__(self, "RECORD"))
            return super().read_text(filename)

    def outlines():
        for distribution in protocol.distributions():
            index, row = row_of(distribution)
            if row is not None and row[5]:
                outline = object.__new__(Outline)
                vars(outline).update(_path=distribution._path, index=index, metadata={"Name": row[5]})
                distribution = outline
            yield distribution

    from .habits import wrap

    copied = FunctionType(function.__code__, dict(vars(protocol), distributions=outlines), function.__name__)
    wrap(protocol, "packages_distributions", lambda function: copied)

"""What the table says of a locked distribution, so that nobody has to read its metadata.

``PathDistribution`` has properties that read METADATA or ``entry_points.txt``. For a distribution of the store they are
answered from the table, but for private copies, and for what the table leaves to the standard library
(docs/formats.md). A subclass that reads otherwise, and a class that somebody has changed, is asked as ever.
"""

from types import FunctionType

# In a context of ``find_distributions``: a group of entry points, or an empty text for all groups. Who asks needs the
# distributions that have such, and no others.
LEAN = "_multisite_entry_points"
# What ``entry_points`` uses in releases that ask a distribution for no more than its name and its entry points.
_USED = (
    "EntryPoints SelectableGroups _unique attrgetter chain distributions entry_points from_iterable functools groupby "
    "itertools load operator partial select sorted tuple unique_everseen"
)


def teach(protocol, facts):
    """Teach the module *protocol* to ask the table first."""
    kind = protocol.PathDistribution
    read_text, metadata = kind.read_text, kind.metadata

    def row_of(distribution):
        """Return index and row of what the table tells of; (None, None) for all others."""
        own = type(distribution)
        if own.read_text is not read_text or own.metadata is not metadata:
            return None, None
        index = facts.index(distribution._path)
        if index is None:
            return None, None
        table = facts.site.table
        row = table.row(index)
        return (None, None) if row[2] in table.edits else (index, row)

    def told(name, answer):
        owner = next((base for base in kind.__mro__ if name in vars(base)), kind)
        before = vars(owner).get(name)
        if not isinstance(before, property):
            return

        def get(self):
            if owner is not kind and vars(owner).get(name) is not before:
                return getattr(super(kind, self), name)  # somebody has changed what this class only inherits
            index, row = row_of(self)
            value = None if row is None else answer(self, index, row)
            return before.fget(self) if value is None else value

        setattr(kind, name, property(get, doc=before.__doc__))

    points = _points(protocol)

    def entry_points(distribution, index, row):
        found = facts.site.table.entry_points.get(index, ())
        if found is None:
            return None
        made = points(distribution, found)
        return protocol.EntryPoints(made) if hasattr(protocol, "EntryPoints") else made

    told("name", lambda self, index, row: row[5] or None)
    told("version", lambda self, index, row: row[6] or None)
    told("entry_points", entry_points)
    told("_normalized_name", lambda self, index, row: row[0].replace("-", "_") if has_usual_name(row) else None)
    _teach_packages(protocol, facts, row_of)
    _teach_points(protocol, facts, row_of, points)


def has_usual_name(row):
    """Tell whether the metadata folder of a *row* of the table has the name by which the distribution is looked for."""
    return row[3].partition("-")[0].lower().replace("_", "-").replace(".", "-") == row[0]


def _points(protocol):
    """Return a function that makes the entry points of a distribution as this version of the standard library does.

    An ``EntryPoint`` that keeps its attributes by ``vars(self).update(...)``, twice, gets them at once.
    """
    usual, new = protocol.EntryPoint, object.__new__
    own = [vars(usual).get(name) for name in ("__init__", "_for")]

    def keeps(method, *attributes):
        code = getattr(method, "__code__", None)
        return code is not None and code.co_names == ("vars", "update") and code.co_varnames == ("self", *attributes)

    at_once = keeps(own[0], "name", "value", "group") and keeps(own[1], "dist")

    def points(distribution, found):
        kind = protocol.EntryPoint
        if not at_once or kind is not usual or own != [vars(kind).get(name) for name in ("__init__", "_for")]:
            made = [kind(*point) for point in found]
            return [point._for(distribution) for point in made] if hasattr(kind, "_for") else made
        made = []
        for name, value, group in found:
            point = new(kind)
            vars(point).update(name=name, value=value, group=group, dist=distribution)
            made.append(point)
        return made

    return points


def _teach_points(protocol, facts, row_of, points):
    """Have ``entry_points`` ask for the distributions that have some. It is the function as it was, with its answers.

    Whoever has put something else in the place of what it asks is asked as ever.
    """
    function, distributions = vars(protocol).get("entry_points"), vars(protocol).get("distributions")
    if not isinstance(function, FunctionType) or "distributions" not in function.__code__.co_names:
        return
    is_modest = _names(function.__code__).issubset(_USED.split())
    kind = protocol.PathDistribution
    asked = ("entry_points", "_normalized_name")

    def properties():
        return [vars(base).get(name) for base in kind.__mro__ for name in asked]

    own = properties()

    class Outline:
        __slots__ = asked

    def outlines(context):
        table = facts.site.table
        for distribution in distributions(context=context):
            index, row = row_of(distribution)
            found = None if row is None else table.entry_points.get(index, ())
            if found is not None and has_usual_name(row):
                outline = Outline()
                outline.entry_points = points(distribution, found)
                outline._normalized_name = row[0].replace("-", "_")
                distribution = outline
            yield distribution

    def wrapper(function):
        def entry_points(**params):
            if vars(protocol).get("distributions") is not distributions or properties() != own:
                return function(**params)
            group = params.get("group")
            context = protocol.DistributionFinder.Context(**{LEAN: group if isinstance(group, str) else ""})
            given = outlines if is_modest else distributions
            names = dict(vars(protocol), distributions=lambda: given(context=context))
            return FunctionType(function.__code__, names, function.__name__)(**params)

        return entry_points

    from .habits import wrap

    wrap(protocol, "entry_points", wrapper)


def _names(code):
    """Return the names that *code* uses, and what is compiled within it."""
    inner = [_names(value) for value in code.co_consts if isinstance(value, type(code))]
    return set(code.co_names).union(*inner)


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

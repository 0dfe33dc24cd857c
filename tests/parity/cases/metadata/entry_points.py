# /// parity
# rows = [22]
# says = "entry points: of all and by group, in order, with their distributions"
# expects = "many:first"
# [wheels]
# "many-1.0" = {"many.py" = "first = second = None", "@dist-info/entry_points.txt" = "[console_scripts]\nb = many:first\na = many:second\n[x.y]\nz = many\n"}
# "none-1.0" = {"none.py" = ""}
# "odd-1.0" = {"odd.py" = "", "@dist-info/entry_points.txt" = "[x.y]\nspaced = odd:thing [extra]\n# a comment\n[z]\nq = odd\n"}
# "late-1.0" = {"late.py" = "", "@dist-info/entry_points.txt" = "[x.y]\nz = late\n"}
# ///
import inspect
import pickle


def told(points):
    """Return the points: of several distributions in any order, which is that of a folder's names on the disk."""
    return sorted([point.group, point.name, point.value] for point in points)


def of(name):
    return [[point.group, point.name, point.value] for point in metadata.distribution(name).entry_points]


found = metadata.entry_points()
show(type(found).__name__, type(found).__module__)
everything = [point for points in dict.values(found) for point in points] if isinstance(found, dict) else list(found)
show(told(everything), sorted({type(point).__name__ for point in everything}))
for name in ("many", "none", "odd", "late"):
    show(name, of(name), type(metadata.distribution(name).entry_points).__name__)
show([point.name for point in everything if point.value.startswith("many:")])
show(sorted([point.name, point.dist.metadata["Name"], sorted(vars(point))] for point in everything
            if getattr(point, "dist", None) is not None))
again = pickle.loads(pickle.dumps(everything))
show(told(again), sorted(point.dist.version for point in again if getattr(point, "dist", None) is not None))
show(str(inspect.signature(metadata.entry_points)), metadata.entry_points.__doc__ is not None)
if "params" in inspect.signature(metadata.entry_points).parameters:
    for params in ({"group": "x.y"}, {"group": "x.y", "name": "z"}, {"name": "a"}, {"group": "none such"}, {"group": None},
                   {"value": "late"}, {"group": "console_scripts", "value": "many:first"}):
        points = metadata.entry_points(**params)
        show(sorted(params.items(), key=str), type(points).__name__, told(points))
attempt(metadata.entry_points, "positional")
try:
    metadata.entry_points(no_such="attribute")
except Exception as error:  # TypeError or AttributeError, by version
    show(type(error).__name__, str(error))

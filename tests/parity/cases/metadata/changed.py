# /// parity
# rows = [22]
# says = "what somebody has put in the place of functions and classes of importlib.metadata is what answers"
# expects = "changed"
# [wheels]
# "many-1.0" = {"many.py" = "", "@dist-info/entry_points.txt" = "[x.y]\nz = many\n"}
# "none-1.0" = {"none.py" = ""}
# ///
import sys
from unittest import mock


def told():
    found = metadata.entry_points()
    points = [point for points in dict.values(found) for point in points] if isinstance(found, dict) else list(found)
    return sorted([point.group, point.name, point.value] for point in points)


def answers():
    try:
        show(told())
    except Exception as error:  # what a change breaks in a plain environment is broken here as well
        show(type(error).__name__)
    try:
        show(metadata.version("many"))
    except Exception as error:
        show(type(error).__name__)


answers()
one = metadata.distribution("many")
with mock.patch.object(metadata, "distributions", lambda **params: iter([one, one])):
    answers()
with mock.patch.object(metadata, "distribution", lambda name: mock.Mock(version="changed")):
    answers()
with mock.patch.object(metadata.Distribution, "discover", classmethod(lambda cls, **params: iter([one]))):
    answers()
with mock.patch.object(metadata.Distribution, "entry_points", []):
    answers()
with mock.patch.object(metadata.Distribution, "version", "changed"):
    answers()
with mock.patch.object(metadata.Distribution, "metadata", {"Name": "many", "Version": "changed"}):
    answers()
with mock.patch.object(metadata.PathDistribution, "read_text", lambda self, name: "[changed]\na = b\nName: x\nVersion: 7\n"):
    answers()
with mock.patch.object(metadata.EntryPoint, "load", lambda self: "changed"):
    found = metadata.entry_points()
    points = [point for points in dict.values(found) for point in points] if isinstance(found, dict) else list(found)
    show(sorted({point.load() for point in points if point.group == "x.y"}))


class Other(metadata.DistributionFinder):
    """A finder that has another distribution of a name, and one of its own."""

    def find_spec(self, fullname, path=None, target=None):
        return None

    def find_distributions(self, context=metadata.DistributionFinder.Context()):
        for name in ("none", "own"):
            if context.name in (None, name):
                yield Found(name)


class Found(metadata.Distribution):
    def __init__(self, name):
        self.own = name

    def read_text(self, filename):
        if filename == "METADATA":
            return "Metadata-Version: 2.1\nName: {}\nVersion: 9\n".format(self.own)
        return "[x.y]\n{} = other\n".format(self.own) if filename == "entry_points.txt" else None

    def locate_file(self, path):
        return path


sys.meta_path.append(Other())
answers()
show(metadata.version("none"), metadata.version("own"))
sys.meta_path.insert(0, sys.meta_path.pop())
answers()
show(metadata.version("none"), metadata.version("own"))

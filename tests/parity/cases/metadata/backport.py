# /// parity
# rows = [23]
# says = "the importlib_metadata backport, which disables the standard finder and wants its own classes"
# requirements = ["importlib_metadata", "regular==1.0", "single==1.0"]
# installed = ["tool==1.0"]
# cost = "index"
# expects = '"1.0", ["regular"]'
# ///
import importlib_metadata

for module in (importlib_metadata, metadata):
    show(module.version("regular"), module.version("tool"), module.version("single"), module.requires("single"))
    show(sorted([found.metadata["Name"], found.version] for found in module.distributions()))
    found = module.distribution("regular")
    show(isinstance(found, importlib_metadata.PathDistribution), sorted(str(file) for file in module.files("regular") if file.suffix != ".pyc" and "dist-info" not in str(file)))
    points = module.entry_points()
    points = points.select(group="group") if hasattr(points, "select") else points["group"]
    show([[point.name, point.value] for point in points])
show(isinstance(next(iter(importlib_metadata.distributions())), importlib_metadata.Distribution))

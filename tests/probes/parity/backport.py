import importlib_metadata

for module in (importlib_metadata, metadata):
    show(module.version("one"), module.version("real"), module.requires("one"))
    show(sorted([found.metadata["Name"], found.version] for found in module.distributions()))
    # The backport's classes answer the standard module as well.
    found = module.distribution("one")
    show(isinstance(found, importlib_metadata.PathDistribution), sorted(map(str, module.files("one"))))
    points = module.entry_points()
    points = points.select(group="group") if hasattr(points, "select") else points["group"]
    show([[point.name, point.value] for point in points])

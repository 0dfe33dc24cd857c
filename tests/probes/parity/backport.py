import importlib_metadata

for module in (importlib_metadata, metadata):
    show(module.version("one"), module.version("real"), module.requires("one"))
    show(sorted([found.metadata["Name"], found.version] for found in module.distributions()))
    if module is importlib_metadata:
        show(isinstance(module.distribution("one"), module.PathDistribution))
    points = module.entry_points()
    points = points.select(group="group") if hasattr(points, "select") else points["group"]
    show([[point.name, point.value] for point in points])
# A known difference: the backport's classes answer the standard module too in a plain environment, and leave files
# out that are missing (bytecode, here), as the standard module itself does from 3.12 on.
show(sorted(map(str, importlib_metadata.files("one"))))

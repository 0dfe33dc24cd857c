import importlib_metadata

for module in (importlib_metadata, metadata):
    show(module.version("one"), module.version("real"), module.requires("one"))
    show(sorted([found.metadata["Name"], found.version] for found in module.distributions()))
    show(type(next(iter(module.distributions(name="one")))).__mro__[-2 if module is metadata else 0].__module__)
    points = module.entry_points()
    points = points.select(group="group") if hasattr(points, "select") else points["group"]
    show([[point.name, point.value] for point in points], sorted(map(str, module.files("one"))))

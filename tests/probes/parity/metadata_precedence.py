sys.path.append(after)
show([metadata.version(name) for name in ("one", "two", "three", "four")])
show(metadata.requires("one"), metadata.metadata("one")["Name"], metadata.distribution("one").read_text("missing"))
attempt(metadata.version, "missing")
points = metadata.entry_points()
points = points.select(group="group") if hasattr(points, "select") else points["group"]
show(sorted([point.name, point.value] for point in points))
show_metadata()

sys.path.append(after)
show(where("ns"))
attempt(importlib.import_module, "ns.a")

import reg

show(reg.who, where("reg"))
attempt(importlib.import_module, "reg.sub")
attempt(importlib.import_module, "reg.mine")
attempt(metadata.version, "reg")

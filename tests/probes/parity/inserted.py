sys.path.insert(0, os.path.join(around, "before"))
import reg

show(reg.who, where("reg"))
attempt(importlib.import_module, "reg.sub")

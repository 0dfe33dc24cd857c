import ns.a, ns.b, ns.c, ns.deep.x, ns.deep.y

show(where("ns"), where("ns.deep"), ns.a.who)
attempt(importlib.import_module, "ns.d")
sys.path.append(after)
import ns.d

show(where("ns"), ns.d.who)
importlib.reload(ns)
show(where("ns"), type(ns.__path__).__name__, ns.__spec__.origin)
sys.path.remove(site_packages)
attempt(importlib.import_module, "ns.missing")
show(where("ns"))

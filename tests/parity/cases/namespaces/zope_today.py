# /// parity
# rows = [14, 22]
# says = "zope distributions of today, which are namespaces without files of their own"
# requirements = ["zope.event", "zope.interface", "zope.proxy", "zope.deferredimport"]
# cost = "index"
# expects = "<site>/zope/interface/__init__.py"
# flags = ["-W", "ignore"]
# ///
import zope.deferredimport, zope.event, zope.interface, zope.proxy

show([module.__file__ for module in (zope.event, zope.interface, zope.proxy, zope.deferredimport)])
show(sorted(set(where("zope")[1])), sorted({item.name for item in pkgutil.iter_modules(zope.__path__)}))
for name in ("zope.interface", "zope-interface", "zope_interface", "Zope.Interface"):
    attempt(metadata.version, name)

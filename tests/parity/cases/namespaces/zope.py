# /// parity
# rows = [15, 19, 22]
# says = "zope distributions of the time of *-nspkg.pth files"
# requirements = ["zope.event<5", "zope.interface<6", "zope.exceptions<5", "setuptools<70"]
# python = ">=3.8,<3.12"
# without."3.12" = "no wheel of zope.interface of that time"
# without."3.13" = "no wheel of zope.interface of that time"
# cost = "index"
# flags = ["-W", "ignore"]
# expects = "<site>/zope/interface/__init__.py"
# ///
import zope.event, zope.interface, zope.exceptions

show(where("zope.event"), where("zope.interface"), where("zope.exceptions"), type(zope).__name__)
show(sorted(set(zope.__path__)), sorted(item.name for item in pkgutil.iter_modules(zope.__path__)))
for name in ("zope.interface", "zope-interface", "zope_interface"):
    attempt(metadata.version, name)

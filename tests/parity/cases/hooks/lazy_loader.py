# /// parity
# rows = [9]
# says = "lazy_loader: locked modules load when they are first used, a missing one is an error then"
# requirements = ["lazy_loader", "packaging", "lazy_user==1.0"]
# cost = "index"
# expects = "[false, true]"
# [wheels."lazy_user-1.0"]
# "lazy_user/__init__.py" = """
# import lazy_loader
# __getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=['part'], submod_attrs={'other': ['thing']})
# """
# "lazy_user/part.py" = "who = 'part'"
# "lazy_user/other.py" = "thing = 'thing'"
# ///
import lazy_loader, lazy_user

before = "lazy_user.part" in sys.modules
show(lazy_user.part.who, lazy_user.thing, dir(lazy_user))
show(before, "lazy_user.part" in sys.modules)
packaging = lazy_loader.load("packaging.version")
show(str(packaging.Version("1.0")), lazy_user.part.__file__)
attempt(lambda: lazy_loader.load("missing_module", error_on_import=True))

# /// parity
# rows = [31]
# says = "stack levels of warnings and logging, skip_file_prefixes with a package's own folder, inspect.getsourcefile, pdb's skip"
# flags = []
# expects = "level"
# [wheels."noisy-1.0"]
# "noisy/__init__.py" = """
# import logging, os, sys, warnings
# HERE = os.path.dirname(__file__)
# def level(n):
#     warnings.warn("level", stacklevel=n)
# def skip():
#     if sys.version_info >= (3, 12):
#         warnings.warn("skip", skip_file_prefixes=(HERE,))
# def log(n):
#     logging.getLogger("noisy").warning("logged", stacklevel=n)
# """
# "noisy/on_import.py" = """
# import warnings
# warnings.warn("imported", stacklevel=2)
# """
# ///
import bdb, inspect, logging, noisy, warnings

warnings.simplefilter("always")
logging.basicConfig(format="%(pathname)s %(funcName)s %(message)s", stream=sys.stdout)


def user():
    with warnings.catch_warnings(record=True) as caught:
        noisy.level(1), noisy.level(2), noisy.level(3), noisy.skip()
        from noisy import on_import
    show([[str(one.message), one.filename, one.lineno] for one in caught])
    noisy.log(1), noisy.log(2)


user()
show(inspect.getsourcefile(noisy), inspect.getsourcefile(noisy.skip), inspect.getmodule(noisy.skip).__name__)


class Stops(bdb.Bdb):
    seen = set()

    def user_line(self, frame):
        self.seen.add(frame.f_globals.get("__name__"))


stops = Stops(skip=["noisy*", "importlib*", "_frozen*"])
stops.runcall(noisy.log, 2)
show(sorted(stops.seen & {"noisy", "logging"}))

# /// parity
# rows = [36]
# says = "import lines of .pth files run as often as in a plain environment, also when site.addsitedir is called again"
# requirements = ["twice==1.0", "regular==1.0"]
# catches = ["path", "before", "after"]
# [wheels."twice-1.0"]
# "twice.pth" = "import sys; sys.count = getattr(sys, 'count', 0) + 1"
# ///
import site

show(sys.count)
site.addsitedir(SITE, set())
import regular

show(sys.count, regular.who, metadata.version("regular"))
show_metadata()
show(len([finder for finder in sys.meta_path if type(finder).__module__.startswith("_multisite")]) < 2, len(sys.path) == len(set(sys.path)))

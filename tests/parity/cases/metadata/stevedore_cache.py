# /// parity
# rows = [26]
# says = "stevedore, which keeps a cache on disk: a new plugin shows after a new lock, and one that is gone does not"
# requirements = ["stevedore", "plugin_one==1.0"]
# state = "mended"
# reason = "its cache goes by the time of the site-packages folder, as a 32-bit float: each new table gives it another one"
# cost = "index"
# run = [
#   "python {program}", "python {program}",
#   "lock stevedore plugin_one==1.0 plugin_two==1.0", "python {program}",
#   "lock stevedore plugin_two==1.0", "python {program}",
#   "lock stevedore plugin_one==1.0", "python {program}",
# ]
# expects = '["one", "two"]'
# flags = []
# [wheels."plugin_one-1.0"]
# "plugin_one.py" = "class It: pass"
# "@dist-info/entry_points.txt" = "[own.plugins]\none = plugin_one:It\n"
# [wheels."plugin_two-1.0"]
# "plugin_two.py" = "class It: pass"
# "@dist-info/entry_points.txt" = "[own.plugins]\ntwo = plugin_two:It\n"
# ///
from stevedore import ExtensionManager

show(sorted(ExtensionManager("own.plugins").names()))

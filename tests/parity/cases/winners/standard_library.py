# /// parity
# rows = [1]
# says = "the standard library comes before what is locked"
# expects = "[false, false, false, true]"
# catches = ["before"]
# [wheels."shadow-1.0"]
# "dataclasses.py" = "who = 'shadow'"
# "statistics.py" = "who = 'shadow'"
# "colorsys.py" = "who = 'shadow'"
# "mine.py" = "who = 'shadow'"
# ///
import colorsys, dataclasses, mine, statistics

show([hasattr(module, "who") for module in (dataclasses, statistics, colorsys, mine)], where("mine"))

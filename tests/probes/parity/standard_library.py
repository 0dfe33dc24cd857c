import colorsys, dataclasses, mine, statistics

show([hasattr(module, "who") for module in (dataclasses, statistics, colorsys, mine)], where("mine"))

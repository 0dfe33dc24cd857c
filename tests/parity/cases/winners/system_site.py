# /// parity
# rows = [2]
# says = "the interpreter's own site-packages come after what is locked"
# system_site = true
# wheels."pip-0.1" = {"pip/__init__.py" = "who = 'locked'"}
# expects = '"locked"'
# catches = ["after"]
# ///
import pip

show(pip.who, where("pip"), metadata.version("pip"))
attempt(importlib.import_module, "pip._internal")

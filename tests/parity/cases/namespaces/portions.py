# /// parity
# rows = [14]
# says = "portions of a namespace from several distributions, a real folder and a later entry of sys.path are one, also when sys.path changes and after reload"
# files."{site}/spread/c.py" = "who = 'c'"
# files."after/spread/d.py" = "who = 'd'"
# files."after/spread/a.py" = "who = 'a in after'"
# expects = "<run>/after/spread"
# ///
import spread.a, spread.b, spread.c, spread.deep.x, spread.deep.y

show(where("spread"), where("spread.deep"), spread.a.who)
attempt(importlib.import_module, "spread.d")
sys.path.append(os.path.join(RUN, "after"))
import spread.d

show(where("spread"), spread.d.who)
importlib.reload(spread)
show(where("spread"), type(spread.__path__).__name__, spread.__spec__.origin)
sys.path.remove(SITE)
attempt(importlib.import_module, "spread.missing")
show(where("spread"))

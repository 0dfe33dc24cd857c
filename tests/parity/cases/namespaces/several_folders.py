# /// parity
# rows = [14]
# says = "a namespace over several distributions: its __path__ has as many folders, in a plain environment one"
# state = "limit"
# reason = "one folder would need links, and a deleting tool could follow them"
# differs = ["-[1]", "+[2]"]
# ///
import spread.a, spread.b

show(len(spread.__path__))
show([os.path.isfile(os.path.join(folder, "a.py")) for folder in spread.__path__][:1])

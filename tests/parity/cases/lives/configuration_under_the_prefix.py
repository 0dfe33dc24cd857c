# /// parity
# rows = [35]
# says = "what a program writes into the configuration under the prefix changes this environment only, and not the store"
# keeps_store = true
# run = ["python {program}", "python {program}"]
# expects = '"enabled": false'
# [wheels."configured-1.0"]
# "configured.py" = ""
# "@data/data/etc/jupyter/own.json" = '{"enabled": true}'
# "@data/data/share/man/man1/configured.1" = "manual"
# ///
import configured

path = os.path.join(sys.prefix, "etc", "jupyter", "own.json")
with open(path) as stream:
    settings = json.load(stream)
show(settings)
with open(path, "r+") as stream:  # in place, as careless programs do
    stream.write(json.dumps({"enabled": False}).ljust(17))
with open(path) as stream:
    print(stream.read())
with open(os.path.join(sys.prefix, "etc", "jupyter", "new.json"), "w") as stream:
    stream.write("{}")
show(sorted(os.listdir(os.path.dirname(path))), os.stat(path).st_nlink)

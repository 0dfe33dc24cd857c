# /// parity
# rows = [40]
# says = "modules of one distribution, imported by several threads at once"
# ///
import threading

names = ["regular.sub", "regular.call", "single", "spread.a", "spread.deep.x", "regular.missing"] * 4
found = []
start = threading.Barrier(len(names))


def load(name):
    start.wait()
    try:
        found.append([name, importlib.import_module(name).__file__])
    except ImportError as error:
        found.append([name, str(error)])


threads = [threading.Thread(target=load, args=(name,)) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
show(sorted(found))

# /// parity
# rows = [18]
# says = "greenlet's header lies where builds look for it"
# requirements = ["greenlet"]
# cost = "index"
# expects = "greenlet/greenlet.h"
# ///
found = []
for folder, _, names in os.walk(os.path.join(sys.prefix, "include")):
    found += [os.path.join(folder, name) for name in names]
show(sorted(found))
import greenlet

show(where("greenlet"), greenlet.greenlet(lambda x: x + 1).switch(1))
show([str(file) for file in metadata.files("greenlet") if file.suffix == ".h"])

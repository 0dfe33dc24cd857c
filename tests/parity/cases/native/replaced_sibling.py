# /// parity
# rows = [16, 6]
# says = "a really installed distribution in the place of one whose native libraries others load: they still load the locked ones"
# state = "limit"
# reason = "they find each other in the folder that they share in the store, by paths in the files; doctor names them"
# differs = [
#   '-202 202 2',
#   '+102 102 2',
#   "-['_ext.abi3.so', 'libcore.so.1', 'libmath.so.2']",
#   "+['_ext.abi3.so', 'libcore.so.1', 'libcore.so.1', 'libmath.so.2']",
# ]
# made = "siblings"
# needs = ["cc"]
# requirements = ["sib-app", "sib-core==1.0"]
# installed = ["sib-core==2.0"]
# expects = ["202 202 2"]
# ///
import sib_app._ext
import sib_core

print(sib_app._ext.answer(), sib_app.answer(), sib_core.version())
print(metadata.version("sib-core"))
with open("/proc/self/maps") as maps:
    loaded = {line.split()[-1] for line in maps if "/sib" in line.split()[-1]}
print(sorted(path.rpartition("/")[2] for path in loaded))

# /// parity
# rows = [27]
# says = "the location that pip list -v names, and who installed it"
# state = "limit"
# reason = "the location is the folder that the files are in, and programs look for them there; the installer is a fact of this installation"
# differs = ["-regular 1.0 True uv", "+regular 1.0 False multisite"]
# requirements = ["regular==1.0"]
# seed = true
# expects = "regular"
# ///
import subprocess

listed = json.loads(subprocess.check_output([sys.executable, "-m", "pip", "list", "-v", "--format=json"]))
for one in sorted(listed, key=lambda one: one["name"]):
    if one["name"] not in ("pip", "setuptools"):
        print(one["name"], one["version"], one["location"].startswith(sys.prefix), one["installer"])

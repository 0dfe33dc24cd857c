# /// parity
# rows = [18]
# says = "what a wheel brings in .data lies where pip puts it: scripts, share, etc, man pages, headers"
# installer = "pip"
# expects = "<venv>/share/jupyter/kernels/own/kernel.json"
# [wheels."parts-1.0"]
# "parts.py" = "def main(): print('main', __file__)"
# "@dist-info/entry_points.txt" = """
# [console_scripts]
# parts = parts:main
# """
# "@executable" = ["parts-1.0.data/scripts/parts-python", "parts-1.0.data/scripts/parts-shell"]
# "@data/scripts/parts-python" = """
# #!python
# import parts, sys
# print(parts.__file__, sys.argv[1:], sys.prefix)
# """
# "@data/scripts/parts-shell" = """
# #!/bin/sh
# echo shell
# """
# "@data/data/share/jupyter/kernels/own/kernel.json" = "{}"
# "@data/data/etc/jupyter/jupyter_server_config.d/own.json" = "{}"
# "@data/data/share/man/man1/parts.1" = "manual"
# "@data/headers/parts.h" = "#define PARTS 1"
# "@data/purelib/pure_part.py" = ""
# "@data/platlib/plat_part.py" = ""
# ///
import subprocess, stat, sysconfig

here = sysconfig.get_path("include")
for folder in ("share", "etc", "include"):
    for around, _, names in os.walk(os.path.join(sys.prefix, folder)):
        for name in sorted(names):
            path = os.path.join(around, name)
            show(path, oct(stat.S_IMODE(os.stat(path).st_mode)), open(path).read().strip())
for name in ("parts", "parts-python", "parts-shell"):
    path = os.path.join(sys.prefix, "bin", name)
    show(name, subprocess.check_output([path, "argument"], universal_newlines=True), os.access(path, os.X_OK))
show(where("pure_part"), where("plat_part"))
files = metadata.files("parts")
show(sorted(str(file) for file in files if file.suffix not in (".pyc", "") and "dist-info" not in str(file)))
show(all(file.locate().exists() for file in files if "dist-info" not in str(file)))

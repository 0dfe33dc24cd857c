# /// parity
# rows = [31]
# says = "a program that compares a file with the folders of site or sysconfig by itself: the path component site-packages is there, the prefix is not"
# state = "limit"
# reason = "the files are in the store; tools that are known to compare are told the plain paths, others cannot be; a link under site-packages, through which all files are found, could be followed by what deletes, copies or watches the folder, and serves nobody who resolves it"
# wheels."regular-1.0" = {"regular.py" = ""}
# flags = []
# differs = ['-["site", true, true]', '-["purelib", true, true]', '-["prefix", true, true]', '+["site", false, true]', '+["purelib", false, true]', '+["prefix", false, true]']
# ///
import regular, site, sysconfig

for name, folder in ("site", site.getsitepackages()[0]), ("purelib", sysconfig.get_path("purelib")), ("prefix", sys.prefix):
    show(name, regular.__file__.startswith(folder), "site-packages" in regular.__file__.split(os.sep))

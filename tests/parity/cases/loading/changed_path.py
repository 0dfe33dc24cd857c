# /// parity
# rows = [40]
# says = "a package that changes its __path__: more folders, fewer, another order, none; spelled in other ways"
# files."more/sub.py" = "who = 'another sub'"
# files."more/extra.py" = "who = 'extra'"
# ///
import regular

known, more = list(regular.__path__)[0], os.path.join(RUN, "more")
for path in [known, more], [more, known], [more], [known + os.sep], [os.path.join(known, os.pardir, "regular")], []:
    regular.__path__ = path
    forget("regular.sub", "regular.extra")
    for name in "regular.sub", "regular.extra":
        try:
            found = importlib.import_module(name)
            show(name, found.who, os.path.realpath(found.__file__))
        except ImportError as error:
            show(name, type(error).__name__, str(error))
    importlib.reload(regular)
    show(len(regular.__path__))

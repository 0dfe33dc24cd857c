# /// parity
# rows = [40]
# says = "a module whose file was taken out of its folder before the program began, with no bytecode of it, is not there"
# run = ["python -B {program}"]
# [wheels."parting-1.0"]
# "parting/__init__.py" = ""
# "parting/gone.py" = "who = 'gone'"
# "parting/stays.py" = "who = 'stays'"
# ///
import parting.stays

path = os.path.join(list(parting.__path__)[0], "gone.py")
os.rename(path, path + ".aside")
try:
    attempt(importlib.import_module, "parting.gone")
    try:
        from parting import gone
    except ImportError as error:
        show(type(error) is ImportError, getattr(error, "name", None), str(error).split(" (")[0])
finally:
    os.rename(path + ".aside", path)

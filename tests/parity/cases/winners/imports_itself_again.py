# /// parity
# rows = [4]
# says = "a package that imports itself again after changing sys.path is loaded"
# [wheels."again-1.0"]
# "again/__init__.py" = """
# import importlib, os, sys
# if not hasattr(sys, 'again'):
#     sys.again = list(sys.path)
#     sys.path.insert(1, os.path.dirname(os.path.abspath(__file__)))
#     sys.modules.pop(__name__)
#     importlib.import_module(__name__)
#     sys.path[:] = sys.again
# who = 'outer'
# """
# "again/again.py" = "who = 'inner'"
# ///
import again

show(again.who, where("again"), again.__spec__.origin, sys.path[1:])

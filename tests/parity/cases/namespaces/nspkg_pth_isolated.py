# /// parity
# rows = [15, 19]
# says = "a *-nspkg.pth file of a locked distribution under -I, or with a regular package of the same name before it: the namespace's __path__ has the folder in site-packages as well, which is not there"
# state = "limit"
# reason = "the file computes that path itself and appends it; it is gone when sys.path first changes"
# flags = ["-I"]
# differs = ["-[1, true]", "+[3, false]"]
# [wheels."nsp_a-1.0"]
# "nsp/a.py" = "who = 'a'"
# "nsp_a-nspkg.pth" = """
# import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('nsp',));importlib = __import__('importlib.util');__import__('importlib.machinery');m = sys.modules.setdefault('nsp', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('nsp', [os.path.dirname(p)])));m = m or sys.modules.setdefault('nsp', types.ModuleType('nsp'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)
# """
# [wheels."nsp_b-1.0"]
# "nsp/b.py" = "who = 'b'"
# "nsp_b-nspkg.pth" = """
# import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('nsp',));importlib = __import__('importlib.util');__import__('importlib.machinery');m = sys.modules.setdefault('nsp', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('nsp', [os.path.dirname(p)])));m = m or sys.modules.setdefault('nsp', types.ModuleType('nsp'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)
# """
# ///
import nsp

show(len(nsp.__path__), all(map(os.path.isdir, nsp.__path__)))

# /// parity
# rows = [15, 19]
# says = "*-nspkg.pth files of locked distributions, which read sitedir from the calling frame and ask PathFinder themselves"
# catches = ["path", "before", "after"]
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
show("nsp" in sys.modules)
import nsp.a, nsp.b

show(where("nsp"), nsp.a.who, nsp.b.who, type(nsp).__name__)

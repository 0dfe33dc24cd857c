# /// parity
# rows = [15]
# says = "a namespace whose __init__.py calls pkgutil.extend_path, over locked, real and later folders"
# expects = "<run>/after/pk/d.py"
# [wheels]
# "pk_a-1.0" = {"pk/__init__.py" = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)", "pk/a.py" = ""}
# "pk_b-1.0" = {"pk/__init__.py" = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)", "pk/b.py" = ""}
# [files]
# "{site}/pk/__init__.py" = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)"
# "{site}/pk/c.py" = ""
# "after/pk/__init__.py" = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)"
# "after/pk/d.py" = ""
# ///
sys.path.append(os.path.join(RUN, "after"))
import pk.a, pk.b, pk.c, pk.d

show(where("pk"), pk.a.__file__, pk.b.__file__, pk.c.__file__, pk.d.__file__)

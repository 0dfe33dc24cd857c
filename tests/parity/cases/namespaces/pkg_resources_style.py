# /// parity
# rows = [15]
# says = "namespaces whose __init__.py calls pkg_resources.declare_namespace, over locked, real and later folders"
# requirements = ["setuptools<70", "declared_a==1.0", "declared_b==1.0"]
# cost = "index"
# private = true
# flags = ["-W", "ignore"]
# expects = "<run>/after/declared/d.py"
# [wheels]
# "declared_a-1.0" = {"declared/__init__.py" = "__import__('pkg_resources').declare_namespace(__name__)", "declared/a.py" = "", "@dist-info/namespace_packages.txt" = "declared"}
# "declared_b-1.0" = {"declared/__init__.py" = "__import__('pkg_resources').declare_namespace(__name__)", "declared/b.py" = "", "@dist-info/namespace_packages.txt" = "declared"}
# [files]
# "{site}/declared/c.py" = ""
# "after/declared/__init__.py" = "__import__('pkg_resources').declare_namespace(__name__)"
# "after/declared/d.py" = ""
# ///
sys.path.append(os.path.join(RUN, "after"))
import declared.a, declared.b, declared.c, declared.d

show([module.__file__ for module in (declared.a, declared.b, declared.c, declared.d)])
show(where("declared")[0], type(declared).__name__)

# /// parity
# rows = [15]
# says = "the order of the folders of a namespace that pkg_resources.declare_namespace made: locked portions come after those of later entries of sys.path"
# state = "limit"
# reason = "pkg_resources sorts them by the position of the folder around each on sys.path, and folders of the store are not on it"
# differs = ['-[["<site>/declared", "<run>/after/declared"]]', '+[["<site>/declared", "<run>/after/declared", "<site>/declared"]]']
# requirements = ["setuptools<70", "declared_a==1.0", "declared_b==1.0"]
# cost = "index"
# private = true
# flags = ["-W", "ignore"]
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

show(where("declared")[1])

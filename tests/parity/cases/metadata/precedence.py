# /// parity
# rows = [21]
# says = "metadata has the path's precedence, entry by entry: PYTHONPATH, what is really installed, what is locked, what is appended; and each name is there as often"
# requirements = ["regular==1.0", "single==1.0", "one==1.0", "two==1.0", "three==1.0"]
# installed = ["three==2.0"]
# folders.before = ["two==3.0"]
# folders.after = ["one==4.0", "four==4.0"]
# environ.PYTHONPATH = "{run}/before"
# expects = '["1.0", "3.0", "2.0", "4.0"]'
# catches = ["before", "after", "path"]
# [wheels]
# "one-1.0" = {"one.py" = "", "@dist-info/entry_points.txt" = "[group]\none = one:1\n"}
# "two-1.0" = {"two.py" = "", "@dist-info/entry_points.txt" = "[group]\ntwo = two:1\n"}
# "three-1.0" = {"three.py" = "", "@dist-info/entry_points.txt" = "[group]\nthree = three:1\n"}
# "three-2.0" = {"three.py" = "", "@dist-info/entry_points.txt" = "[group]\nthree = three:2\n"}
# "two-3.0" = {"two.py" = "", "@dist-info/entry_points.txt" = "[group]\ntwo = two:3\n"}
# "one-4.0" = {"one.py" = "", "@dist-info/entry_points.txt" = "[group]\none = one:4\n"}
# "four-4.0" = {"four.py" = ""}
# ///
sys.path.append(os.path.join(RUN, "after"))
show([metadata.version(name) for name in ("one", "two", "three", "four")])
show(metadata.requires("single"), metadata.metadata("one")["Name"], metadata.distribution("one").read_text("missing"))
try:
    metadata.version("missing")
except metadata.PackageNotFoundError as error:
    show(type(error).__name__, str(error))
show(entry_points("group"), entry_points("missing"))
show_metadata()
show([type(metadata.distribution(name)).__name__ for name in ("one", "two", "three")])

# /// parity
# rows = [1, 21]
# says = "a distribution in a folder of PYTHONPATH comes before the locked one, for module and metadata"
# folders.before = ["regular ==2.0"]
# environ.PYTHONPATH = "{run}/before"
# expects = "<run>/before/regular/new.py"
# catches = ["before"]
# ///
show(where("regular"), where("regular.new"), metadata.version("regular"))
attempt(importlib.import_module, "regular.sub")
show_metadata()
show(entry_points("group"))

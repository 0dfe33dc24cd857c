# /// parity
# rows = [14]
# says = "a regular package on a later entry of sys.path shadows locked portions of a namespace"
# files."after/spread/__init__.py" = ""
# expects = "<run>/after/spread/__init__.py"
# catches = ["before"]
# ///
sys.path.append(os.path.join(RUN, "after"))
show(where("spread"))
attempt(importlib.import_module, "spread.a")

# /// parity
# rows = [21]
# says = "the order of distributions() over several entries of sys.path: locked ones come first"
# state = "limit"
# reason = "importlib.metadata asks finders for the whole path at once, so beside an untouched PathFinder an object stands before all entries or after all; the first one of each name is the right one either way"
# requirements = ["one==1.0"]
# folders.before = ["zero==1.0"]
# environ.PYTHONPATH = "{run}/before"
# differs = ['-[["zero", "one"]]', '+[["one", "zero"]]']
# [wheels]
# "one-1.0" = {"one.py" = ""}
# "zero-1.0" = {"zero.py" = ""}
# ///
show([found.metadata["Name"] for found in metadata.distributions()])
show([found.metadata["Name"] for found in metadata.distributions(path=[SITE])], metadata.version("zero"))

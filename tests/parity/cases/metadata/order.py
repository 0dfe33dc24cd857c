# /// parity
# rows = [21]
# says = "the order of distributions() over several entries of sys.path"
# state = "mended"
# reason = "the standard library offers a hook for the whole path only; its finder of ordinary folders is told what the site-packages folder has"
# requirements = ["one==1.0"]
# folders.before = ["zero==1.0"]
# environ.PYTHONPATH = "{run}/before"
# [wheels]
# "one-1.0" = {"one.py" = ""}
# "zero-1.0" = {"zero.py" = ""}
# ///
show([found.metadata["Name"] for found in metadata.distributions()])
show([found.metadata["Name"] for found in metadata.distributions(path=[SITE])], metadata.version("zero"))

# /// parity
# rows = [24]
# says = "an environment that was linked: modules, metadata and scripts run by its interpreter"
# private = true
# run = ["ln -s {venv} {run}/elsewhere", "{run}/elsewhere/bin/python {program}"]
# expects = "<site>/regular/sub.py"
# normalise = [{pattern = "<run>/elsewhere/lib/python3\\.\\d+/site-packages", with = "<site>", reason = "the environment is elsewhere, on purpose"}]
# ///
show(where("regular"), where("regular.sub"), where("spread.b"), metadata.version("regular"), sys.prefix)
show_metadata()
show([entry for entry in sys.path if "site-packages" in entry], metadata.distribution("regular").locate_file(""))

# /// parity
# rows = [12, 27]
# says = "what pip lists: its back end is a copy of pkg_resources before 3.11, importlib.metadata from then on"
# seed = true
# run = ["python -m pip list --format=json", "python -m pip list --not-required --format=freeze", "python -m pip check"]
# expects = "regular"
# ///

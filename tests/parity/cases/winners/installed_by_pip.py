# /// parity
# rows = [6, 27]
# says = "after pip install --upgrade the newer one wins, for module and metadata, and pip lists it once"
# private = true
# seed = true
# run = [
#   "python -m pip install --quiet --upgrade --no-deps regular==2.0",
#   "python {program}",
#   "python -m pip list --format=freeze",
#   "python -m pip check",
# ]
# expects = "regular 2.0"
# catches = ["before"]
# ///
import regular

show(regular.who, where("regular"))
attempt(where, "regular.sub")
show(metadata.version("regular"), entry_points("group"))
show_metadata()

# /// parity
# rows = [6]
# says = "a distribution that is installed beside the locked one wins, for module and metadata"
# private = true
# run = [
#   "python {program}",
#   "{uv} pip install --quiet --no-deps --link-mode copy --python {python} regular==2.0",
#   "python {program}",
# ]
# expects = "regular 2.0"
# catches = ["before"]
# ///
import regular

show(regular.who)
attempt(where, "regular.sub")
attempt(where, "regular.new")
show(metadata.version("regular"), entry_points("group"))
show_metadata()

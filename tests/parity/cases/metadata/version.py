# /// parity
# rows = [21]
# says = "the version of a distribution"
# ///
show(metadata.version("regular"), where("regular"), where("spread"))

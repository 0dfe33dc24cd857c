# /// parity
# rows = [25]
# says = "INSTALLER is there, and says who it was: multisite here, pip there"
# installer = "pip"
# state = "limit"
# reason = "it is a fact of this installation, and tools decide by it what they may change"
# differs = ['-["pip", true, null]', '+["multisite", true, null]']
# ///
found = metadata.distribution("regular")
show(found.read_text("INSTALLER").strip(), found.read_text("REQUESTED") is not None, found.read_text("direct_url.json"))

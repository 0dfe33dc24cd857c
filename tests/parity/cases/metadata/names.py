# /// parity
# rows = [22]
# says = "which spellings of a name are found is the standard library's matter"
# expects = "1.0"
# [wheels]
# "Zope.Interface-1.0" = {"zi.py" = ""}
# "under_scored-1.0" = {"under_scored.py" = ""}
# ///
for name in ("Zope.Interface", "zope-interface", "zope_interface", "ZOPE.INTERFACE", "zope--interface", "under-scored",
             "under_scored", "under.scored", "Under_Scored", "zope", "interface", "under_scored-", "-under_scored",
             "under_scored.", "under\tscored", "under_scored\n", "ünder"):
    attempt(metadata.version, name)
    show([found.metadata["Name"] for found in metadata.distributions(name=name)])

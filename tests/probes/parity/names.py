for name in ("Zope.Interface", "zope-interface", "zope_interface", "ZOPE.INTERFACE", "zope--interface"):
    attempt(metadata.version, name)

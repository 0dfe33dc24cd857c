# /// parity
# rows = [36]
# says = "start-up files of other tools in site-packages can import what is locked, whatever their names"
# files."{site}/__editable__.own.pth" = "import regular, sys; sys.early = [regular.who]"
# files."{site}/_virtualenv.pth" = "import single, sys; sys.early.append(single.who)"
# files."{site}/a1_coverage.pth" = "import sys, importlib.metadata as m; sys.early.append(m.version('regular'))"
# state = "mended"
# reason = "multisite's own file is named 00-multisite.pth, so that it sorts before theirs"
# expects = '["regular 1.0", "single 1.0", "1.0"'
# ///
show(sys.early)

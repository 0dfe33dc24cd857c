# /// parity
# rows = [24]
# says = "site-packages spelled with a slash at its end, through a link, or relative"
# files."{site}/real-2.0.dist-info/METADATA" = "Metadata-Version: 2.1\nName: real\nVersion: 2.0\n"
# files."{site}/real.py" = ""
# normalise = [{pattern = "<run>/alias|(?<=\")site-packages|<site>/\\.(?=/)", with = "<site>", reason = "the folder is spelled in other ways, on purpose"}]
# expects = "regular 1.0"
# ///
alias = os.path.join(RUN, "alias")
os.symlink(SITE, alias)
os.chdir(os.path.dirname(SITE))
for path in ([SITE + "/"], [alias], ["site-packages"], ["./site-packages"], [SITE, alias], []):
    show_metadata(path)
    show(sorted(found.version for found in metadata.distributions(name="regular", path=path)))
os.chdir(SITE)
show_metadata(["."])
if sys.version_info >= (3, 9):  # before, the empty path is no folder
    show_metadata([""])
os.chdir(os.path.dirname(SITE))
for spelled in (SITE + "/", alias, "site-packages"):
    sys.path[:] = [spelled if entry in (SITE, SITE + "/", alias) else entry for entry in sys.path]
    import regular.sub, real

    show(regular.who, metadata.version("regular"), regular.__file__, os.path.basename(real.__file__))
    forget("regular", "regular.sub", "real")

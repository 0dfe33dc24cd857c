# /// parity
# rows = [25]
# says = "files(): what the wheel has, INSTALLER, REQUESTED, RECORD and scripts outside, with hashes and sizes"
# installer = "pip"
# expects = "../../../bin/regular-says"
# ///
for name in ("regular", "single", "tool", "spread_a"):
    files = metadata.files(name)
    show(sorted(str(file) for file in files if file.suffix != ".pyc"))
    kept = [file for file in files if file.suffix != ".pyc" and file.parent.name != "bin" and "dist-info" not in str(file)]
    show(sorted([str(file), file.size, file.hash and file.hash.value] for file in kept))
    show([file.locate().exists() for file in files if file.suffix != ".pyc"], metadata.distribution(name).read_text("WHEEL"))

# /// parity
# rows = [18, 25]
# says = "data files of a wheel that lie in site-packages are located where they are"
# installer = "pip"
# expects = "late"
# [wheels."parts-1.0"]
# "parts.py" = ""
# "@data/data/lib/python3.8/site-packages/late.txt" = "late"
# "@data/data/lib/python3.9/site-packages/late.txt" = "late"
# "@data/data/lib/python3.10/site-packages/late.txt" = "late"
# "@data/data/lib/python3.11/site-packages/late.txt" = "late"
# "@data/data/lib/python3.12/site-packages/late.txt" = "late"
# "@data/data/lib/python3.13/site-packages/late.txt" = "late"
# "@data/data/lib/python3.14/site-packages/late.txt" = "late"
# "@data/data/lib/python3.8/site-packages/late/in a, folder.txt" = "late"
# "@data/data/lib/python3.9/site-packages/late/in a, folder.txt" = "late"
# "@data/data/lib/python3.10/site-packages/late/in a, folder.txt" = "late"
# "@data/data/lib/python3.11/site-packages/late/in a, folder.txt" = "late"
# "@data/data/lib/python3.12/site-packages/late/in a, folder.txt" = "late"
# "@data/data/lib/python3.13/site-packages/late/in a, folder.txt" = "late"
# "@data/data/lib/python3.14/site-packages/late/in a, folder.txt" = "late"
# ///
for file in sorted(metadata.files("parts")):
    if file.suffix == ".txt":
        found = file.locate()
        show(str(file), os.path.realpath(str(found)), found.exists(), found.exists() and file.read_text())

# /// parity
# rows = [38]
# says = "python -m with a package, a module, a namespace's module and a package without __main__"
# files."work/x" = ""
# expects = "No module named regular.__main__"
# ///
python -m tool
python -m spread.a && echo fine
python -I -m tool
python -m regular 2>&1 | sed 's/.*python[0-9.]*: //' || true
python -m missing 2>&1 | sed 's/.*python[0-9.]*: //' || true
python -m regular.missing 2>&1 | sed 's/.*python[0-9.]*: //' || true
cd work
python -m single && regular-says

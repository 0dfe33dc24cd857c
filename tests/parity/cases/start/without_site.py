# /// parity
# rows = [5, 38]
# says = "python -S finds nothing locked; after site.main() it does"
# flags = ["-S"]
# expects = "No module named 'regular'"
# ///
import site

attempt(importlib.import_module, "regular")
sys.prefix = sys.exec_prefix = VENV
site.PREFIXES[:] = [VENV]
site.main()
attempt(where, "regular")
attempt(metadata.version, "regular")

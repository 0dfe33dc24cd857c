# /// parity
# rows = [30]
# says = "another interpreter with the folder of a whole view in PYTHONPATH finds modules, data and metadata"
# state = "mended"
# reason = "the .pth files of a folder in PYTHONPATH do not run, so nothing starts the finder; a view is an ordinary tree, and with --whole it has native modules and data files"
# multisite = ["view --whole"]
# requirements = ["regular==1.0", "with_data==1.0"]
# expects = ['1.0 data']
# [wheels]
# "with_data-1.0" = {"with_data/__init__.py" = "", "with_data/text.txt" = "data", "@dist-info/entry_points.txt" = "[group]\nname = with_data:x\n"}
# ///
"$PARITY_PYTHON" -c "import regular, with_data; print(regular.__name__)"
site=$PARITY_SITE
view=$PARITY_VENV/.multisite/view
if [ -d "$view" ]; then site=$view${PARITY_SITE#"$PARITY_VENV"}; fi
PYTHONPATH=$site "$PARITY_INTERPRETER" -c '
import importlib.metadata as metadata, pkgutil, sys, regular, regular.sub, with_data
print(metadata.version("regular"), pkgutil.get_data("with_data", "text.txt").decode())
print(sorted(found.metadata["Name"] for found in metadata.distributions(path=[sys.argv[1]])))
print(regular.sub.__file__.replace(sys.argv[1], "SITE"))
' "$site"

# /// parity
# rows = [27, 28]
# says = "uv uninstalls metadata that only stand for a locked distribution, and says so; the distribution is still there, and the store as it was"
# state = "limit"
# reason = "uv removes what RECORD lists and asks nobody; it lists only the copies themselves, so the store is safe, and the next sync shows the distribution again"
# multisite = ["sync --site-metadata"]
# requirements = ["single==1.0"]
# keeps_store = true
# differs = ["-ModuleNotFoundError", "+single.py"]
# ///
"$PARITY_UV" --no-config pip uninstall --quiet --python "$PARITY_PYTHON" single
"$PARITY_UV" --no-config pip freeze --python "$PARITY_PYTHON"
"$PARITY_PYTHON" -c '
import os
try:
    import single
    print(os.path.basename(single.__file__))
except ImportError as error:
    print(type(error).__name__)
'

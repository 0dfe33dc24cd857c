# /// parity
# rows = [25]
# says = "pip freeze prints the same"
# seed = true
# run = ["python -m pip freeze", "python -m pip freeze --all --exclude pip --exclude setuptools", "python -m pip check"]
# expects = "regular==1.0"
# ///

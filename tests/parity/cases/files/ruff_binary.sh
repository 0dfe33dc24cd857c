# /// parity
# rows = [18]
# says = "ruff's find_ruff_bin finds the program that its wheel brings as a script"
# requirements = ["ruff"]
# cost = "index"
# expects = "<venv>/bin/ruff"
# ///
python -c "from ruff.__main__ import find_ruff_bin; print(find_ruff_bin())" || python -c "from ruff import find_ruff_bin; print(find_ruff_bin())"
echo "import os" > bad.py
python -m ruff check --no-cache --output-format concise bad.py || true
ruff --version

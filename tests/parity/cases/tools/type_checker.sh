# /// parity
# rows = [29]
# says = "mypy, told of the view as of an environment, finds a package, a namespace and a module, typed and untyped, as in the plain one"
# state = "mended"
# reason = "type checkers ask no finder; multisite view writes what is locked as ordinary files in the shape of an environment"
# multisite = ["view"]
# requirements = ["typed==1.0", "part_one==1.0", "part_two==1.0", "bare==1.0", "bare_stubs==1.0"]
# python = ">=3.9"
# expects = ["type is \"int\"", "type is \"bytes\"", "import-untyped"]
# fails = true
# [wheels]
# "typed-1.0" = {"typed/__init__.py" = "one: int = 1\n", "typed/py.typed" = ""}
# "part_one-1.0" = {"part/one.py" = "def f() -> str: ...\n", "part/py.typed" = ""}
# "part_two-1.0" = {"part/two/__init__.py" = "two: bytes = b''\n", "part/two/py.typed" = ""}
# "bare-1.0" = {"bare/__init__.py" = "def g(x): return x\n", "untyped.py" = "x = 1\n"}
# "bare_stubs-1.0" = {"bare-stubs/__init__.pyi" = "def g(x: int) -> int: ...\n"}
# ///
environment=$PARITY_VENV
if [ -d "$PARITY_VENV/.multisite/view" ]; then environment=$PARITY_VENV/.multisite/view; fi
cat > checked.py <<'SOURCE'
import bare
import missing
import typed
import untyped
from part import one
from part.two import two

reveal_type(typed.one)
reveal_type(two)
reveal_type(bare.g("no"))
typed.nothing
SOURCE
"$PARITY_PYTHON" -c "import typed, untyped, part.one, part.two; print(typed.one, part.two.two)"
"$PARITY_HOST" -m mypy --no-incremental --python-executable "$environment/bin/python" checked.py

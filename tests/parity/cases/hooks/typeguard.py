# /// parity
# rows = [9]
# says = "typeguard's import hook, which wraps PathFinder, checks types in locked modules"
# requirements = ["typeguard", "checked==1.0"]
# cost = "index"
# expects = "TypeCheckError"
# [wheels."checked-1.0"]
# "checked/__init__.py" = "def double(x: int) -> int: return 2 * x"
# "checked/part.py" = "def half(x: int) -> int: return x // 2"
# ///
from typeguard import install_import_hook

install_import_hook("checked")
import checked.part

for function in (checked.double, checked.part.half):
    try:
        show(function(4))
        function("text")
    except Exception as error:
        show(type(error).__name__)
show(where("checked.part"))

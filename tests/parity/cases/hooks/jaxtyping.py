# /// parity
# rows = [9]
# says = "jaxtyping's import hook, which wraps PathFinder, checks types in locked modules"
# requirements = ["jaxtyping", "typeguard<3", "numpy", "checked==1.0"]
# python = ">=3.9"
# cost = "index"
# expects = "TypeCheckError"
# [wheels."checked-1.0"]
# "checked/__init__.py" = "def double(x: int) -> int: return 2 * x"
# "checked/part.py" = "def half(x: int) -> int: return x // 2"
# ///
from jaxtyping import install_import_hook

with install_import_hook("checked", "typeguard.typechecked"):
    import checked.part
for function in (checked.double, checked.part.half):
    try:
        show(function(4))
        function("text")
    except Exception as error:
        show(type(error).__name__)
show(where("checked.part"))

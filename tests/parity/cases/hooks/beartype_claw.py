# /// parity
# rows = [9]
# says = "beartype.claw, which replaces the file finder through path hooks, checks types in locked modules"
# requirements = ["beartype", "checked==1.0"]
# cost = "index"
# expects = "BeartypeCallHintParamViolation"
# [wheels."checked-1.0"]
# "checked/__init__.py" = "def double(x: int) -> int: return 2 * x"
# "checked/part.py" = "def half(x: int) -> int: return x // 2"
# ///
from beartype.claw import beartype_package

beartype_package("checked")
import checked.part

for function in (checked.double, checked.part.half):
    try:
        show(function(4))
        function("text")
    except Exception as error:
        show(type(error).__name__)
show(where("checked.part"))

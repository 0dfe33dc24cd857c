# /// parity
# rows = [31]
# says = "whose code Logfire takes for the user's"
# state = "mended"
# reason = "it takes the folder that OpenTelemetry lies in for site-packages; when it is loaded, the stores are added"
# requirements = ["logfire", "six"]
# cost = "index"
# expects = '["six", false]'
# ///
import six
from logfire._internal.stack_info import is_user_code


def own():
    pass


show("six", is_user_code(six.with_metaclass.__code__))
show("json", is_user_code(json.dumps.__code__), "own", is_user_code(own.__code__))

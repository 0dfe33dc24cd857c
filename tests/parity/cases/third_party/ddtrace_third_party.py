# /// parity
# rows = [31]
# says = "which distribution ddtrace finds for a file, and whether it is a third party's"
# state = "mended"
# reason = "it goes by the folders of sysconfig and sys.path, and reads those instead of asking finders; when it is loaded, it is told the plain paths, and asks"
# requirements = ["ddtrace", "six", "requests"]
# cost = "index"
# environ.DD_TRACE_ENABLED = "false"
# environ.DD_INSTRUMENTATION_TELEMETRY_ENABLED = "false"
# environ.DD_REMOTE_CONFIGURATION_ENABLED = "false"
# expects = "requests"
# normalise = [{pattern = "(?m)^! .*\n?", with = "", reason = "it logs what it cannot reach, with times"}]
# ///
from pathlib import Path

import requests, six
from ddtrace.internal import packages

for module in six, requests, json, sys.modules["__main__"]:
    path = Path(module.__file__)
    answers = [function(path) for function in (packages.is_third_party, packages.is_user_code, packages.is_stdlib)]
    show(module.__name__, packages.filename_to_package(path), *answers)

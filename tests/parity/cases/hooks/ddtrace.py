# /// parity
# rows = [9]
# says = "ddtrace's module watchdog and its integration for a locked distribution"
# requirements = ["ddtrace", "httplib2"]
# cost = "index"
# environ.DD_TRACE_ENABLED = "false"
# environ.DD_INSTRUMENTATION_TELEMETRY_ENABLED = "false"
# environ.DD_REMOTE_CONFIGURATION_ENABLED = "false"
# expects = "hook ran"
# normalise = [{pattern = "(?m)^! .*\n?", with = "", reason = "it logs what it cannot reach, with times"}]
# ///
import ddtrace
from ddtrace.internal.module import ModuleWatchdog

ModuleWatchdog.install() if not ModuleWatchdog.is_installed() else None
ModuleWatchdog.register_module_hook("httplib2", lambda module: print("hook ran", module.__file__))
import httplib2
from ddtrace.internal.packages import filename_to_package, get_distributions

print(sorted(str(name if isinstance(name, str) else getattr(name, "name", name)) for name in get_distributions() if "httplib2" in str(name)))
print(filename_to_package(httplib2.__file__))

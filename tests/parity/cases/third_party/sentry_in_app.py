# /// parity
# rows = [31]
# says = "sentry-sdk's in_app, module and file name of each frame"
# requirements = ["sentry-sdk", "certifi", "markupsafe"]
# cost = "index"
# expects = "markupsafe/__init__.py"
# ///
import markupsafe, sentry_sdk

events = []
sentry_sdk.init(
    dsn="http://a@127.0.0.1:1/1", default_integrations=False, before_send=lambda event, hint: events.append(event)
)
try:
    markupsafe.Markup("{x}").format()
except KeyError:
    sentry_sdk.capture_exception()
for frame in events[0]["exception"]["values"][0]["stacktrace"]["frames"]:
    show(frame["filename"], frame["module"], frame["function"], frame.get("in_app"), frame["abs_path"])

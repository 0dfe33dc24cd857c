# /// parity
# rows = [31, 35]
# says = "Flask's instance folder of a locked application is under the environment's prefix, not in the store"
# state = "mended"
# reason = "it goes by the folder that the package is imported from; when it is loaded, what it finds is told as in a plain environment"
# requirements = ["flask", "locked_app"]
# wheels."locked_app-1.0" = {"locked_app/__init__.py" = "import flask; app = flask.Flask(__name__)"}
# cost = "index"
# expects = "var/locked_app-instance"
# ///
import flask, locked_app

show(locked_app.app.instance_path, locked_app.app.root_path)
show(flask.Flask("__main__").instance_path, flask.Flask("werkzeug").instance_path)

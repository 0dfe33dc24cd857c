"""Flask under gunicorn and under its own server, each with its reloader."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.process import free_port
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

APP = """\
import os, sys
from flask import Flask, jsonify, render_template_string

app = Flask(__name__)


@app.get("/")
def hello():
    return render_template_string("{{ word|upper }}", word="WORD")


@app.get("/pid")
def pid():
    return str(os.getpid())


@app.get("/watched")
def watched():
    from werkzeug import _reloader
    return jsonify(sorted(_reloader._find_stat_paths(set(), {"*/__pycache__/*"})))


@app.get("/fails")
def fails():
    raise LookupError("on purpose")
"""


def drive(side: Side) -> None:
    side.write({"app.py": APP})
    side.run("gunicorn", "--version")
    side.run("flask", "--version")
    side.run("flask", "routes")
    bind = "127.0.0.1:{port}"
    _reloads(side, "gunicorn", "--reload", "--reload-engine", "poll", "--bind", bind, "--workers", "2", "app:app")
    _reloads(side, "gunicorn", "--reload", "--bind", bind, "-k", "gthread", "--threads", "4", "app:app")
    _reloads(side, "flask", "run", "--debug", "--port", "{port}")


def _reloads(side: Side, *command: str) -> None:
    side.note("server", " ".join(command))
    side.write({"app.py": APP})
    port = free_port()
    place = f"http://127.0.0.1:{port}"
    words = [word.replace("{port}", str(port)) for word in command]
    with side.serve(*words) as server:
        side.note("page", server.get(place))
        fails = server.get(f"{place}/fails")
        side.note("fails", fails)
        side.note_paths("watched", server.json(f"{place}/watched"))
        pid = server.get(f"{place}/pid")
        changed = APP.replace("WORD", "changed")
        server.changed(f"{place}/pid", pid, lambda: side.write({"app.py": changed}))
        # Of two workers each notices by itself, so the next answer may be the old page again.
        side.note("page after a change", server.changed(place, "WORD", lambda: None))
        side.stopped(server, signal.SIGINT)


PROGRAM = Program(
    does="an application under `gunicorn --reload` (two kinds of workers) and `flask run --debug`: the pages, an error,"
    " the files that are watched, and a restart after a change",
    requirements=("flask", "gunicorn"),
    drive=drive,
    quick="3.12",
    varying=(Rule(pattern=r"\b\d{4,}\b", replacement="PID", reason="the system numbers processes"),),
)

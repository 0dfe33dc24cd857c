"""Celery: a worker of several processes takes tasks from a broker in the file system."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

APP = """\
from celery import Celery, chain, group

app = Celery("app", broker="filesystem://", backend="file://results")
app.conf.update(
    broker_transport_options={"data_folder_in": "broker", "data_folder_out": "broker"},
    broker_connection_retry_on_startup=True,
)


@app.task
def add(x, y):
    return x + y


@app.task
def fail():
    raise LookupError("on purpose")


@app.task
def loaded():
    import sys
    return sorted(name for name in sys.modules if name.startswith("kombu"))
"""
ASKS = """\
from app import add, chain, fail, group, loaded
print(add.delay(2, 3).get(timeout=600))
print(chain(add.s(1, 2), add.s(10))().get(timeout=600))
print(sorted(result.get(timeout=600) for result in group(add.s(n, n) for n in range(8))().results))
try:
    fail.delay().get(timeout=600)
except LookupError as error:
    print(repr(error))
print(loaded.delay().get(timeout=600))
"""


def drive(side: Side) -> None:
    side.write({"app.py": APP, "asks.py": ASKS, "broker/.keep": "", "results/.keep": ""})
    side.run("celery", "--version")
    side.run("celery", "-A", "app", "report")
    for pool in ("prefork", "threads"):
        with side.serve("celery", "-A", "app", "worker", "--pool", pool, "--concurrency", "2", "-l", "info") as server:
            server.says("ready.")
            side.run("python", "asks.py")
            side.stopped(server, signal.SIGTERM)
            side.note("tasks", [line for line in server.log.splitlines() if line.startswith("  . ")])
            side.note("succeeded", server.log.count(" succeeded in "))
            side.note("raised", server.log.count("LookupError('on purpose')"))


PROGRAM = Program(
    does="a worker with processes and one with threads: single tasks, a chain, a group, one that fails",
    requirements=("celery",),
    drive=drive,
    pythons=("3.11",),
    varying=(Rule(pattern=r"\b\d{2}:\d{2}:\d{2}\b", replacement="TIME", reason="the time"),),
)

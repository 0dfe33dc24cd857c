"""FastAPI under uvicorn, with its reloader."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.process import free_port
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

APP = """\
import os
from typing import Annotated
from fastapi import FastAPI, Query
from pydantic import BaseModel, EmailStr

app = FastAPI()


class Person(BaseModel):
    name: str
    mail: EmailStr


@app.get("/")
def hello(times: Annotated[int, Query(ge=1)] = 1) -> list[str]:
    return ["%s"] * times


@app.post("/people")
def people(person: Person) -> Person:
    return person


@app.get("/pid")
def pid() -> int:
    return os.getpid()
"""


def drive(side: Side) -> None:
    side.write({"app.py": APP % "one", "other.py": ""})
    side.run("uvicorn", "--version")
    for reloader in ("watchfiles", "stat"):
        _reloads(side, reloader)


def _reloads(side: Side, reloader: str) -> None:
    port = free_port()
    place = f"http://127.0.0.1:{port}"
    side.write({"app.py": APP % "one"})
    # Without watchfiles uvicorn looks at the times of files.
    hide = {"PYTHONPATH": str(side.work / "hidden")} if reloader == "stat" else {}
    side.write({"hidden/watchfiles.py": "raise ImportError\n"})
    with side.serve("uvicorn", "app:app", "--reload", "--port", str(port), variables=hide) as server:
        side.note("page", server.get(f"{place}/?times=2"))
        side.note("invalid", server.get(f"{place}/?times=0"))
        body = b'{"name": "x", "mail": "x@example.org"}'
        headers = {"content-type": "application/json"}
        side.note("post", server.get(f"{place}/people", data=body, headers=headers))
        side.note("schema", server.json(f"{place}/openapi.json"))
        pid = server.get(f"{place}/pid")
        server.changed(f"{place}/pid", pid, lambda: side.write({"app.py": APP % "another"}))
        side.note("page after a change", server.get(place))
        side.stopped(server, signal.SIGINT)
        side.note("log", server.log.replace(str(port), "PORT"), ordered=False)


PROGRAM = Program(
    does="an application that uses pydantic's mail addresses, under `uvicorn --reload`, by watchfiles and by times",
    requirements=("fastapi", "uvicorn[standard]", "pydantic[email]"),
    drive=drive,
    quick="3.12",
    varying=(
        Rule(pattern=r"process \[\d+\]", replacement="process [PID]", reason="the system numbers processes"),
        Rule(pattern=r"127\.0\.0\.1:\d+ -", replacement="127.0.0.1:PORT -", reason="the client's port"),
        Rule(
            pattern=r"(?m)^(WARNING: .* detected changes in .*\. Reloading\.\.\.|\S+ changes? detected.*"
            r'|INFO: .*"GET /pid HTTP/1.1" 200 OK)\n?',
            replacement="",
            reason="how often it is asked, and in how many steps changes are seen, depends on speed",
        ),
    ),
)

"""JupyterLab: kernels are listed, and one cell of a notebook is run through the server's interface."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.process import free_port
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

# A client of its own: the program beside the server, as an editor is.
CLIENT = """\
import json, sys, uuid
from websocket import create_connection

place, token = sys.argv[1:]
kernel = json.load(sys.stdin)["id"]
socket = create_connection(f"ws://{place}/api/kernels/{kernel}/channels?token={token}", timeout=600)
header = {"msg_id": uuid.uuid4().hex, "username": "", "session": "s", "msg_type": "execute_request", "version": "5.3"}
code = "import ipykernel, numpy, sys\\nprint(ipykernel.__file__, numpy.arange(3))\\n(sys.prefix, 6 * 7)"
content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}
socket.send(json.dumps(message))
said = []
while True:
    answer = json.loads(socket.recv())
    if answer.get("parent_header", {}).get("msg_id") != header["msg_id"]:
        continue
    kind, content = answer["msg_type"], answer["content"]
    if kind in ("stream", "execute_result", "error"):
        said.append([kind, content.get("text") or content.get("data") or content.get("ename")])
    if kind == "status" and content["execution_state"] == "idle":
        break
print(json.dumps(said, indent=1))
"""
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": "one",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": "import numpy\nprint(numpy.arange(4).sum())\nnumpy.__file__",
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def drive(side: Side) -> None:
    side.write({"client.py": CLIENT, "a.ipynb": json.dumps(NOTEBOOK)})
    side.run("jupyter", "--version")
    side.run("jupyter", "kernelspec", "list", "--json")
    side.run("jupyter", "server", "extension", "list")
    side.run("jupyter", "labextension", "list")
    side.run("jupyter", "--paths", "--json")
    _serves(side)
    side.run("jupyter", "nbconvert", "--to", "notebook", "--execute", "a.ipynb", "--output", "b.ipynb")
    cells = json.loads((side.work / "b.ipynb").read_text(encoding="utf-8"))["cells"]
    side.note("executed", cells[0]["outputs"])
    side.run("jupyter", "nbconvert", "--to", "html", "--template", "basic", "b.ipynb")
    side.run("jupyter", "server", "extension", "disable", "jupyter_lsp", "--sys-prefix")
    side.run("jupyter", "labextension", "disable", "@jupyterlab/docmanager-extension")
    side.run("jupyter", "server", "extension", "list")
    side.run("jupyter", "labextension", "list")


def _serves(side: Side) -> None:
    port = free_port()
    place = f"127.0.0.1:{port}"
    words = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=secret"]
    with side.serve("jupyter", "lab", *words) as server:
        headers = {"Authorization": "token secret"}
        side.note("version", server.json(f"http://{place}/api", headers=headers))
        side.note("kernels", server.json(f"http://{place}/api/kernelspecs", headers=headers))
        page = server.get(f"http://{place}/lab", headers=headers)
        side.note("page", page.replace(str(port), "PORT"))
        settings = server.json(f"http://{place}/lab/api/settings", headers=headers)
        side.note("settings", sorted(setting["id"] for setting in settings["settings"]))
        kernel = server.get(f"http://{place}/api/kernels", headers=headers, data=b'{"name": "python3"}')
        side.run("python", "client.py", place, "secret", told=kernel, silent=True)
        notebook = server.json(f"http://{place}/api/contents/a.ipynb", headers=headers)
        side.note("notebook", notebook["content"])
        side.stopped(server, signal.SIGTERM)


PROGRAM = Program(
    does="`jupyter lab`: kernels, settings and the page; a cell run through its interface; a notebook run by"
    " `nbconvert`; a server extension and a lab extension disabled for this environment",
    requirements=("jupyterlab", "numpy", "websocket-client", "nbconvert", "ipykernel"),
    drive=drive,
    varying=(
        Rule(
            pattern=r"(?m)^Extension package \w+ took [\d.]+s to import\n",
            replacement="",
            reason="said of extensions that took more than a tenth of a second",
        ),
        Rule(
            pattern=r"Writing \d+ bytes", replacement="Writing BYTES", reason="the notebook's output has places in it"
        ),
        Rule(pattern=r"[0-9a-f]{8}-[0-9a-f-]{27}", replacement="ID", reason="made at random"),
        Rule(pattern=r"(_xsrf|\"?token\"?|nonce)[=:] ?\S+", replacement="SECRET", reason="made at random"),
        Rule(pattern=r"\b20\d\d-\d\d-\d\d[T ][\d:.]+(Z|\b)", replacement="TIME", reason="times of the run"),
    ),
)

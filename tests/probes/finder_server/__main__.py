"""Runs scenarios in the interpreter under test: `python -I -S -B finder_server SETUP`, one JSON document a line.

A scenario is trees and steps. Each runs in a forked child of its own, which builds the trees on disk, processes the
site-packages folder as a start of the interpreter does, takes the steps and answers with what each one saw. SETUP is a
JSON document: `run` (the folder to build in), `variant` ("plain": everything is really unpacked in site-packages;
"locked": what is locked lies in a store), and for "locked" how it is found there (`template`: a folder with a
bootstrap, or `naive`: a file with a finder).

Answers of two variants are compared as they are. What may differ is brought to one form here: the site-packages folder
and the store's entries are `<site>`, and a list of folders says each only once (a namespace package that lies in
several entries has several folders where a plain environment has one).

Python 3.8 and later, standard library only.
"""

import json
import os
import shutil
import signal
import sys
import traceback

# The folder is first on the path for its own modules alone.
sys.path[0] = os.path.dirname(sys.path[0])

from finder_server.beginning import start
from finder_server.places import Places
from finder_server.steps import Steps
from finder_server.trees import Trees

sys.path_importer_cache.pop(sys.path.pop(0), None)

SECONDS_FOR_ONE_SCENARIO = 60


def on_stderr(text, places):
    """What was said on stderr, without the tracebacks' inner lines (they show the lines of other files)."""
    return [places.plain(line) for line in text.splitlines() if line.strip() and not line.startswith("    ")]


def run(setup, scenario):
    """Run one scenario in this process: its answers, one for each step."""
    places = Places(setup["run"], scenario)
    if os.path.isdir(places.run):
        shutil.rmtree(places.run)
    os.makedirs(places.run)
    trees = Trees(places, setup["variant"], scenario)
    trees.build()
    said = os.path.join(places.run, "stderr")
    with open(said, "wb") as stream:
        os.dup2(stream.fileno(), 2)
    sys.start_up = []
    start(places, setup, scenario)
    steps = Steps(places, trees, scenario)
    answers = [[["start"], {"answer": [steps.sys_path(), in_groups(sys.start_up)]}]]
    for step in scenario["steps"]:
        answers.append([step, steps.take(step)])
    answers.append([["end"], {"answer": [steps.sys_path(), in_groups(sys.start_up), steps.loaded()]}])
    sys.stderr.flush()
    with open(said, encoding="utf-8") as stream:
        answers.append([["stderr"], {"answer": on_stderr(stream.read(), places)}])
    return answers


def in_groups(lines):
    """Group what start-up lines reported by where they lie: the order among locked and real ones is not kept."""
    groups = {}
    for where, what in lines:
        groups.setdefault(where, []).append(what)
    return groups


def child(setup, scenario, answer_to):
    signal.alarm(SECONDS_FOR_ONE_SCENARIO)
    try:
        answer = {"answers": run(setup, scenario)}
    except BaseException:
        answer = {"crash": traceback.format_exc()}
    with os.fdopen(answer_to, "w") as stream:
        json.dump(answer, stream)


def serve(setup):
    # The answers have their own way out: whatever a scenario prints must not get between them.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reading)
            child(setup, json.loads(line), writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            answer = stream.read()
        status = os.waitpid(pid, 0)[1]
        out.write((answer or json.dumps({"crash": "the process ended with status {}".format(status)})) + "\n")
        out.flush()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))

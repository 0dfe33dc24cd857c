"""Run the command line, and send this process a signal just before it changes the disk for the n-th time.

``python dying.py N SIGNAL WORD...``; the changes are counted that the interpreter's audit hooks tell of. With N 0
nothing is sent, and the number of changes is the last line of stderr.
"""

import os
import signal
import sys

EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.utime"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
at, number = int(sys.argv[1]), getattr(signal, sys.argv[2])
count = 0


def watch(event, arguments):
    global count
    if event in EVENTS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES):
        if event == "open" and "__pycache__" in str(arguments[0]):
            return  # the interpreter's own, for what it imports
        count += 1
        if count == at:
            os.kill(os.getpid(), number)


sys.dont_write_bytecode = True
from multisite.cli import run  # noqa: E402

sys.addaudithook(watch)
code = run(sys.argv[3:])
if not at:
    sys.stderr.write("%d\n" % count)
sys.exit(code)

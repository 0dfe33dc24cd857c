"""Real programs in a plain environment and in a multisite one: the same exit codes, the same output.

By hand: ``python -m tests.programs [NAME…] [--python 3.12] [--folder DIR] [--keep] [--write docs/programs.md]``.

A program is a file in ``drivers/`` with a ``PROGRAM`` in it: requirements, and a function that starts the program,
talks to it and stops it. It is run once for each environment, and everything that it was told (exit codes, output,
answers of servers, lists of files) must be equal. What may differ between any two runs of one program, times and
process ids for example, is named in the driver with its reason, and replaced by a word before the comparison. No file
of the store but bytecode may have changed afterwards.
"""

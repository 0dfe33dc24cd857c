"""One file for each program."""

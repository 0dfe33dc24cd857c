"""The parts of the server, one noun each; `__main__.py` says what it is."""

"""Whatever parses foreign bytes, given samples with random changes.

Each target may answer with an error of multisite's own, and with nothing else: no other exception, no file outside of
the folder that it was given, no hang, no memory without bound. The normal test run has a few hundred changes for each
(tests/test_fuzzing.py); by hand, for as long as one likes: ``python -m tests.fuzzing TARGET --minutes N``.
"""

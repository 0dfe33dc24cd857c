"""Tests of others, in a plain environment and in a multisite one: test for test the same outcome.

By hand: ``python -m tests.suites [NAME…] [--python 3.12] [--folder DIR] [--write FILE]``. CPython's own tests of what
touches imports are run as the interpreter has them; those of distributions from their wheel, or from their sdist where
the wheel has none. Tests that fail in both are no difference: what is compared is the finder, not the tests.
"""

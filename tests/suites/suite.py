"""A test suite of others: where it is, what it needs, and which part of it is run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SUITES", "Suite"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite.

    ``modules`` are unittest modules of the interpreter; ``pytest`` are pytest's arguments. ``sdist`` is the
    distribution whose source distribution the tests are in, at the version that is locked; ``keep`` what of it is
    needed, so that its own package is not imported in place of the locked one.
    """

    name: str
    pythons: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    pytest: tuple[str, ...] = ()
    sdist: str = ""
    keep: tuple[str, ...] = ()

    @property
    def runs(self) -> str:
        """What is run, in one line."""
        return " ".join(self.modules or self.pytest)


_IMPORTS = (
    "test.test_importlib",
    "test.test_import",
    "test.test_pkgutil",
    "test.test_pkg",
    "test.test_runpy",
    "test.test_site",
    "test.test_zipimport",
)
_EVERY = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

SUITES = (
    Suite(name="cpython", pythons=_EVERY, requirements=("requests", "attrs", "setuptools"), modules=_IMPORTS),
    Suite(
        name="attrs",
        pythons=("3.12",),
        requirements=("attrs", "pytest", "hypothesis", "cloudpickle", "pytest-xdist"),
        pytest=("tests", "-p", "no:cacheprovider"),
        sdist="attrs",
        keep=("tests", "conftest.py", "pyproject.toml"),
    ),
    Suite(
        name="importlib-metadata",
        pythons=("3.12",),
        requirements=("importlib-metadata", "pytest", "pyfakefs", "importlib-resources", "jaraco-test", "packaging"),
        pytest=("tests", "-p", "no:cacheprovider"),
        sdist="importlib-metadata",
        keep=("tests", "conftest.py"),
    ),
    Suite(
        name="importlib-resources",
        pythons=("3.13",),
        requirements=("importlib-resources", "pytest", "jaraco-test", "zipp"),
        pytest=("--pyargs", "importlib_resources.tests"),
    ),
    Suite(
        name="sqlalchemy",
        pythons=("3.13",),
        requirements=("sqlalchemy", "pytest", "greenlet", "typing-extensions"),
        pytest=("test/base", "test/engine", "-p", "no:cacheprovider", "--db", "sqlite"),
        sdist="sqlalchemy",
        keep=("test", "examples", "lib/sqlalchemy/testing/plugin", "setup.cfg", "pyproject.toml", "tools"),
    ),
    Suite(
        name="numpy",
        pythons=("3.12",),
        requirements=("numpy", "pytest", "hypothesis"),
        pytest=(
            "--pyargs",
            *("numpy._core.tests.test_dtype", "numpy._core.tests.test_array_coercion", "numpy.tests"),
            *("numpy.lib.tests.test_io", "numpy.typing.tests.test_isfile"),
        ),
    ),
    Suite(
        name="pandas",
        pythons=("3.12",),
        requirements=("pandas", "pytest", "hypothesis"),
        pytest=("--pyargs", "pandas.tests.api", "pandas.tests.config", "pandas.tests.io.json.test_normalize"),
    ),
    Suite(
        name="sympy",
        pythons=("3.12",),
        requirements=("sympy", "pytest", "hypothesis"),
        pytest=(
            "--pyargs",
            "sympy.core.tests.test_basic",
            "sympy.core.tests.test_symbol",
            "sympy.utilities.tests.test_iterables",
        ),
    ),
)

"""pytest with plugins: several processes, coverage, asynchronous tests, rewritten assertions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.header import Rule
from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

TESTS = """\
import asyncio, os, pytest
from shop import price
from hypothesis import given, strategies


@pytest.mark.parametrize("number", range(12))
def test_price(number):
    assert price(number) == number * 2


def test_fails():
    left = {"a": [1, 2, 3], "b": "x"}
    assert left == {"a": [1, 2, 4], "b": "x"}


@pytest.mark.asyncio
async def test_async():
    await asyncio.sleep(0)
    assert price(2) == 4


@given(strategies.integers())
def test_property(number):
    assert price(number) % 2 == 0


def test_mock(mocker):
    mocker.patch("os.getcwd", return_value="nowhere")
    assert os.getcwd() == "nowhere"


def test_dirty(tmp_path, request):
    assert [p for p in request.config.pluginmanager.list_plugin_distinfo()] and tmp_path.is_dir()
"""
SHOP = """\
def price(number):
    '''
    >>> price(1)
    2
    '''
    if number is None:
        return 0
    return number * 2
"""
ASKS = """\
import pytest, sys


class Asks:
    def pytest_sessionstart(self, session):
        manager = session.config.pluginmanager
        print(sorted((p.__name__ if hasattr(p, "__name__") else "", d.project_name, d.version)
                     for p, d in manager.list_plugin_distinfo()))
        import pytest_asyncio.plugin, xdist.plugin, pytest_cov.plugin
        for module in (pytest_asyncio.plugin, xdist.plugin, pytest_cov.plugin):
            print(module.__name__, type(module.__loader__).__name__)


sys.exit(pytest.main(["-q", "--co", "-p", "no:cacheprovider"], plugins=[Asks()]))
"""


def drive(side: Side) -> None:
    side.write({"shop.py": SHOP, "test_shop.py": TESTS, "asks.py": ASKS, "setup.cfg": "[tool:pytest]\n"})
    side.run("pytest", "--version", "--version")
    side.run("pytest", "-p", "no:randomly")
    side.run("pytest", "-n", "2", "-q", ordered=False)
    side.run("pytest", "-q", "--cov", "--cov-branch", "--cov-report", "term-missing", "--cov-report", "json")
    side.run("pytest", "-q", "--cov=shop", "-n", "2", ordered=False)
    side.run("pytest", "--import-mode=importlib", "--doctest-modules", "-q", "shop.py", "test_shop.py")
    side.run("pytest", "--pyargs", "-q", "idna", "--co")
    # Plugins are registered in the order of a folder's entries.
    side.run("pytest", "--trace-config", "--co", "-q", ordered=False)
    side.run("pytest", "--fixtures", "-q")
    side.run("python", "-O", "-m", "pytest", "-q")
    side.run("python", "asks.py")
    side.run("python", "-m", "coverage", "run", "-m", "pytest", "-q")
    side.run("python", "-m", "coverage", "report", "--include", "*/work/*")


PROGRAM = Program(
    does="tests with `pytest-xdist`, `-cov`, `-asyncio`, `-mock` and hypothesis: rewritten assertions, doctests, two"
    " import modes, `--pyargs`, `-O`, which plugins are seen and how they were loaded",
    requirements=("pytest", "pytest-xdist", "pytest-cov", "pytest-asyncio", "pytest-mock", "hypothesis", "idna"),
    drive=drive,
    pythons=("3.8", "3.13"),
    varying=(
        Rule(
            pattern=r"(?m)^plugins: .*\n|^  (pytest-|hypothesis-).* at .*\n",
            replacement="",
            reason="plugins are in the order of a folder's entries, which is any; `asks.py` shows them sorted",
        ),
        Rule(pattern=r"in \d+\.\d+s( \([\d:]+\))?", replacement="in TIME", reason="how long the tests took"),
        Rule(
            pattern=r"={3,}|-{3,}|_{3,}",
            replacement="---",
            reason="lines are filled up by the width of what is in them",
        ),
        Rule(pattern=r"0x[0-9a-f]+|id='?\d+'?", replacement="ADDRESS", reason="addresses in memory"),
        Rule(pattern=r"\[gw\d\]|gw\d", replacement="WORKER", reason="tests go to whichever worker is free"),
        Rule(pattern=r"(?m)^[.F]+ +\[", replacement="DOTS [", reason="results come in the order of the workers"),
        Rule(pattern=r"using pytest-of-\S+|pytest-\d+", replacement="TEMPORARY", reason="numbered folders"),
    ),
)

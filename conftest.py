"""What every test module can ask for."""

from __future__ import annotations

import functools
import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, settings

from tests import builders
from tests.machine import hear_interrupts
from tests.pythons import found_pythons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from multisite.store import Store
    from tests.fetching import Bench


class MakeWheel(Protocol):
    """``tests.builders.make_wheel``, bound to a folder."""

    def __call__(self, name: str, version: str = ..., files: builders.Tree | None = ..., **options: Any) -> Path: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--exhaustive", action="store_true", help="run the tests that take many minutes as well")


def pytest_configure() -> None:
    hear_interrupts()
    # How long an example takes says more about the machine than about the code.
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--exhaustive"):
        for item in items:
            if item.get_closest_marker("exhaustive"):
                item.add_marker(pytest.mark.skip(reason="takes many minutes; run with --exhaustive"))


def pytest_report_header() -> str:
    return f"pythons: {', '.join(found_pythons())}"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever runs the tests may have an environment of multisite's active, or bytecode switched off.
    for name in ("MULTISITE_STORE", "MULTISITE_DISABLE", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _index_for_marked(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("index"):
        request.getfixturevalue("index")


@pytest.fixture
def make_wheel(tmp_path: Path) -> MakeWheel:
    """Make wheels in a folder of this test's own."""
    return functools.partial(builders.make_wheel, tmp_path / "wheels")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store."""
    from multisite.store import Store

    return Store.open(tmp_path / "store")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a folder behind an index, and a place to fetch into."""
    from tests.fetching import Bench

    with Bench.opened(tmp_path) as bench:
        yield bench


@pytest.fixture(scope="session")
def interpreters() -> dict[str, Path]:
    """Return one interpreter for each minor version of CPython that is there, by ``3.8`` and so on."""
    return found_pythons()


@pytest.fixture(scope="session")
def index() -> None:
    """Skip what needs a package index when none answers."""
    from uv import find_uv_bin

    command = [find_uv_bin(), "pip", "compile", "--no-header", "--quiet", "--no-cache", "-"]
    done = subprocess.run(command, input=b"idna", capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no package index answers")

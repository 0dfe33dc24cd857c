"""The folder of environments, for all tests of the comparison."""

from __future__ import annotations

import pytest

from tests.parity.environments import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Bench:
    """Return the folder of environments, which all processes of a run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "parity"
    folder.mkdir(exist_ok=True)
    return Bench(folder=folder.resolve())


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))

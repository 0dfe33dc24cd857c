"""The content digest of real distributions, from their wheels and from what pip and uv install from these."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from multisite.installed import installed_digest
from multisite.store import Artifact, Store
from tests.test_content import by_pip, by_uv, make_environment, pip, site_packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["pip"]

pytestmark = [pytest.mark.index, pytest.mark.slow]

# Between them: console scripts, scripts that begin with #!python, a binary as a script, data files, headers, extension
# modules, bytecode, a .pth file, pip's scripts named after the interpreter.
DISTRIBUTIONS = os.environ.get(
    "CONTENT_DISTRIBUTIONS",
    "attrs docutils greenlet idna jmespath jupyterlab-pygments markupsafe pip ruff setuptools wheel",
).split()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory, pip: Path) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    command = [str(pip), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([*command, *options, *DISTRIBUTIONS], check=True)
    found = sorted(folder.iterdir())
    assert len(found) == len(DISTRIBUTIONS)
    return found


@pytest.mark.parametrize("installer", [by_pip, by_uv])
def test_what_installers_make_of_a_wheel_has_its_digest(
    tmp_path: Path, store: Store, wheels: list[Path], pip: Path, installer: Callable[[Path, list[Path], Path], None]
) -> None:
    environment = make_environment(tmp_path / "venv")
    installer(environment, wheels, pip)
    site = site_packages(environment)
    added = [store.add_wheel(wheel, artifact=Artifact.of(wheel)).manifest for wheel in wheels]
    expected = {manifest.dist_info: manifest.digest for manifest in added}
    assert {info: installed_digest(site, info, environment) for info in expected} == expected

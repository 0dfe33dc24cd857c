"""The distributions that are really installed in a site-packages folder, by whatever tool."""

from __future__ import annotations

from importlib.metadata import Distribution
from typing import TYPE_CHECKING

from multisite._runtime.installed import is_whole
from multisite.doctor.examination import RealDistribution
from multisite.manifest import top_level
from multisite.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.utils import NormalizedName

__all__ = ["real_distributions"]


def real_distributions(site_packages: Path) -> dict[NormalizedName, RealDistribution]:
    """Return what is really installed in *site_packages*, by name.

    Each folder is read by itself: where the interpreter that runs this has a finder of ours, a search would find what
    is locked as well.
    """
    found = (_read(path) for path in _metadata(site_packages))
    return {real.name: real for real in found}


def _metadata(site_packages: Path) -> Iterator[Path]:
    if site_packages.is_dir():
        for path in sorted(site_packages.iterdir()):
            is_metadata = path.name.endswith((".dist-info", ".egg-info", ".egg-link"))
            if is_metadata and is_whole(str(path)):  # type: ignore[no-untyped-call]
                yield path


def _read(path: Path) -> RealDistribution:
    if path.suffix == ".egg-link":  # a project that setuptools installed editable, in the way before PEP 660
        return RealDistribution(name=normalize(path.stem), version="(editable)")
    stem, _, version = path.name.rpartition(".")[0].partition("-")
    if not path.is_dir():  # distutils wrote a file
        return RealDistribution(name=normalize(stem), version=version.partition("-")[0])
    from packaging.metadata import parse_email

    distribution = Distribution.at(path)
    metadata, _ = parse_email(distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "")
    files = [file.as_posix() for file in distribution.files or ()]
    return RealDistribution(
        name=normalize(metadata.get("name", stem)),
        version=metadata.get("version", version),
        requires=tuple(metadata.get("requires_dist", ())),
        top_level=frozenset(top_level(file for file in files if not file.startswith(".."))),
    )

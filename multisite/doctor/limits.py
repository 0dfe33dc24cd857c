"""The check for distributions that do something which cannot be here what it is in a plain environment.

docs/parity.md says of each why, and has the case that shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName

from multisite.doctor.check import Fault
from multisite.native import linked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multisite.doctor.examination import Examination

__all__ = ["known_limits"]

# What all has to be locked -> what differs.
_LIMITS = {
    ("cuda-pathfinder",): (
        "cuda.pathfinder looks for NVIDIA's headers and libraries in folders of site-packages; it finds none that are "
        "locked, and may take those of another CUDA on this machine"
    ),
    ("urllib3-future", "urllib3"): (
        "urllib3-future replaces urllib3's files in a plain environment; here urllib3 stays what is locked"
    ),
}


def known_limits(examination: Examination) -> Iterator[Fault]:
    """Find locked distributions that behave in another way than in a plain environment."""
    for names, message in _LIMITS.items():
        if examination.builds.keys() >= set(map(NormalizedName, names)):
            yield Fault(subject=names[0], message=message)
    yield from _replaced_siblings(examination)


def _replaced_siblings(examination: Examination) -> Iterator[Fault]:
    """Find native libraries that look for those of a sibling where only one of the two is really installed."""
    builds = [build for build in examination.builds.values() if build.stored is not None]
    if not examination.real.keys() & {build.chosen.build.name for build in builds}:
        return
    pairs = linked([build.stored.manifest.native for build in builds if build.stored is not None])
    for one, other in sorted((builds[at].label, builds[found].label) for at, found in pairs if at != found):
        name, sibling = NormalizedName(one.partition(" ")[0]), NormalizedName(other.partition(" ")[0])
        installed, replaced = examination.real.get(name), examination.real.get(sibling)
        if replaced is not None and installed is None:
            message = f"the libraries of {one} load those of {other}, locked like it, not those of the really installed"
            yield Fault(subject=name, message=f"{message} {sibling} {replaced.version}")
        elif installed is not None and replaced is None:
            message = f"the libraries of {name} {installed.version}, really installed, look for those of {sibling} in"
            yield Fault(subject=name, message=f"{message} site-packages, where these are not")

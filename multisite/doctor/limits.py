"""The check for distributions that do something which cannot be here what it is in a plain environment.

docs/parity.md says of each why, and has the case that shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import NormalizedName

from multisite.doctor.check import Fault

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

"""What distributions and builds are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

__all__ = ["BuildId", "is_plain_name", "normalize"]

_SEPARATORS = re.compile(r"[-_.]+")
# What every platform takes as the name of one folder: nothing that climbs, hides, or that Windows drops or reserves.
_COMPONENT = re.compile(r"[a-z0-9](?:[a-z0-9_.+!-]*[a-z0-9])?", re.ASCII)
_UNSAFE = re.compile(r"[/\\:\x00-\x1f\x7f]")


def normalize(name: str) -> NormalizedName:
    """Return the one spelling of a project's *name* (PEP 503). Does not check that it is a valid name."""
    return cast("NormalizedName", _SEPARATORS.sub("-", name).lower())


def is_plain_name(name: str) -> bool:
    """Tell whether *name* is one of a file on every platform: no path, and nothing that acts on a terminal."""
    return name not in {"", ".", ".."} and not _UNSAFE.search(name)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BuildId:
    """One build of one version of a distribution: the address of an entry in a store.

    ``name`` is normalised, ``version`` is ``str(packaging.version.Version(…))``, ``build`` a readable tag and the
    start of the content digest (docs/formats.md, "Store layout").
    """

    name: NormalizedName
    version: str
    build: str

    @classmethod
    def parse(cls, text: str) -> BuildId:
        """Read ``name/version/build``. Raises ValueError for what is not three folder names, one in the other."""
        parts = text.split("/")
        if len(parts) != 3 or not all(_COMPONENT.fullmatch(part) for part in parts) or normalize(parts[0]) != parts[0]:
            raise ValueError(f"not a build's name: {text!r}")
        return cls(name=normalize(parts[0]), version=parts[1], build=parts[2])

    @property
    def path(self) -> str:
        """``name/version/build``."""
        return f"{self.name}/{self.version}/{self.build}"

    def __str__(self) -> str:
        return self.path

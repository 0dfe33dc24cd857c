"""Scenarios: trees of modules and metadata, where each lies, and the steps that a program takes among them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from packaging.utils import canonicalize_name

__all__ = ["BUILD", "Distribution", "Loose", "Scenario", "Step"]

Step = list[Any]
BUILD = "py3-none-any-0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One distribution. ``where`` is ``locked`` or a folder: ``before``, ``script``, ``site`` or ``after``.

    ``info`` is its metadata folder, empty where it has none (files that somebody copied there).
    """

    name: str
    version: str
    where: str
    info: str
    files: dict[str, str]

    @property
    def key(self) -> str:
        return canonicalize_name(self.name)

    @property
    def top_level(self) -> tuple[str, ...]:
        """What ``import`` could find directly in its folder."""
        parts = {path.split("/")[0] if "/" in path else path.rpartition(".py")[0] for path in self.files}
        return tuple(sorted(part for part in parts if part and part != self.info and "." not in part))

    @property
    def claims(self) -> dict[str, str]:
        """See docs/formats.md, "Entry manifest"."""
        packages = {path.rpartition("/")[0] for path in self.files if path.endswith("/__init__.py")}
        claims: dict[str, str] = {}
        for path in self.files:
            parts = path.split("/")
            if parts[0] == self.info or ("/" not in path and not path.endswith(".py")):
                continue
            parents = ["/".join(parts[:length]) for length in range(1, len(parts))]
            outermost = next((parent for parent in parents if parent in packages), None)
            if outermost:
                claims[outermost] = "package"
            elif path.endswith(".py"):
                claims[path[:-3]] = "module"
        return claims

    def collides(self, other: Distribution) -> bool:
        """Tell whether this and *other* need one real folder."""
        mine, theirs = self.claims, other.claims
        return any(path in theirs for path in mine) or _covers(mine, theirs) or _covers(theirs, mine)


def _covers(these: dict[str, str], those: dict[str, str]) -> bool:
    packages = [path + "/" for path, kind in these.items() if kind == "package"]
    return any(path.startswith(package) for package in packages for path in those)


@dataclass(frozen=True, kw_only=True)
class Loose:
    """A file that no distribution owns."""

    where: str
    path: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Trees, and steps among them. ``spare`` are distributions that steps install."""

    distributions: list[Distribution] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)
    spare: list[Distribution] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def locked(self) -> list[Distribution]:
        return sorted(
            (dist for dist in self.distributions if dist.where == "locked"),
            key=lambda dist: dist.key,
        )

    def entries(self) -> dict[str, str]:
        """Return where in a store each locked distribution's own entry is."""
        return {
            dist.key: f"multi-site-packages/{dist.key}/{dist.version}/{BUILD}/site-packages" for dist in self.locked
        }

    def roots(self) -> dict[str, str]:
        """Return where in a store each locked distribution is found, as the dispatch table has it."""
        roots = self.entries()
        for closure in _closures(self.locked):
            if len(closure) > 1:
                shared = "shared/" + "+".join(member.key for member in closure) + "/site-packages"
                roots.update({member.key: shared for member in closure})
        return roots

    def document(self) -> dict[str, Any]:
        """Return the scenario as the interpreters under test read it."""

        def written(dist: Distribution) -> dict[str, Any]:
            return {**asdict(dist), "key": dist.key}

        return {
            "distributions": [written(dist) for dist in self.distributions],
            "spare": [written(dist) for dist in self.spare],
            "loose": [asdict(loose) for loose in self.loose],
            "steps": self.steps,
            "roots": self.roots(),
            "entries": self.entries(),
        }


def _closures(distributions: list[Distribution]) -> list[list[Distribution]]:
    closures: list[list[Distribution]] = []
    for dist in distributions:
        touching = [closure for closure in closures if any(dist.collides(member) for member in closure)]
        closures = [closure for closure in closures if closure not in touching]
        closures.append(
            sorted(
                [dist, *(member for closure in touching for member in closure)],
                key=lambda d: d.key,
            )
        )
    return closures

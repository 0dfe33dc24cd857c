"""What a pyproject.toml asks for: its project, extras and dependency groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from multisite.names import normalize
from multisite.requirements_file import requirement_name, requirement_problem
from multisite.toml import NotToml, load_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

__all__ = ["PyProject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PyProject:
    """A pyproject.toml, as far as locking needs it.

    ``document`` is all of it. ``builds`` says whether it has a ``[build-system]``, so that its project can be installed
    itself. ``extras`` is None where only the build backend knows them. ``problems`` names each fault with its key path.
    """

    has_project: bool
    builds: bool
    extras: frozenset[str] | None
    groups: frozenset[str]
    problems: tuple[str, ...]
    document: Mapping[str, Any]

    @classmethod
    def parse(cls, data: bytes) -> PyProject:
        """Read the file's bytes; a file that is no TOML has nothing but its problem."""
        try:
            document = load_toml(data)
        except NotToml as error:
            problems = (str(error),)
            return cls(has_project=False, builds=False, extras=None, groups=frozenset(), problems=problems, document={})
        project = _table(document, "project")
        optional = _table(project, "optional-dependencies")
        groups = _table(document, "dependency-groups")
        left_open = project.get("dynamic")
        dynamic = "project" not in document or (isinstance(left_open, list) and "optional-dependencies" in left_open)
        return cls(
            has_project="project" in document,
            builds="build-system" in document,
            extras=None if dynamic else frozenset(map(normalize, optional)),
            groups=frozenset(map(normalize, groups)),
            problems=tuple(_problems(document)),
            document=document,
        )

    def missing(self, *, extras: Iterable[str], groups: Iterable[str]) -> Iterator[str]:
        """Say which of the wanted extras and groups it does not have."""
        if self.extras is not None:
            yield from _absent("extra", extras, self.extras)
        yield from _absent("dependency group", groups, self.groups)

    @property
    def python(self) -> str | None:
        """The versions of Python that its project is for, as it states them; None where it does not."""
        return _table(self.document, "project").get("requires-python")

    def is_static(self, extras: Collection[str]) -> bool:
        """Tell whether all that it asks for with these *extras* stands in it: nothing else is asked, nor built."""
        table = _table(self.document, "project")
        left_open = table.get("dynamic")
        dynamic = left_open if isinstance(left_open, list) else []
        needed = {"dependencies", "optional-dependencies"} if extras else {"dependencies"}
        return self.has_project and needed.isdisjoint(map(str, dynamic)) and not self.leads_elsewhere

    @property
    def leads_elsewhere(self) -> bool:
        """Whether it has uv take a distribution from a folder or file of this machine."""
        sources = _table(_table(_table(self.document, "tool"), "uv"), "sources")
        told = [source for found in sources.values() for source in (found if isinstance(found, list) else [found])]
        return any(isinstance(source, Mapping) and source.keys() & {"path", "workspace"} for source in told)

    def names(self, *, extras: Iterable[str], groups: Iterable[str], project: bool) -> Iterator[NormalizedName]:
        """Yield what it asks for by name, as far as that stands there: its dependencies, extras and groups."""
        table = _table(self.document, "project")
        optional = _normalized(_table(table, "optional-dependencies"))
        lists = [table.get("dependencies", []), *(optional.get(normalize(extra), []) for extra in extras)]
        requirements = [requirement for each in lists for requirement in each] if project else []
        requirements += _members(_normalized(_table(self.document, "dependency-groups")), groups)
        yield from filter(None, map(requirement_name, requirements))


def _members(groups: Mapping[str, Any], wanted: Iterable[str]) -> Iterator[str]:
    """Yield the requirements of groups and of those that they include (PEP 735), each group once."""
    waiting, seen = list(map(normalize, wanted)), set()
    while waiting:
        group = waiting.pop()
        if group in seen:
            continue
        seen.add(group)
        for member in groups.get(group, []):
            if isinstance(member, str):
                yield member
            else:
                waiting.append(normalize(member["include-group"]))


def _normalized(table: Mapping[str, Any]) -> dict[str, Any]:
    return {normalize(key): value for key, value in table.items()}


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}


def _absent(what: str, wanted: Iterable[str], offered: frozenset[str]) -> Iterator[str]:
    for name in wanted:
        if normalize(name) not in offered:
            yield f"no {what} {name!r}; it has {', '.join(sorted(offered)) or 'none'}"


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    for key in ("project", "build-system", "dependency-groups"):
        if not isinstance(document.get(key, {}), Mapping):
            yield f"{key}: not a table"
    project = _table(document, "project")
    if "project" in document and not isinstance(project.get("name"), str):
        yield "project.name: missing, or not a text"
    yield from _python_problems(project.get("requires-python", ""))
    yield from _list_problems("project.dependencies", project.get("dependencies", []))
    for extra, requirements in _table(project, "optional-dependencies").items():
        yield from _list_problems(f"project.optional-dependencies.{extra}", requirements)
    yield from _group_problems(_table(document, "dependency-groups"))


def _python_problems(specifier: Any) -> Iterator[str]:
    if not isinstance(specifier, str):
        yield "project.requires-python: not a text"
        return
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier as error:
        yield f"project.requires-python: {error}"


def _list_problems(key: str, requirements: Any) -> Iterator[str]:
    if not isinstance(requirements, list):
        yield f"{key}: not a list"
        return
    for index, requirement in enumerate(requirements):
        if not isinstance(requirement, str):
            yield f"{key}[{index}]: not a text"
        elif problem := requirement_problem(requirement):
            yield f"{key}[{index}]: {requirement!r}: {problem}"


def _group_problems(groups: Mapping[str, Any]) -> Iterator[str]:
    known = set(map(normalize, groups))
    for group, members in groups.items():
        key = f"dependency-groups.{group}"
        if not isinstance(members, list):
            yield f"{key}: not a list"
            continue
        yield from _list_problems(key, [_stand_in(member) for member in members])
        for index, member in enumerate(members):
            included = member.get("include-group") if isinstance(member, Mapping) else None
            if included is not None and normalize(str(included)) not in known:
                yield f"{key}[{index}].include-group: no group {included!r}"
    yield from _circles(_included(groups))


def _included(groups: Mapping[str, Any]) -> dict[NormalizedName, list[NormalizedName]]:
    """Return which groups each group includes."""
    return {
        normalize(group): [
            normalize(str(member["include-group"]))
            for member in (members if isinstance(members, list) else ())
            if isinstance(member, Mapping) and "include-group" in member
        ]
        for group, members in groups.items()
    }


def _circles(included: Mapping[NormalizedName, Sequence[NormalizedName]]) -> Iterator[str]:
    """Tell each group that includes itself, the first of each circle."""
    known: set[NormalizedName] = set()
    for start in included:
        trails: list[tuple[NormalizedName, ...]] = [(start,)]
        seen = {start}
        while trails:
            trail = trails.pop()
            for group in included.get(trail[-1], ()):
                if group == start and not known.intersection(trail):
                    known.update(trail)
                    yield f"dependency-groups.{start}: it includes itself: {' -> '.join([*trail, start])}"
                elif group not in seen and group in included:
                    seen.add(group)
                    trails.append((*trail, group))


def _stand_in(member: Any) -> Any:
    """Let an include pass where requirements are judged."""
    return "included" if isinstance(member, Mapping) and set(member) == {"include-group"} else member

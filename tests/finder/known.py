"""Known differences to a plain environment: which scenarios are left out of the property test, and one of each.

All of them need a real distribution beside locked ones, or start-up files of an old kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.finder.generate import NSPKG
from tests.finder.scenario import Distribution, Scenario
from tests.finder.trees import REG, dist, loose

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EXAMPLES", "has_known_difference"]

NAMESPACE = dist("ns-a", {"ns/a.py": "", "ns_a-nspkg.pth": NSPKG.format("ns")})
FOLDER_LINE = {"a/__init__.py": "", "a.pth": "extra\n", "extra/extra_module.py": ""}

# What differs: scenario -> the steps whose answers do.
EXAMPLES: dict[str, tuple[Scenario, list[str]]] = {
    # A *-nspkg.pth adds a folder of site-packages that is not there; a plain environment has it.
    "nspkg-shadowed": (
        Scenario(
            distributions=[NAMESPACE, dist("ns-b", "ns.py")],
            steps=[["load", "ns"], ["load", "ns.a"]],
        ),
        ["load", "end"],
    ),
    # The __path__ of a package that is loaded already does not get the real folder that appears beside it.
    "appears-later": (
        Scenario(
            distributions=[REG],
            steps=[["load", "reg"], ["write_only", "site", "reg/late.py", "who = 'late'\n"], ["load", "reg.late"]],
        ),
        ["load", "end"],
    ),
    # Data beside a module is looked for in one folder; this package has two.
    "data-in-two-folders": (
        Scenario(
            distributions=[REG],
            loose=loose("site", "reg/text.txt"),
            steps=[["load", "reg.sub"], ["get_data_always", "reg", "text.txt"]],
        ),
        ["get_data_always"],
    ),
    # A folder that a locked distribution's start-up file added to sys.path stays when a real one replaces it.
    "folder-line-stays": (
        Scenario(
            distributions=[dist("a", FOLDER_LINE)],
            spare=[dist("a", "a/__init__.py", "site", "2.0")],
            steps=[["install", "a"], ["load", "extra_module"]],
        ),
        ["load", "end"],
    ),
    # A member of a shared folder is found in its own entry while another member is really installed.
    "folder-line-moves": (
        Scenario(
            distributions=[dist("a", FOLDER_LINE), dist("b", "a/b.py"), dist("b", "a/b.py", "site", "2.0")],
            steps=[["uninstall", "b"], ["addsitedir_again"]],
        ),
        ["end"],
    ),
}


def has_known_difference(scenario: Scenario) -> bool:
    """Tell whether *scenario* is left out of the property test."""
    return _nspkg_is_seen(scenario) or _folder_line_of_a_replaced_one(scenario)


def _nspkg_is_seen(scenario: Scenario) -> bool:
    # Resources: only until sys.path changes and the namespace's path is computed anew, or where it cannot be, as a
    # stranger's path hook stands before ours.
    names = {_top(path) for one in scenario.locked if _has_nspkg(one) for path in one.files if "/" in path}
    paths = set(_paths([*scenario.locked, *_real(scenario)]))
    shadowed = any({f"{name}.py", f"{name}/__init__.py"} & paths for name in names)
    return shadowed or any(step[0] == "resources" and step[1] in names for step in scenario.steps)


def _folder_line_of_a_replaced_one(scenario: Scenario) -> bool:
    roots = scenario.roots()
    folders = {roots[one.key] for one in scenario.locked if any(path.startswith("extra_") for path in one.files)}
    return any(roots.get(one.key) in folders for one in _real(scenario))


def _real(scenario: Scenario) -> list[Distribution]:
    return [one for one in scenario.distributions + scenario.spare if one.where == "site"]


def _paths(distributions: Iterable[Distribution]) -> list[str]:
    return [path for one in distributions for path in one.files]


def _has_nspkg(one: Distribution) -> bool:
    return any(path.endswith("-nspkg.pth") for path in one.files)


def _top(path: str) -> str:
    return path.partition("/")[0]

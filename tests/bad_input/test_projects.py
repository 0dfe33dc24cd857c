"""Projects that are not what they should be."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tests.bad_input.case import HERE, Case, Cases, Decorator, Words, listed
from tests.pythons import found_pythons

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases()


def refused(*problems: str) -> Decorator:
    sentence = problems[0] if len(problems) == 1 else listed("what was asked for cannot be read:", problems)
    return bad(2, sentence, "correct that, then run the same command again")


@refused("pyproject.toml: Expected newline or end of document after a statement (at line 3, column 14)")
def a_pyproject_that_is_no_toml(machine: Machine) -> Words:
    (machine.work / "pyproject.toml").write_text('[project]\nname = "app"\nversion = 1.0.0\n')
    return ["lock"]


@refused(
    "pyproject.toml: project.dependencies[0]: 'alpha >>> 1': Expected semicolon (after name with no version specifier) or end",
    "pyproject.toml: project.dependencies[1]: not a text",
    "pyproject.toml: project.optional-dependencies.x[0]: 'beta[': Expected matching RIGHT_BRACKET for LEFT_BRACKET, after extras",
    "pyproject.toml: dependency-groups.dev[1]: '==': Expected package name at the start of dependency specifier",
    "pyproject.toml: dependency-groups.dev[0].include-group: no group 'gone'",
)
def a_pyproject_with_several_faults(machine: Machine) -> Words:
    text = """\
        [project]
        name = "a b"
        version = "1"
        dependencies = ["alpha >>> 1", 5]
        [project.optional-dependencies]
        x = ["beta["]
        [dependency-groups]
        dev = [{include-group = "gone"}, "=="]
    """
    (machine.work / "pyproject.toml").write_text(textwrap.dedent(text))
    return ["lock"]


def _project(machine: Machine, text: str = "") -> None:
    (machine.work / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1"\ndependencies = ["alpha"]\n{text}'
    )


@refused("pyproject.toml: it is nested too deep to be read")
def a_pyproject_that_is_nested_without_end(machine: Machine) -> Words:
    (machine.work / "pyproject.toml").write_text(f"a = {'[' * 3000}{']' * 3000}\n")
    return ["lock"]


@refused(
    "pyproject.toml: project.requires-python: Invalid specifier: 'foo'",
    "pyproject.toml: dependency-groups.a: it includes itself: a -> b -> a",
    "pyproject.toml: dependency-groups.own: it includes itself: own -> own",
)
def a_pyproject_with_faults_across_its_parts(machine: Machine) -> Words:
    text = """\
        [project]
        name = "x"
        version = "1"
        requires-python = "foo"
        [dependency-groups]
        a = [{include-group = "B"}]
        b = [{include-group = "a"}]
        dev = [{include-group = "a"}, {include-group = "c"}]
        c = [{include-group = "d"}]
        d = []
        own = [{include-group = "own"}]
        """
    (machine.work / "pyproject.toml").write_text(textwrap.dedent(text))
    return ["lock"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    pyproject.toml: project.requires-python is '<3', and PYTHON is Python HERE
    next: choose another interpreter: --python PYTHON
    """,
    states=("new",),
)
def a_project_for_another_python(machine: Machine) -> Words:
    text = '[project]\nname = "x"\nversion = "1"\nrequires-python = "<3"\ndependencies = ["alpha"]\n'
    (machine.work / "pyproject.toml").write_text(text)
    return ["lock", "--python", found_pythons()[".".join(HERE.split(".")[:2])]]


@refused("pyproject.toml: no extra 'wbe'; it has web")
def an_extra_that_the_project_lacks(machine: Machine) -> Words:
    _project(machine, '[project.optional-dependencies]\nweb = ["alpha"]\n')
    return ["lock", "--extra", "wbe"]


@refused("pyproject.toml: no extra 'x'; it has none", "pyproject.toml: no dependency group 'devel'; it has dev")
def a_group_that_the_project_lacks(machine: Machine) -> Words:
    _project(machine, '[dependency-groups]\ndev = ["alpha"]\n')
    return ["lock", "--group", "devel", "--extra", "x"]


@refused("dependency groups need a pyproject.toml, and ROOT/work has none")
def groups_where_there_is_no_project(machine: Machine) -> Words:
    return ["lock", "alpha", "--group", "dev"]


@refused("extras belong to a project: give them as name[extra], or -r pyproject.toml")
def extras_of_nothing(machine: Machine) -> Words:
    return ["lock", "alpha", "--extra", "web"]


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)

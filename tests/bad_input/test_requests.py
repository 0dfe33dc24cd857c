"""What is asked for that cannot be had, or not be read."""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bad_input.case import Case, Cases, Decorator, Words, listed, locked

if TYPE_CHECKING:
    import pytest

    from tests.machine import Machine

bad = Cases()


def refused(*problems: str) -> Decorator:
    sentence = problems[0] if len(problems) == 1 else listed("what was asked for cannot be read:", problems)
    return bad(2, sentence, "correct that, then run the same command again")


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because only alpha==1.0 is available and you require alpha>=9, we can conclude that your requirements are unsatisfiable.
    next: loosen a requirement, or let locked versions move: --upgrade
    """,
)
def a_version_that_nobody_has(machine: Machine) -> Words:
    return ["lock", "alpha>=9"]


def _conflict(machine: Machine) -> None:
    for number in range(1, 9):
        machine.wheel(f"left{number}", "1.0", requires=[f"left{number + 1}==1.0"])
        machine.wheel(f"right{number}", "1.0", requires=[f"right{number + 1}==1.0"])
    machine.wheel("left9", "1.0", requires=["alpha<1"])
    machine.wheel("right9", "1.0", requires=["alpha>=1"])


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    all versions of left1 and all versions of right1 are incompatible.
    And because you require left1 and right1, we can conclude that your requirements are unsatisfiable.
    (8 earlier steps: --verbose)
    next: loosen a requirement, or let locked versions move: --upgrade
    """,
)
def requirements_that_contradict_each_other(machine: Machine) -> Words:
    _conflict(machine)
    return ["lock", "left1", "right1"]


@bad(
    1,
    """
    locking the command line
    error: no set of versions satisfies what was asked for:
    all versions of left1 and all versions of right1 are incompatible.
    And because you require left1 and right1, we can conclude that your requirements are unsatisfiable.
    (8 earlier steps: --verbose)
    next: loosen a requirement, or let locked versions move: --upgrade

    Because all versions of right9 depend on alpha>=1 and all versions of right8 depend on right9==1.0, we can conclude that all versions of right8 depend on alpha>=1.
    And because all versions of right7 depend on right8==1.0 and all versions of right6 depend on right7==1.0, we can conclude that all versions of right6 depend on alpha>=1.
    And because all versions of right5 depend on right6==1.0 and all versions of right4 depend on right5==1.0, we can conclude that all versions of right4 depend on alpha>=1.
    And because all versions of right3 depend on right4==1.0 and all versions of right2 depend on right3==1.0, we can conclude that all versions of right2 depend on alpha>=1.
    And because all versions of right1 depend on right2==1.0 and all versions of left9 depend on alpha<1, we can conclude that all versions of left9 and all versions of right1 are incompatible.
    And because all versions of left8 depend on left9==1.0 and all versions of left7 depend on left8==1.0, we can conclude that all versions of left7 and all versions of right1 are incompatible.
    And because all versions of left6 depend on left7==1.0 and all versions of left5 depend on left6==1.0, we can conclude that all versions of left5 and all versions of right1 are incompatible.
    And because all versions of left4 depend on left5==1.0 and all versions of left3 depend on left4==1.0, we can conclude that all versions of left3 and all versions of right1 are incompatible.
    And because all versions of left2 depend on left3==1.0 and all versions of left1 depend on left2==1.0, we can conclude that all versions of left1 and all versions of right1 are incompatible.
    And because you require left1 and right1, we can conclude that your requirements are unsatisfiable.
    """,
    states=("new",),
)
def requirements_that_contradict_each_other_told_whole(machine: Machine) -> Words:
    _conflict(machine)
    return ["lock", "left1", "right1", "-v"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because nosuch was not found in the package registry and you require nosuch, we can conclude that your requirements are unsatisfiable.
    next: correct the name, or name the index that has it: --index-url URL
    """,
)
def a_name_that_no_index_has(machine: Machine) -> Words:
    return ["lock", "nosuch"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because the current Python version (HERE) does not satisfy Python>=4 and future==1.0 depends on Python>=4, we can conclude that future==1.0 cannot be used.
    And because only future==1.0 is available and you require future, we can conclude that your requirements are unsatisfiable.
    next: ask for another version, or choose another interpreter: --python PYTHON
    """,
)
def only_for_another_python(machine: Machine) -> Words:
    machine.wheel("future", metadata="Requires-Python: >=4\n")
    return ["lock", "future"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because native==1.0 has no wheels with a matching platform tag (e.g., `PLATFORM`) and only native==1.0 is available, we can conclude that all versions of native cannot be used.
    And because you require native, we can conclude that your requirements are unsatisfiable.

    hint: Wheels are available for `native` (v1.0) on the following platform: `win_amd64`
    next: ask for another version, or choose another interpreter: --python PYTHON
    """,
)
def only_for_another_platform(machine: Machine) -> Words:
    machine.wheel("native", tag="py3-none-win_amd64")
    return ["lock", "native"]


@refused("'alpha >>> 1': Expected semicolon (after name with no version specifier) or end")
def a_malformed_requirement(machine: Machine) -> Words:
    return ["lock", "alpha >>> 1"]


@refused(
    "'alpha >>> 1': Expected semicolon (after name with no version specifier) or end",
    "'': an empty requirement",
    "'beta[': Expected matching RIGHT_BRACKET for LEFT_BRACKET, after extras",
    "'./nowhere': no such file or folder",
    "'--pre': an option is not a requirement",
)
def several_malformed_requirements(machine: Machine) -> Words:
    return ["lock", "alpha >>> 1", "", "beta[", "./nowhere", "--", "--pre"]


@bad(
    2,
    "nothing to lock: no requirement is given, and ROOT/work has no pyproject.toml with a project, no requirements.txt and no pylock.toml",
    "name what you need: multisite lock django",
)
def nothing_that_says_what_to_lock(machine: Machine) -> Words:
    return ["lock"]


@refused("'./empty': the folder has neither pyproject.toml nor setup.py")
def a_folder_that_is_no_project(machine: Machine) -> Words:
    (machine.work / "empty").mkdir()
    return ["lock", "./empty"]


@refused("'./gone-1.0-py3-none-any.whl': no such file or folder")
def a_wheel_that_is_not_there(machine: Machine) -> Words:
    return ["lock", "./gone-1.0-py3-none-any.whl"]


@refused("gone.txt: No such file or directory", "gone-too.txt: No such file or directory")
def a_requirements_file_that_is_not_there(machine: Machine) -> Words:
    return ["lock", "-r", "gone.txt", "-c", "gone-too.txt"]


@refused(
    "requirements.txt:3: 'beta >>> 1': Expected semicolon (after name with no version specifier) or end",
    "ROOT/work/other.txt:2: 'gamma[': Expected matching RIGHT_BRACKET for LEFT_BRACKET, after extras",
    "ROOT/work/other.txt:3: ROOT/work/gone.txt: No such file or directory",
)
def a_malformed_requirements_file(machine: Machine) -> Words:
    (machine.work / "requirements.txt").write_text("alpha\n# fine\nbeta >>> 1\n-r other.txt\n--nonsense\n")
    (machine.work / "other.txt").write_text("\ngamma[\n-c gone.txt\n")
    return ["lock", "-r", "requirements.txt"]


@refused("requirements.txt:2: not UTF-8")
def a_requirements_file_that_is_no_text(machine: Machine) -> Words:
    (machine.work / "requirements.txt").write_bytes(b"alpha\n\xff\xfe\n")
    return ["lock", "-r", "requirements.txt"]


@refused("requirements.txt: Is a directory")
def a_requirements_file_that_is_a_folder(machine: Machine) -> Words:
    (machine.work / "requirements.txt").mkdir()
    return ["lock", "-r", "requirements.txt"]


@refused(
    "requirements.txt:1: '/nowhere/x-1.0-py3-none-any.whl': no such file or folder",
    "requirements.txt:2: /dev/zero: it is not a regular file",
    "ROOT/work/large.txt: it is no requirements file: it has 16777216 bytes or more",
)
def requirements_files_without_end(machine: Machine) -> Words:
    (machine.work / "requirements.txt").write_text("/nowhere/x-1.0-py3-none-any.whl\n-r /dev/zero\n-r large.txt\n")
    with (machine.work / "large.txt").open("wb") as file:
        file.truncate(1 << 25)
    return ["lock", "-r", "requirements.txt"]


@bad(
    2,
    """
    error: requirements.txt: Expected package name starting with an alphanumeric character, found `$`
             ${NOWHERE}
             ^
    next: correct that, then run the same command again
    """,
)
def a_requirement_of_an_unknown_variable(machine: Machine) -> Words:
    (machine.work / "requirements.txt").write_text("${NOWHERE}\n")
    return ["lock", "-r", "requirements.txt"]


@bad(
    2,
    "--upgrade, --seed means nothing for a lockfile, and pylock.toml is all that is here",
    "name what you need: multisite lock REQUIREMENT",
)
def options_that_a_lockfile_has_no_use_for(machine: Machine) -> Words:
    locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl").rename(machine.work / "pylock.toml")
    return ["lock", "--upgrade", "--seed"]


@bad(2, "ROOT/work/folder: it is a folder", "name a file: -o FILE")
def a_place_for_the_lockfile_that_is_a_folder(machine: Machine) -> Words:
    (machine.work / "folder").mkdir()
    return ["lock", "alpha", "-o", "folder"]


@bad(
    2,
    """
    usage: multisite [-h] [--version] COMMAND ...
    multisite: error: unrecognized arguments: --quickly
    """,
)
def an_option_that_does_not_exist(machine: Machine) -> Words:
    return ["lock", "alpha", "--quickly"]


@bad(
    2,
    "usage: multisite [-h] [--version] COMMAND ...\nmultisite: error: argument COMMAND: invalid choice: 'install'"
    " (choose from 'lock', 'sync', 'doctor', 'list', 'view', 'gc', 'dedup', 'edit', 'share', 'verify')\n",
)
def a_command_that_does_not_exist(machine: Machine) -> Words:
    return ["install", "alpha"]


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)


def test_only_what_needs_uv_misses_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise FileNotFoundError("/venv/bin/uv")

    monkeypatch.setattr("uv.find_uv_bin", missing)
    lock = locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")
    machine.run("sync", lock).succeeded()
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"
    project = machine.project(machine.work / "mine", "mine")
    for words in (["lock", "alpha"], ["lock", "-e", project]):
        done = machine.run(*words, "-q")
        assert done.code == 3
        assert done.err.splitlines() == [
            "error: the resolver stopped:",
            "uv, which resolves and builds, is not installed beside multisite: /venv/bin/uv",
            "next: pip install uv",
        ]

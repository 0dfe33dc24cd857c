"""Whatever comes in: a sentence with the next thing to type, an exit code, and no damage.

Each function below arranges one thing that is wrong and returns the command. What is given to ``bad`` is the exit code
and the exact text on stderr; ROOT stands for the folder of the test, INDEX for the index. Every case runs where there
is no environment yet, and in one that holds a distribution; afterwards store and environment are as they were.
"""

# ruff: noqa: E501 -- sentences stand here as they are printed

from __future__ import annotations

import errno
import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from multisite.store import Store
from tests import builders
from tests.index import Fault
from tests.machine import Machine
from tests.pythons import found_pythons

Words: TypeAlias = "list[str | Path]"
Arrange: TypeAlias = Callable[[Machine], "Words"]

STATES = ("new", "existing")
LOCKS = {(".multisite", "lock"), (".venv", ".lock")}  # the other one is uv's


@dataclass(frozen=True)
class Case:
    arrange: Arrange
    code: int
    message: str
    states: tuple[str, ...]
    unprivileged: bool


CASES: dict[str, Case] = {}
HERE = ".".join(map(str, sys.version_info[:3]))


def bad(
    code: int, message: str, *, states: tuple[str, ...] = STATES, unprivileged: bool = False
) -> Callable[[Arrange], Arrange]:
    def add(arrange: Arrange) -> Arrange:
        text = textwrap.dedent(message).lstrip("\n")
        CASES[arrange.__name__] = Case(arrange, code, text, states, unprivileged)
        return arrange

    return add


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr("multisite.fetching._Job._pause", lambda job, seconds: None)
    with Machine.opened(tmp_path) as machine:
        prepare(machine)
        yield machine


def prepare(machine: Machine) -> None:
    machine.variables |= {"UV_HTTP_RETRIES": "0", "no_proxy": "*"}
    machine.wheel("alpha")
    machine.wheel("kept", "1.0")
    Store.open(machine.store)


def hashed(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lockfile(machine: Machine, text: str | bytes, name: str = "given.toml") -> Path:
    path = machine.work / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def entry(filename: str, **facts: Any) -> str:
    """Return a lockfile's text for one wheel."""
    name, version = filename.split("-")[:2]
    pairs = ", ".join(f"{key} = {value if isinstance(value, int) else _quoted(value)}" for key, value in facts.items())
    package = f'name = "{name}"\nversion = "{version}"\nwheels = [{{name = "{filename}", {pairs}}}]\n'
    return f'lock-version = "1.0"\ncreated-by = "somebody"\n\n[[packages]]\n{package}'


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'{key} = "{item}"' for key, item in value.items()) + "}"
    return f'"{value}"'


def locked(machine: Machine, wheel: Path, **facts: Any) -> Path:
    """Return a lockfile that names a wheel of the index, rightly but for the *facts* given."""
    given = {
        "url": machine.index.file_url(wheel.name),
        "size": wheel.stat().st_size,
        "hashes": {"sha256": hashed(wheel)},
    }
    return lockfile(machine, entry(wheel.name, **{**given, **facts}))


def existing(machine: Machine) -> None:
    machine.run("sync", locked(machine, machine.index.folder / "kept-1.0-py3-none-any.whl")).succeeded()
    (machine.work / "given.toml").unlink()


def files(*folders: Path) -> dict[str, object]:
    """Return everything in the folders but locks, and the folders themselves; as it is, not as it is named."""
    found: dict[str, object] = {}
    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            relative = path.relative_to(folder).parts
            if relative[:1] == ("locks",) or path.parts[-2:] in LOCKS or "__pycache__" in relative:
                continue
            if path.is_symlink():
                found[str(path)] = path.readlink()
            elif path.is_file():
                found[str(path)] = (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
    return found


def shown(text: str, machine: Machine) -> str:
    text = text.replace(machine.index.origin, "INDEX").replace(str(machine.folder), "ROOT")
    for path in found_pythons().values():
        text = text.replace(str(path), "PYTHON")
    for known, name in ((HERE, "HERE"), (f"cp{''.join(HERE.split('.')[:2])}", "cpXY")):
        text = text.replace(known, name)
    text = re.sub(r"manylinux_\d+_\d+_x86_64|manylinux\w*", "PLATFORM", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    return re.sub(r"Resolved 1 package.*\n", "", text)


# What is asked for.


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


@bad(
    2,
    """
    error: 'alpha >>> 1': Expected semicolon (after name with no version specifier) or end
    next: correct that, then run the same command again
    """,
)
def a_malformed_requirement(machine: Machine) -> Words:
    return ["lock", "alpha >>> 1"]


@bad(
    2,
    """
    error: what was asked for cannot be read:
      - 'alpha >>> 1': Expected semicolon (after name with no version specifier) or end
      - '': an empty requirement
      - 'beta[': Expected matching RIGHT_BRACKET for LEFT_BRACKET, after extras
      - './nowhere': no such file or folder
      - '--pre': an option is not a requirement
    next: correct that, then run the same command again
    """,
)
def several_malformed_requirements(machine: Machine) -> Words:
    return ["lock", "alpha >>> 1", "", "beta[", "./nowhere", "--", "--pre"]


@bad(
    2,
    """
    error: nothing to lock: no requirement is given, and ROOT/work has no pyproject.toml with a project, no requirements.txt and no pylock.toml
    next: name what you need: multisite lock django
    """,
)
def nothing_that_says_what_to_lock(machine: Machine) -> Words:
    return ["lock"]


@bad(
    2,
    """
    error: './empty': the folder has neither pyproject.toml nor setup.py
    next: correct that, then run the same command again
    """,
)
def a_folder_that_is_no_project(machine: Machine) -> Words:
    (machine.work / "empty").mkdir()
    return ["lock", "./empty"]


@bad(
    2,
    """
    error: './gone-1.0-py3-none-any.whl': no such file or folder
    next: correct that, then run the same command again
    """,
)
def a_wheel_that_is_not_there(machine: Machine) -> Words:
    return ["lock", "./gone-1.0-py3-none-any.whl"]


@bad(
    2,
    """
    error: what was asked for cannot be read:
      - gone.txt: No such file or directory
      - gone-too.txt: No such file or directory
    next: correct that, then run the same command again
    """,
)
def a_requirements_file_that_is_not_there(machine: Machine) -> Words:
    return ["lock", "-r", "gone.txt", "-c", "gone-too.txt"]


@bad(
    2,
    """
    error: what was asked for cannot be read:
      - requirements.txt:3: 'beta >>> 1': Expected semicolon (after name with no version specifier) or end
      - ROOT/work/other.txt:2: 'gamma[': Expected matching RIGHT_BRACKET for LEFT_BRACKET, after extras
      - ROOT/work/other.txt:3: ROOT/work/gone.txt: No such file or directory
    next: correct that, then run the same command again
    """,
)
def a_malformed_requirements_file(machine: Machine) -> Words:
    (machine.work / "requirements.txt").write_text("alpha\n# fine\nbeta >>> 1\n-r other.txt\n--nonsense\n")
    (machine.work / "other.txt").write_text("\ngamma[\n-c gone.txt\n")
    return ["lock", "-r", "requirements.txt"]


@bad(
    2,
    """
    error: requirements.txt:2: not UTF-8
    next: correct that, then run the same command again
    """,
)
def a_requirements_file_that_is_no_text(machine: Machine) -> Words:
    (machine.work / "requirements.txt").write_bytes(b"alpha\n\xff\xfe\n")
    return ["lock", "-r", "requirements.txt"]


@bad(
    2,
    """
    error: requirements.txt: Is a directory
    next: correct that, then run the same command again
    """,
)
def a_requirements_file_that_is_a_folder(machine: Machine) -> Words:
    (machine.work / "requirements.txt").mkdir()
    return ["lock", "-r", "requirements.txt"]


@bad(
    2,
    """
    error: pyproject.toml: Expected newline or end of document after a statement (at line 3, column 14)
    next: correct that, then run the same command again
    """,
)
def a_pyproject_that_is_no_toml(machine: Machine) -> Words:
    (machine.work / "pyproject.toml").write_text('[project]\nname = "app"\nversion = 1.0.0\n')
    return ["lock"]


@bad(
    2,
    """
    error: what was asked for cannot be read:
      - pyproject.toml: project.dependencies[0]: 'alpha >>> 1': Expected semicolon (after name with no version specifier) or end
      - pyproject.toml: project.dependencies[1]: not a text
      - pyproject.toml: project.optional-dependencies.x[0]: 'beta[': Expected matching RIGHT_BRACKET for LEFT_BRACKET, after extras
      - pyproject.toml: dependency-groups.dev[1]: '==': Expected package name at the start of dependency specifier
      - pyproject.toml: dependency-groups.dev[0].include-group: no group 'gone'
    next: correct that, then run the same command again
    """,
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


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: it is nested too deep to be read
    next: write it anew: multisite lock
    """,
)
def a_lockfile_that_is_nested_without_end(machine: Machine) -> Words:
    return ["sync", lockfile(machine, f'lock-version = "1.0"\nx = {"[" * 3000}{"]" * 3000}\n')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: it is nested too deep to be read
    next: write it anew: multisite lock
    """,
)
def a_lockfile_with_a_key_of_many_parts(machine: Machine) -> Words:
    return ["sync", lockfile(machine, f'lock-version = "1.0"\n{".".join(["x"] * 3000)} = 1\n')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: a number in it has too many digits to be read
    next: write it anew: multisite lock
    """,
)
def a_lockfile_with_a_number_without_end(machine: Machine) -> Words:
    return ["sync", lockfile(machine, f'lock-version = "1.0"\nx = {"9" * 5000}\n')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: line 1: it begins with a byte order mark (BOM), which TOML has not; save it as UTF-8 without one
    next: write it anew: multisite lock
    """,
)
def a_lockfile_with_a_byte_order_mark(machine: Machine) -> Words:
    return ["sync", lockfile(machine, '\ufefflock-version = "1.0"\n')]


@bad(
    2,
    """
    error: pyproject.toml: it is nested too deep to be read
    next: correct that, then run the same command again
    """,
)
def a_pyproject_that_is_nested_without_end(machine: Machine) -> Words:
    (machine.work / "pyproject.toml").write_text(f"a = {'[' * 3000}{']' * 3000}\n")
    return ["lock"]


@bad(
    2,
    """
    error: what was asked for cannot be read:
      - pyproject.toml: project.requires-python: Invalid specifier: 'foo'
      - pyproject.toml: dependency-groups.a: it includes itself: a -> b -> a
      - pyproject.toml: dependency-groups.own: it includes itself: own -> own
    next: correct that, then run the same command again
    """,
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


@bad(
    2,
    """
    error: what was asked for cannot be read:
      - requirements.txt:1: '/nowhere/x-1.0-py3-none-any.whl': no such file or folder
      - requirements.txt:2: /dev/zero: it is not a regular file
      - ROOT/work/large.txt: it is no requirements file: it has 16777216 bytes or more
    next: correct that, then run the same command again
    """,
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
    """
    error: pyproject.toml: no extra 'wbe'; it has web
    next: correct that, then run the same command again
    """,
)
def an_extra_that_the_project_lacks(machine: Machine) -> Words:
    _project(machine, '[project.optional-dependencies]\nweb = ["alpha"]\n')
    return ["lock", "--extra", "wbe"]


@bad(
    2,
    """
    error: what was asked for cannot be read:
      - pyproject.toml: no extra 'x'; it has none
      - pyproject.toml: no dependency group 'devel'; it has dev
    next: correct that, then run the same command again
    """,
)
def a_group_that_the_project_lacks(machine: Machine) -> Words:
    _project(machine, '[dependency-groups]\ndev = ["alpha"]\n')
    return ["lock", "--group", "devel", "--extra", "x"]


@bad(
    2,
    """
    error: dependency groups need a pyproject.toml, and ROOT/work has none
    next: correct that, then run the same command again
    """,
)
def groups_where_there_is_no_project(machine: Machine) -> Words:
    return ["lock", "alpha", "--group", "dev"]


@bad(
    2,
    """
    error: extras belong to a project: give them as name[extra], or -r pyproject.toml
    next: correct that, then run the same command again
    """,
)
def extras_of_nothing(machine: Machine) -> Words:
    return ["lock", "alpha", "--extra", "web"]


@bad(
    2,
    """
    error: --upgrade, --seed means nothing for a lockfile, and pylock.toml is all that is here
    next: name what you need: multisite lock REQUIREMENT
    """,
)
def options_that_a_lockfile_has_no_use_for(machine: Machine) -> Words:
    locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl").rename(machine.work / "pylock.toml")
    return ["lock", "--upgrade", "--seed"]


@bad(
    2,
    """
    error: ROOT/work/folder: it is a folder
    next: name a file: -o FILE
    """,
)
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
    """
    usage: multisite [-h] [--version] COMMAND ...
    multisite: error: argument COMMAND: invalid choice: 'install' (choose from 'lock', 'sync', 'doctor', 'list', 'view')
    """,
)
def a_command_that_does_not_exist(machine: Machine) -> Words:
    return ["install", "alpha"]


# Sources that cannot be built.


def _sdist(machine: Machine, name: str, setup: str) -> Path:
    import tarfile

    folder = builders.write_tree(
        machine.folder / "sources" / f"{name}-1.0",
        {
            "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
            "backend.py": setup,
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        },
    )
    path = machine.index.folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, f"{name}-1.0")
    return path


BROKEN = "import sys\ndef build_wheel(*args, **kwargs):\n    sys.exit('no compiler here')\n"
FOREIGN = """\
import zipfile
def build_wheel(folder, *args, **kwargs):
    zipfile.ZipFile(folder + "/other-2.0-py3-none-any.whl", "w").close()
    return "other-2.0-py3-none-any.whl"
"""


def _locked_sdist(machine: Machine, path: Path) -> Path:
    name = path.name.split("-")[0]
    text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "{name}"\nversion = "1.0"\n'
    url, sha256 = machine.index.file_url(path.name), hashed(path)
    return lockfile(machine, f'{text}sdist = {{url = "{url}", hashes = {{sha256 = "{sha256}"}}}}\n')


@bad(
    1,
    """
    error: broken 1.0: building a wheel failed:
    Building wheel from source distribution...
    no compiler here
    error: Failed to build `broken-1.0.tar.gz`
      cause: The build backend returned an error
      cause: Call to `backend.build_wheel` failed (exit status: 1)

    hint: Build failures usually indicate a problem with the package or the build environment
    next: install what the build misses, or lock a version that has a wheel
    """,
)
def a_source_whose_build_fails(machine: Machine) -> Words:
    return ["sync", _locked_sdist(machine, _sdist(machine, "broken", BROKEN))]


@bad(
    1,
    """
    error: foreign 1.0: building a wheel failed:
    Building wheel from source distribution...
    error: Failed to build `foreign-1.0.tar.gz`
      cause: The source distribution declares name foreign, but the wheel declares name other
    next: install what the build misses, or lock a version that has a wheel
    """,
)
def a_source_that_builds_something_else(machine: Machine) -> Words:
    return ["sync", _locked_sdist(machine, _sdist(machine, "foreign", FOREIGN))]


@bad(
    3,
    """
    error: the resolver stopped:
    Building broken==1.0
    error: Failed to build `broken==1.0`
      cause: The build backend returned an error
      cause: Call to `backend.build_wheel` failed (exit status: 1)

             [stderr]
             no compiler here

    hint: Build failures usually indicate a problem with the package or the build environment
    next: install what the build misses, or ask for a version that has a wheel
    """,
)
def a_source_whose_metadata_cannot_be_had(machine: Machine) -> Words:
    _sdist(machine, "broken", BROKEN)
    return ["lock", "broken"]


@bad(
    1,
    """
    error: ROOT/work: building a wheel failed:
       Building app @ file://ROOT/work
    error: Failed to build `app @ file://ROOT/work`
      cause: The build backend returned an error
      cause: Call to `backend.build_editable` failed (exit status: 1)

             [stderr]
             the build is broken on purpose

    hint: Build failures usually indicate a problem with the package or the build environment
    next: install what the build misses, or lock a version that has a wheel
    """,
)
def a_project_whose_editable_build_fails(machine: Machine) -> Words:
    machine.project(machine.work, "app")
    (machine.work / "broken").touch()
    return ["lock", "-r", "pyproject.toml", "-e", "."]


@bad(
    1,
    """
    error: gone: building a wheel failed:
    ROOT/work/gone: no such folder
    next: put the folder back, or lock without it: multisite lock
    """,
)
def a_source_folder_that_is_gone(machine: Machine) -> Words:
    text = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "gone"\ndirectory = {path = "gone"}\n'
    return ["sync", lockfile(machine, text)]


@bad(
    1,
    """
    error: gone: building a wheel failed:
    repositories of hg are not supported; git's are
    next: install what the build misses, or lock a version that has a wheel
    """,
)
def a_repository_of_an_unknown_kind(machine: Machine) -> Words:
    vcs = '{type = "hg", url = "https://h.test/x", commit-id = "1"}'
    text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "gone"\nvcs = {vcs}\n'
    return ["sync", lockfile(machine, text)]


@bad(
    1,
    """
    error: gone: building a wheel failed:
    fatal: repository 'ROOT/work/gone.git' does not exist
    next: install what the build misses, or lock a version that has a wheel
    """,
)
def a_repository_that_is_not_there(machine: Machine) -> Words:
    vcs = f'{{type = "git", path = "gone.git", commit-id = "{"1" * 40}"}}'
    text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "gone"\nvcs = {vcs}\n'
    return ["sync", lockfile(machine, text)]


# Lockfiles.


@bad(
    2,
    """
    error: ROOT/work/gone.toml: there is no such lockfile
    next: write one: multisite lock REQUIREMENT
    """,
)
def a_lockfile_that_is_not_there(machine: Machine) -> Words:
    return ["sync", "gone.toml"]


@bad(
    3,
    """
    error: ROOT/work/.venv: there is no environment, and no lockfile to make one from: ./pylock.toml
    next: name what you need: multisite lock REQUIREMENT
    """,
    states=("new",),
)
def no_lockfile_at_all(machine: Machine) -> Words:
    return ["sync"]


@bad(
    2,
    """
    error: ROOT/work/folder.toml: it cannot be read: Is a directory
    next: name another: multisite sync LOCKFILE
    """,
)
def a_lockfile_that_is_a_folder(machine: Machine) -> Words:
    (machine.work / "folder.toml").mkdir()
    return ["sync", "folder.toml"]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: Invalid statement (at line 3, column 1)
    next: write it anew: multisite lock
    """,
)
def a_lockfile_that_is_no_toml(machine: Machine) -> Words:
    return ["sync", lockfile(machine, 'lock-version = "1.0"\ncreated-by = "x"\n<<<<<<< HEAD\npackages = []\n')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: line 2: not UTF-8
    next: write it anew: multisite lock
    """,
)
def a_lockfile_that_is_no_text(machine: Machine) -> Words:
    return ["sync", lockfile(machine, b'lock-version = "1.0"\n# \xff\n')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile
      - lock-version: Missing required value
      - created-by: Missing required value
      - packages: Missing required value
    next: write it anew: multisite lock
    """,
)
def an_empty_lockfile(machine: Machine) -> Words:
    return ["sync", lockfile(machine, "")]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: Unterminated string (at end of document)
    next: write it anew: multisite lock
    """,
)
def a_lockfile_that_is_half_there(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, text[:-20])]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile
      - requires-python: Invalid specifier: 'three'
      - packages[0].wheels[0].size: -1 is negative
      - packages[0].wheels[0].hashes.sha256: 'xyz' is not such a hash
      - packages[1].name: Name 'B b' is not normalized
      - packages[2].name: Missing required value
    next: write it anew: multisite lock
    """,
)
def a_lockfile_with_several_faults(machine: Machine) -> Words:
    one = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", size=-1, hashes={"sha256": "xyz"})
    two = '[[packages]]\nname = "B b"\nversion = "?"\n[[packages]]\nversion = "1"\n'
    return ["sync", lockfile(machine, f'requires-python = "three"\n{one}{two}')]


@bad(
    3,
    """
    error: ROOT/work/given.toml: lockfile has format '2.0'; this multisite knows format 1
    next: upgrade multisite: pip install --upgrade multisite
    """,
)
def a_lockfile_of_a_later_format(machine: Machine) -> Words:
    return ["sync", lockfile(machine, 'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile
      - packages[0].wheels[0]: Invalid wheel filename '../alpha-1.0-py3-none-any.whl'
      - packages[1].archive.subdirectory: '../..' leads out of the source
    next: write it anew: multisite lock
    """,
)
def a_lockfile_whose_files_climb(machine: Machine) -> Words:
    facts = {"hashes": {"sha256": "0" * 64}, "url": "https://h.test/x"}
    text = entry("alpha-1.0-py3-none-any.whl", **facts).replace('name = "alpha-1.0-py3', 'name = "../alpha-1.0-py3')
    archive = f'archive = {{url = "https://h.test/b.zip", subdirectory = "../..", hashes = {{sha256 = "{"0" * 64}"}}}}'
    return ["sync", lockfile(machine, f'{text}[[packages]]\nname = "b"\n{archive}\n')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: not a valid lockfile: packages[0].wheels[0].hashes: md5 can be forged or is unknown; sha256 is needed
    next: write it anew: multisite lock
    """,
)
def a_lockfile_with_hashes_that_can_be_forged(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"md5": "0" * 32})
    return ["sync", lockfile(machine, text)]


@bad(
    1,
    """
    error: ROOT/work/given.toml: it is for Python >=4, and this is HERE
    next: lock for this interpreter: multisite lock
    """,
)
def a_lockfile_for_another_python(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, f'requires-python = ">=4"\n{text}')]


@bad(
    1,
    """
    error: ROOT/work/given.toml: it is for other environments: sys_platform == "win32" or sys_platform == "darwin"
    next: lock for this interpreter: multisite lock
    """,
)
def a_lockfile_for_other_systems(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    environments = "environments = [\"sys_platform == 'win32'\", \"sys_platform == 'darwin'\"]\n"
    return ["sync", lockfile(machine, environments + text)]


@bad(
    1,
    """
    error: ROOT/work/given.toml: native 1.0 has no wheel for this interpreter (cpXY-cpXY-linux_x86_64) and no source distribution
    next: lock for this interpreter: multisite lock
    """,
)
def a_lockfile_with_wheels_for_another_platform(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("native", tag="py3-none-win_amd64"))]


@bad(
    1,
    """
    error: ROOT/work/given.toml: native 1.0 has no wheel for this interpreter (cpXY-cpXY-linux_x86_64) and no source distribution
    next: lock for this interpreter: multisite lock
    """,
)
def a_lockfile_with_wheels_for_another_python(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("native", tag="cp27-cp27mu-manylinux1_x86_64"))]


@bad(
    1,
    """
    error: ROOT/work/given.toml: alpha 1.0 needs Python <3, and this is HERE
    next: lock for this interpreter: multisite lock
    """,
)
def a_distribution_for_another_python(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, text.replace("wheels =", 'requires-python = "<3"\nwheels ='))]


@bad(
    1,
    """
    error: ROOT/work/given.toml: several entries for alpha apply
    next: lock for this interpreter: multisite lock
    """,
)
def two_entries_that_apply_at_once(machine: Machine) -> Words:
    text = entry("alpha-1.0-py3-none-any.whl", url="https://h.test/a.whl", hashes={"sha256": "0" * 64})
    return ["sync", lockfile(machine, text + text[text.index("[[") :].replace("1.0", "2.0"))]


@bad(
    1,
    """
    error: ROOT/work/given.toml: no extra web; it has a, b
    next: choose what it has, or lock with it: multisite lock --extra web
    """,
)
def an_extra_that_the_lockfile_lacks(machine: Machine) -> Words:
    return ["sync", "--extra", "web", lockfile(machine, _with("extras"))]


@bad(
    1,
    """
    error: ROOT/work/given.toml: no dependency group web; it has a, b
    next: choose what it has, or lock with it: multisite lock --group web
    """,
)
def a_group_that_the_lockfile_lacks(machine: Machine) -> Words:
    return ["sync", "--group", "web", lockfile(machine, _with("dependency-groups"))]


def _with(key: str) -> str:
    return f'lock-version = "1.0"\ncreated-by = "x"\n{key} = ["b", "a"]\npackages = []\n'


# Files that are not what the lockfile names, or not to be had.


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: sha256 is HASH, but the lockfile says HASH; nothing of it was used
    next: find out who changed the file; if it is meant to be so: multisite lock --upgrade
    """,
)
def another_file_of_the_same_size(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=bytes(wheel.stat().st_size)))
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: size is 26 bytes, but the lockfile says 1234 bytes; nothing of it was used
    next: find out who changed the file; if it is meant to be so: multisite lock --upgrade
    """,
)
def a_page_in_the_place_of_a_file(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=b"<html>please log in</html>"))
    return ["sync", locked(machine, wheel, size=1234)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: size is more than 1234 bytes, but the lockfile says 1234 bytes; nothing of it was used
    next: find out who changed the file; if it is meant to be so: multisite lock --upgrade
    """,
)
def a_file_that_never_ends(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=bytes(1 << 20), unannounced=True))
    return ["sync", locked(machine, wheel, size=1234)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: sha256 is HASH, but the lockfile says HASH; nothing of it was used
    next: find out who changed the file; if it is meant to be so: multisite lock --upgrade
    """,
)
def a_local_file_that_was_changed(machine: Machine) -> Words:
    (machine.work / "alpha-1.0-py3-none-any.whl").write_bytes(b"changed")
    facts = {"path": "alpha-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}
    return ["sync", lockfile(machine, entry("alpha-1.0-py3-none-any.whl", **facts))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from ROOT/work/gone/alpha-1.0-py3-none-any.whl: No such file or directory
    next: put the file there, or lock anew: multisite lock --upgrade
    """,
)
def a_local_file_that_is_gone(machine: Machine) -> Words:
    facts = {"path": "gone/alpha-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}
    return ["sync", lockfile(machine, entry("alpha-1.0-py3-none-any.whl", **facts))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from INDEX/files/gone: 404 Not Found
    next: lock anew what the index has now: multisite lock --upgrade
    """,
)
def a_file_that_the_server_lacks(machine: Machine) -> Words:
    return ["sync", lockfile(machine, _elsewhere(f"{machine.index.origin}/files/gone"))]


def _elsewhere(url: str) -> str:
    return entry("alpha-1.0-py3-none-any.whl", url=url, hashes={"sha256": "0" * 64})


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from INDEX/files/x: 401 Unauthorized
    next: give user and password in the index's address, or in ~/.netrc
    """,
)
def a_server_that_wants_a_password(machine: Machine) -> Words:
    machine.index.credentials = "me:secret"
    return ["sync", lockfile(machine, _elsewhere(f"{machine.index.origin}/files/x".replace("://", "://you:hidden@")))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from INDEX/files/x: 500 Internal Server Error (tried 4 times)
    next: check the network, then run the same command again
    """,
)
def a_server_that_is_out_of_order(machine: Machine) -> Words:
    machine.index.fail("x", Fault(status=500, content=b"oops"))
    return ["sync", lockfile(machine, _elsewhere(f"{machine.index.origin}/files/x"))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from INDEX/files/x: the connection broke off (tried 4 times)
    next: check the network, then run the same command again
    """,
)
def a_server_that_hangs_up(machine: Machine) -> Words:
    machine.index.fail("x", Fault(content=b"0123456789", break_after=3))
    return ["sync", lockfile(machine, _elsewhere(f"{machine.index.origin}/files/x"))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from INDEX/files/x: a redirect: addresses of the kind 'file' are not fetched
    next: try again, or lock anew with another index
    """,
)
def a_redirect_to_a_file_of_this_machine(machine: Machine) -> Words:
    machine.index.fail("x", Fault(status=302, content=b"", headers={"Location": "file:///etc/passwd"}))
    return ["sync", lockfile(machine, _elsewhere(f"{machine.index.origin}/files/x"))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from INDEX/files/x: more than 20 redirects
    next: try again, or lock anew with another index
    """,
)
def redirects_in_a_circle(machine: Machine) -> Words:
    machine.index.fail("x", Fault(status=302, content=b"", headers={"Location": "x"}))
    return ["sync", lockfile(machine, _elsewhere(f"{machine.index.origin}/files/x"))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from http://127.0.0.1:1/x: Connection refused (tried 4 times)
    next: check the network, then run the same command again
    """,
)
def no_network(machine: Machine) -> Words:
    return ["sync", lockfile(machine, _elsewhere("http://127.0.0.1:1/x"))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from http://host.invalid/x: the host is not known (tried 4 times)
    next: check the network, then run the same command again
    """,
)
def a_host_that_does_not_exist(machine: Machine) -> Words:
    return ["sync", lockfile(machine, _elsewhere("http://host.invalid/x"))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from https://h.test/x: it is not here, and --offline is given
    next: run the command without --offline
    """,
)
def no_network_wanted(machine: Machine) -> Words:
    return ["sync", "--offline", lockfile(machine, _elsewhere("https://h.test/x"))]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from ftp://h.test/x: addresses of the kind 'ftp' are not fetched
    next: try again, or lock anew with another index
    """,
)
def a_kind_of_address_that_nobody_fetches(machine: Machine) -> Words:
    return ["sync", lockfile(machine, _elsewhere("ftp://h.test/x"))]


@bad(
    3,
    """
    error: the resolver stopped:
    Failed to fetch: http://127.0.0.1:1/simple/alpha/
      cause: error sending request for url (http://127.0.0.1:1/simple/alpha/)
      cause: client error (Connect)
      cause: tcp connect error
      cause: Connection refused (os error 111)
    next: check the network and the index's address (--index-url URL), then try again
    """,
)
def no_network_for_the_index(machine: Machine) -> Words:
    return ["lock", "alpha", "--index-url", "http://127.0.0.1:1/simple"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because alpha was not found in the cache and you require alpha, we can conclude that your requirements are unsatisfiable.

    hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may only be read from the cache.
    next: run the command without --offline
    """,
)
def no_network_wanted_for_the_index(machine: Machine) -> Words:
    return ["lock", "alpha", "--offline"]


@bad(
    3,
    """
    error: the resolver stopped:
    Failed to fetch: INDEX/simple/alpha/
      cause: HTTP status server error (500 Internal Server Error) for url (INDEX/simple/alpha/)
    next: check the network and the index's address (--index-url URL), then try again
    """,
)
def an_index_that_is_out_of_order(machine: Machine) -> Words:
    machine.index.fail("simple/alpha", Fault(status=500, content=b"oops"))
    return ["lock", "alpha"]


@bad(
    1,
    """
    error: no set of versions satisfies what was asked for:
    Because alpha was not found in the package registry and you require alpha, we can conclude that your requirements are unsatisfiable.

    hint: An index URL (INDEX/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)
    next: give user and password in the index's address, or in ~/.netrc
    """,
)
def an_index_that_wants_a_password(machine: Machine) -> Words:
    machine.index.credentials = "me:secret"
    return ["lock", "alpha", "--index-url", machine.index.url.replace("://", "://you:hidden@")]


@bad(
    3,
    """
    error: the resolver stopped:
    Received some unexpected JSON from `INDEX/simple/alpha/`
      cause: key must be a string at line 1 column 2
    next: check the index's address: --index-url URL
    """,
)
def an_index_that_answers_nonsense(machine: Machine) -> Words:
    garbage = Fault(content=b"{]", headers={"Content-Type": "application/vnd.pypi.simple.v1+json"})
    machine.index.fail("simple/alpha", garbage)
    return ["lock", "alpha"]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: sha256 is HASH, but the lockfile says HASH; nothing of it was used
    next: find out who changed the file; if it is meant to be so: multisite lock --upgrade
    """,
)
def an_index_whose_file_is_another_than_it_says(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    machine.index.fail(wheel.name, Fault(content=bytes(wheel.stat().st_size)))
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: alpha-1.0-py3-none-any.whl: could not be fetched from INDEX/files/alpha-1.0-py3-none-any.whl: 404 Not Found
    next: lock anew what the index has now: multisite lock --upgrade
    """,
)
def an_index_that_lists_a_file_that_it_lacks(machine: Machine) -> Words:
    machine.index.fail(machine.wheel("alpha").name, Fault(status=404, content=b""))
    return ["lock", "alpha"]


# Wheels.


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: it is not a whole zip archive: File is not a zip file
    next: report it to the project that published it, or lock another version
    """,
)
def a_truncated_wheel(machine: Machine) -> Words:
    wheel = machine.wheel("alpha", files={"alpha.py": "x" * 5000})
    wheel.write_bytes(wheel.read_bytes()[:-200])
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: it is not a whole zip archive: File is not a zip file
    next: report it to the project that published it, or lock another version
    """,
)
def a_wheel_that_is_no_archive(machine: Machine) -> Words:
    wheel = machine.index.folder / "alpha-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not an archive")
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: it is not a whole zip archive: File is not a zip file
    next: report it to the project that published it, or lock another version
    """,
)
def an_empty_wheel(machine: Machine) -> Words:
    wheel = machine.index.folder / "alpha-1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: alpha.py: encrypted
    next: report it to the project that published it, or lock another version
    """,
)
def an_encrypted_wheel(machine: Machine) -> Words:
    wheel = machine.wheel("alpha")
    data = bytearray(wheel.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    wheel.write_bytes(bytes(data))
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: alpha.py: damaged: Bad CRC-32 for file 'alpha.py'
    next: report it to the project that published it, or lock another version
    """,
)
def a_wheel_with_a_damaged_file(machine: Machine) -> Words:
    wheel = machine.wheel("alpha", files={"alpha.py": "original = 1\n"}, compression=zipfile.ZIP_STORED)
    wheel.write_bytes(wheel.read_bytes().replace(b"original", b"modified"))
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: WHEEL: Wheel-Version is '2.0'; versions 1.x are known
    next: report it to the project that published it, or lock another version
    """,
)
def a_wheel_of_a_later_format(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("alpha", wheel_version="2.0"))]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: METADATA: Metadata-Version is '9.1'; versions 1.x and 2.x are known
    next: report it to the project that published it, or lock another version
    """,
)
def metadata_of_a_later_format(machine: Machine) -> Words:
    text = "Metadata-Version: 9.1\nName: alpha\nVersion: 1.0\n"
    wheel = machine.wheel("alpha", dist_info_files={"METADATA": text})
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel
      - METADATA: the name is 'omega', not the wheel's, alpha
      - METADATA: the version is '3.0', not the wheel's, 1.0
    next: report it to the project that published it, or lock another version
    """,
)
def metadata_of_another_distribution(machine: Machine) -> Words:
    text = "Metadata-Version: 2.1\nName: omega\nVersion: 3.0\n"
    return ["sync", locked(machine, machine.wheel("alpha", dist_info_files={"METADATA": text}))]


def _with_record(machine: Machine, change: Callable[[list[str]], list[str]]) -> Words:
    def edit(rows: builders.Rows) -> builders.Rows:
        return [change(row) if row[0] == "alpha.py" else row for row in rows]

    return ["sync", locked(machine, machine.wheel("alpha", edit_record=edit))]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel
      - alpha.py: its sha256 is not the one in RECORD
      - alpha.py: it has 16 bytes, and 99 in RECORD
    next: report it to the project that published it, or lock another version
    """,
)
def a_record_with_other_hashes_and_sizes(machine: Machine) -> Words:
    return _with_record(machine, lambda row: [row[0], builders.record_hash(b"other"), "99"])


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: alpha.py: RECORD has no hash
    next: report it to the project that published it, or lock another version
    """,
)
def a_record_without_hashes(machine: Machine) -> Words:
    return _with_record(machine, lambda row: [row[0], "", ""])


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: RECORD, line 1: expected path, hash and size, found 4 fields
    next: report it to the project that published it, or lock another version
    """,
)
def a_record_that_cannot_be_read(machine: Machine) -> Words:
    return _with_record(machine, lambda row: ["../alpha.py", "sha256=?", "many", "more"])


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: unlisted.py: in the archive, but not in RECORD
    next: report it to the project that published it, or lock another version
    """,
)
def a_record_and_files_that_disagree(machine: Machine) -> Words:
    wheel = machine.wheel(
        "alpha",
        files={"alpha.py": "", "listed.py": ""},
        without=["listed.py"],
        extra_members=[("unlisted.py", b"")],
    )
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: alpha-1.0.dist-info/RECORD: missing
    next: report it to the project that published it, or lock another version
    """,
)
def a_wheel_without_a_record(machine: Machine) -> Words:
    return ["sync", locked(machine, machine.wheel("alpha", without=["alpha-1.0.dist-info/RECORD"]))]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel: it must have one .dist-info folder, found none
    next: report it to the project that published it, or lock another version
    """,
)
def a_wheel_without_dist_info(machine: Machine) -> Words:
    wheel = machine.index.folder / "alpha-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("alpha.py", "")
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel
      - ../evil.py: leads out of the wheel
      - /etc/evil: leads out of the wheel
      - a\\b.py: a backslash or control character in the name
      - link: a symbolic link
    next: report it to the project that published it, or lock another version
    """,
)
def files_that_lead_out_of_the_wheel(machine: Machine) -> Words:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    members: list[builders.Member] = [("../evil.py", b""), ("/etc/evil", b""), ("a\\b.py", b""), (link, b"/etc")]
    return ["sync", locked(machine, machine.wheel("alpha", extra_members=members))]


@bad(
    1,
    """
    error: alpha-1.0-py3-none-any.whl: not a valid wheel
      - A.py: lands where a.py does, or differs only by case or Unicode form
      - alpha-1.0.data/purelib/a.py: lands where a.py does, or differs only by case or Unicode form
    next: report it to the project that published it, or lock another version
    """,
)
def two_files_in_one_place(machine: Machine) -> Words:
    wheel = machine.wheel("alpha", files={"a.py": "1", "A.py": "2"}, data={"purelib": {"a.py": "3"}})
    return ["sync", locked(machine, wheel)]


@bad(
    1,
    """
    error: omega-1.0-py3-none-any.whl: not a valid wheel: it is omega 1.0, and alpha is locked
    next: report it to the project that published it, or lock another version
    """,
)
def a_wheel_of_another_distribution_by_its_address(machine: Machine) -> Words:
    wheel = machine.wheel("omega")
    facts = f'{{url = "{machine.index.file_url(wheel.name)}", hashes = {{sha256 = "{hashed(wheel)}"}}}}'
    text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\narchive = {facts}\n'
    return ["sync", lockfile(machine, text)]


# Stores.


def _store(machine: Machine, document: str) -> Words:
    (machine.store / "store.json").write_text(document)
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: store ROOT/file: not a folder
    next: choose another: --store DIR or MULTISITE_STORE
    """,
)
def a_store_that_is_a_file(machine: Machine) -> Words:
    (machine.folder / "file").write_text("precious")
    return ["lock", "alpha", "--store", machine.folder / "file"]


@bad(
    3,
    """
    error: store ROOT/file/store: Not a directory
    next: choose another: --store DIR or MULTISITE_STORE
    """,
)
def a_store_below_a_file(machine: Machine) -> Words:
    (machine.folder / "file").write_text("precious")
    return ["lock", "alpha", "--store", machine.folder / "file" / "store"]


@bad(
    3,
    """
    error: store ROOT/photos: no store, and not empty: it holds cat.jpg
    next: choose another: --store DIR or MULTISITE_STORE
    """,
)
def a_store_in_a_folder_of_something_else(machine: Machine) -> Words:
    return ["lock", "alpha", "--store", builders.write_tree(machine.folder / "photos", {"cat.jpg": "precious"})]


@bad(
    3,
    """
    error: ROOT/store/store.json: store has format 2; this multisite knows format 1
    next: upgrade multisite: pip install --upgrade multisite
    """,
    states=("new",),
)
def a_store_of_a_later_format(machine: Machine) -> Words:
    return _store(machine, '{"format": 2, "id": "x", "min_writer": 2}')


@bad(
    3,
    """
    error: ROOT/store: store, to write to it, has format 2; this multisite knows format 1
    next: upgrade multisite: pip install --upgrade multisite
    """,
    states=("new",),
)
def a_store_that_only_later_releases_write_to(machine: Machine) -> Words:
    return _store(machine, f'{{"format": 1, "id": "{"0" * 32}", "min_writer": 2}}')


@bad(
    3,
    """
    error: ROOT/store/store.json: not a valid store: not JSON at line 1, column 13: Expecting ',' delimiter
    next: move cat.jpg elsewhere, which is nothing of a store's, then: multisite sync
    """,
    states=("new",),
)
def a_store_whose_description_is_damaged(machine: Machine) -> Words:
    (machine.store / "cat.jpg").write_text("precious")
    return _store(machine, '{"format": 1')


@bad(
    3,
    """
    error: store ROOT/store: Permission denied
    next: choose another: --store DIR or MULTISITE_STORE
    """,
    states=("new",),
    unprivileged=True,
)
def a_store_that_cannot_be_written(machine: Machine) -> Words:
    for folder in [machine.store, *machine.store.rglob("*")]:
        folder.chmod(0o555 if folder.is_dir() else 0o444)
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: store ROOT/closed/store: Permission denied
    next: choose another: --store DIR or MULTISITE_STORE
    """,
    states=("new",),
    unprivileged=True,
)
def a_store_that_cannot_be_made(machine: Machine) -> Words:
    (machine.folder / "closed").mkdir(mode=0o555)
    return ["lock", "alpha", "--store", machine.folder / "closed" / "store"]


@bad(
    3,
    """
    error: store ROOT/store: Permission denied
    next: choose another: --store DIR or MULTISITE_STORE
    """,
    states=("new",),
    unprivileged=True,
)
def a_store_that_cannot_be_read(machine: Machine) -> Words:
    (machine.store / "store.json").chmod(0)
    return ["lock", "alpha"]


# Environments.


@bad(
    3,
    """
    error: ROOT/work/.venv: it is a file, not a folder
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def an_environment_that_is_a_file(machine: Machine) -> Words:
    machine.venv.write_text("precious")
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: ROOT/work/file/.venv: it cannot be made: ROOT/work/file is a file
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def an_environment_below_a_file(machine: Machine) -> Words:
    (machine.work / "file").write_text("precious")
    return ["lock", "alpha", "--venv", "file/.venv"]


@bad(
    3,
    """
    error: ROOT/work/.venv: it is no virtual environment: it has no pyvenv.cfg
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def a_folder_with_something_else(machine: Machine) -> Words:
    builders.write_tree(machine.venv, {"cat.jpg": "precious"})
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: ROOT/work/.venv: it is a link to gone, which is not there
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def a_link_that_leads_nowhere(machine: Machine) -> Words:
    machine.venv.symlink_to("gone")
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: ROOT/work/.venv: it is no virtual environment: it has no pyvenv.cfg
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def an_environment_of_another_tool(machine: Machine) -> Words:
    builders.write_tree(machine.venv, {"conda-meta": {"history": ""}, "bin": {"python": ""}})
    return ["sync", locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")]


@bad(
    3,
    """
    error: ROOT/work/.venv: it is no virtual environment: its pyvenv.cfg names no home
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def an_environment_without_a_home(machine: Machine) -> Words:
    builders.write_tree(machine.venv, {"pyvenv.cfg": "nonsense\n"})
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: ROOT/work/.venv: its interpreter, ROOT/work/.venv/bin/python, cannot be used: it does not work as a Python interpreter (exit code 7)
    next: remove what keeps it from starting: a .pth file or sitecustomize.py, most often
    """,
    states=("existing",),
)
def an_environment_whose_interpreter_does_not_start(machine: Machine) -> Words:
    (site,) = machine.venv.glob("lib/python3*/site-packages")
    (site / "aa.pth").write_text("import os; os._exit(7)\n")
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: ROOT/work/.venv/.multisite/environment.json: environment.json has format 2; this multisite knows format 1
    next: upgrade multisite: pip install --upgrade multisite
    """,
    states=("existing",),
)
def an_environment_of_a_later_format(machine: Machine) -> Words:
    path = machine.venv / ".multisite" / "environment.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: ROOT/work/closed/.venv: it cannot be made: ROOT/work/closed may not be written to
    next: choose another folder: --venv DIR
    """,
    states=("new",),
    unprivileged=True,
)
def an_environment_that_cannot_be_made(machine: Machine) -> Words:
    (machine.work / "closed").mkdir(mode=0o555)
    return ["lock", "alpha", "--venv", "closed/.venv"]


@bad(
    3,
    """
    error: ROOT/work/.venv: it cannot be changed: ROOT/work/.venv/.multisite may not be written to
    next: run it as its owner, or choose another folder: --venv DIR
    """,
    states=("existing",),
    unprivileged=True,
)
def an_environment_that_cannot_be_written(machine: Machine) -> Words:
    for folder in [machine.venv, *machine.venv.rglob("*")]:
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o555)
    return ["lock", "alpha"]


@bad(
    3,
    """
    error: ROOT/work/a:b: activation scripts cannot hold 'ROOT/work/a:b', because of the ':' in it
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def a_name_that_activation_scripts_cannot_hold(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", "a:b"]


@bad(
    3,
    """
    error: ROOT/work/a\udcff/b: activation scripts cannot hold 'ROOT/work/a\\udcff/b', because of the '\\udcff' in it
    next: choose another folder: --venv DIR
    """,
    states=("new",),
)
def an_environment_whose_name_is_no_text(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", os.fsdecode(b"a\xff/b")]


@bad(
    3,
    """
    error: ROOT/work/both: an environment and the store (ROOT/work/both) cannot lie in one another
    next: choose another folder: --venv DIR or --store DIR
    """,
    states=("new",),
)
def an_environment_that_is_the_store(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", "both", "--store", "both"]


@bad(
    3,
    """
    error: ROOT/work/inside: an environment and the store (ROOT/work/inside/store) cannot lie in one another
    next: choose another folder: --venv DIR or --store DIR
    """,
    states=("new",),
)
def a_store_inside_of_a_new_environment(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", "inside", "--store", "inside/store"]


@bad(
    3,
    """
    error: ROOT/store/inside: an environment and the store (ROOT/store) cannot lie in one another
    next: choose another folder: --venv DIR or --store DIR
    """,
    states=("new",),
)
def an_environment_inside_of_the_store(machine: Machine) -> Words:
    return ["lock", "alpha", "--venv", machine.store / "inside"]


@bad(
    3,
    """
    error: ROOT/work/.venv: there is no such folder
    next: make one: multisite lock --venv DIR
    """,
    states=("new",),
)
def no_environment_to_examine(machine: Machine) -> Words:
    return ["doctor"]


@bad(
    3,
    """
    error: ROOT/work/gone: there is no such folder
    next: make one: multisite lock --venv DIR
    """,
    states=("new",),
)
def no_environment_to_list(machine: Machine) -> Words:
    return ["list", "--venv", "gone"]


# Interpreters.


def _interpreter(machine: Machine, script: str, path: Path | None = None) -> Words:
    path = path or machine.work / "python"
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return ["lock", "alpha", "--python", path]


@bad(
    3,
    """
    error: gone/python: there is no such file
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def an_interpreter_that_is_not_there(machine: Machine) -> Words:
    return ["lock", "alpha", "--python", "./gone/python"]


@bad(
    3,
    """
    error: 3.55: no such interpreter; looked for python3.55, python3, python on PATH (the shims of version managers left out), in /nowhere/versions, and asked uv
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def a_version_of_python_that_is_not_there(machine: Machine) -> Words:
    machine.variables |= {"PATH": "/nowhere", "PYENV_ROOT": "/nowhere", "UV_PYTHON_INSTALL_DIR": "/nowhere"}
    return ["lock", "alpha", "--python", "3.55"]


@bad(
    3,
    """
    error: snake: no such interpreter; neither a path nor a version, and looked for on PATH (the shims of version managers left out)
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def a_name_that_is_no_interpreter(machine: Machine) -> Words:
    machine.variables["PATH"] = "/nowhere"
    return ["lock", "alpha", "--python", "snake"]


@bad(
    3,
    """
    error: ROOT/work/python: it does not work as a Python interpreter (exit code 127):
    a library is missing
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def an_interpreter_that_does_not_start(machine: Machine) -> Words:
    return _interpreter(machine, "echo 'a library is missing' >&2; exit 127")


@bad(
    3,
    """
    error: ROOT/work/python: it does not work as a Python interpreter (signal 9)
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def an_interpreter_that_is_killed(machine: Machine) -> Words:
    return _interpreter(machine, "kill -9 $$")


@bad(
    3,
    """
    error: ROOT/work/python: it does not work as a Python interpreter (exit code 0)
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def a_program_that_is_no_interpreter(machine: Machine) -> Words:
    return _interpreter(machine, "echo hello")


@bad(
    3,
    """
    error: ROOT/work/python: it cannot be run: Permission denied
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def an_interpreter_that_may_not_be_run(machine: Machine) -> Words:
    words = _interpreter(machine, "exit 0")
    (machine.work / "python").chmod(0o644)
    return words


@bad(
    3,
    """
    error: ROOT/work: the folder holds no interpreter (bin/python)
    next: name one that is there: --python /path/to/python
    """,
    states=("new",),
)
def a_folder_without_an_interpreter(machine: Machine) -> Words:
    return ["lock", "alpha", "--python", machine.work]


IDS = [(name, state) for name, case in CASES.items() for state in case.states]


@pytest.mark.parametrize(("name", "state"), IDS, ids=["-".join(pair) for pair in IDS])
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, name: str, state: str) -> None:
    case = CASES[name]
    if state == "existing":
        existing(machine)
    words = case.arrange(machine)
    words = words if "-v" in words else [*words[:1], "-q", *words[1:]]
    before = files(machine.store, machine.venv, machine.work)
    done = machine.run_unprivileged(*words) if case.unprivileged else machine.run(*words)
    assert (shown(done.err, machine), done.code, done.out) == (case.message, case.code, "")
    assert files(machine.store, machine.venv, machine.work) == before


# No room on the disk.


@pytest.fixture
def small_disk(machine: Machine) -> Iterator[Callable[[Path, str], None]]:
    mounted: list[Path] = []

    def mount(folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no disk can be mounted here")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def _large(machine: Machine) -> Words:
    wheel = machine.wheel("large", files={"large.bin": os.urandom(300_000)}, compression=zipfile.ZIP_STORED)
    return ["sync", "-q", locked(machine, wheel)]


def test_a_full_store(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    (machine.store / "store.json").unlink()
    small_disk(machine.store, "128k")
    Store.open(machine.store)
    words = _large(machine)
    before = files(machine.store, machine.work)
    done = machine.run(*words)
    message = "error: store ROOT/store: No space left on device\nnext: choose another: --store DIR or MULTISITE_STORE\n"
    assert (shown(done.err, machine), done.code) == (message, 3)
    assert files(machine.store, machine.work) == before


def test_a_full_place_for_environments(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    small_disk(machine.work / "small", "8k")
    words: Words = [
        "sync",
        "-q",
        "--venv",
        "small/.venv",
        locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl"),
    ]
    done = machine.run(*words)
    place = "ROOT/work/small/.venv"
    message = f"error: {place}: it cannot be made: No space left on device\nnext: choose another folder: --venv DIR\n"
    assert (shown(done.err, machine), done.code) == (message, 3)
    assert list((machine.work / "small").iterdir()) == []


def test_a_full_environment(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    existing(machine)
    wheel = machine.wheel("large", data={"data": {"large.bin": os.urandom(600_000)}}, compression=zipfile.ZIP_STORED)
    words: Words = ["sync", "-q", locked(machine, wheel)]
    kept = machine.venv.rename(machine.work / "kept")
    small_disk(machine.venv, "512k")
    subprocess.run(["cp", "-a", f"{kept}/.", str(machine.venv)], check=True)
    before = {name: content for name, content in files(machine.venv).items() if not name.endswith("next.json")}
    done = machine.run(*words)
    assert re.fullmatch(
        r"error: (.*): No space left on device\nnext: make room there, then run the same command again\n", done.err
    )
    assert done.err.startswith(f"error: {machine.venv}/")
    assert done.code == 3
    assert machine.python("import kept; print(kept.version)").out == "1.0\n"
    after = {name: content for name, content in files(machine.venv).items() if not name.endswith("next.json")}
    assert after == before


def test_a_full_cache(machine: Machine, small_disk: Callable[[Path, str], None]) -> None:
    small_disk(machine.folder / "cache", "64k")
    machine.variables["MULTISITE_CACHE"] = str(machine.folder / "cache")
    words = _large(machine)
    before = files(machine.store, machine.venv)
    done = machine.run(*words)
    assert re.sub("work/[0-9a-f]{16}", "work/X", shown(done.err, machine)) == (
        "error: large-1.0-py3-none-any.whl: could not be fetched from INDEX/files/large-1.0-py3-none-any.whl: "
        "No space left on device: ROOT/cache/work/X/large\n"
        "next: make room there, or choose another folder: MULTISITE_CACHE\n"
    )
    assert done.code == 3
    assert files(machine.store, machine.venv) == before
    assert [path.name for path in (machine.folder / "cache").rglob("*") if path.is_file()] == ["CACHEDIR.TAG"]


@pytest.mark.parametrize("size", [100_000, 4_000])
def test_files_that_may_not_be_so_large(machine: Machine, size: int) -> None:
    words = _large(machine)
    before = files(machine.store, machine.venv)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # noqa: E731
    with machine.spawn(*words, preexec_fn=limit) as process:
        _, err = process.communicate()
    assert re.sub("work/[0-9a-f]{16}", "work/X", shown(err, machine)) == (
        "error: large-1.0-py3-none-any.whl: could not be fetched from INDEX/files/large-1.0-py3-none-any.whl: "
        "File too large: ROOT/home/.cache/multisite/work/X/large\n"
        "next: make room there, or choose another folder: MULTISITE_CACHE\n"
    )
    assert process.returncode == 3
    assert files(machine.store, machine.venv) == before


# A person who has waited long enough.


@pytest.fixture
def hears_hangups() -> Iterator[None]:
    """Commands are deaf to them where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nobody_waits_for_a_silent_server(machine: Machine, number: signal.Signals, hears_hangups: None) -> None:
    held, fault = threading.Event(), Fault()
    fault.hold = held
    machine.index.fail("alpha-1.0-py3-none-any.whl", fault)
    lock = locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")
    before = files(machine.store, machine.venv)
    with machine.spawn("sync", lock) as process:
        assert fault.arrived.wait(60)
        process.send_signal(number)
        _, err = process.communicate()  # the server is silent still
    assert not held.is_set()
    held.set()
    said = "interrupted" if number == signal.SIGINT else "terminated"
    assert (err.splitlines()[-1], process.returncode) == (said, 128 + number)
    assert files(machine.store, machine.venv) == before


def test_a_current_folder_that_is_gone(machine: Machine) -> None:
    existing(machine)
    command = ["/bin/sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
    for words in (["list", "--venv", machine.venv], ["sync", "-q"]):
        done = subprocess.run(
            [*command, *machine.command(*words)],
            cwd=machine.work,
            env={**machine.environ(), "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.splitlines() == [
            "error: the current folder cannot be used: No such file or directory",
            "next: cd to one that is there, and try again",
        ]


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


# What is damaged and can be mended is mended.


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".multisite/environment.json", b"{"),
        (".multisite/environment.json", b""),
        (".multisite/table", b"torn"),
        (".multisite/runtime", None),
        ("pylock.toml", None),
    ],
)
def test_a_damaged_environment_is_mended_by_sync(machine: Machine, path: str, content: bytes | None) -> None:
    existing(machine)
    damaged = machine.venv / path
    if content is not None:
        damaged.write_bytes(content)
    elif damaged.is_dir():
        shutil.rmtree(damaged)
    else:
        damaged.unlink()
    machine.run("sync").succeeded()
    assert machine.run("doctor").code == 0
    assert machine.python("import kept; print(kept.version)").out == "1.0\n"


# A new environment is whole, or not there.


@pytest.mark.parametrize("folder", [False, True], ids=["missing", "an empty folder"])
@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("multisite.lockstep.Lockstep.write", OSError(errno.ENOSPC, "No space left on device", "/x")),
        ("multisite.switching.conclude", KeyboardInterrupt()),
        ("multisite.bootstrap.Bootstrap.write", PermissionError(errno.EACCES, "Permission denied", "/x")),
    ],
)
def test_a_new_environment_that_fails_goes_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, place: str, failure: BaseException, folder: bool
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    if folder:
        machine.venv.mkdir()
    lock = locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")
    with monkeypatch.context() as patched:
        patched.setattr(place, fail)
        assert machine.run("sync", lock).code == (130 if isinstance(failure, KeyboardInterrupt) else 3)
    assert machine.venv.exists() is folder
    assert not folder or list(machine.venv.iterdir()) == []
    assert list((machine.store / "environments").glob("*.json")) == []
    machine.run("sync", lock).succeeded()
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"


def test_an_environment_stays_whoever_reads_the_report(machine: Machine) -> None:
    lock = locked(machine, machine.index.folder / "alpha-1.0-py3-none-any.whl")
    reading, writing = os.pipe()
    os.close(reading)
    with machine.spawn("sync", "--json", lock, stdout=writing) as process:
        os.close(writing)
        process.communicate()
    assert process.returncode == 1
    assert machine.python("import alpha; print(alpha.version)").out == "1.0\n"

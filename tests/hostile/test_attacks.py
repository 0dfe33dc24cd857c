"""What other tools do to an environment: it answers as a plain one does, and the store stays what it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.container import can_be_made
from tests.hostile.attack import Attack
from tests.hostile.running import contents, problems, unprivileged_problems
from tests.hostile.setup import Setup
from tests.hostile.table import ATTACKS
from tests.hostile.tools import TOOLS
from tests.pythons import SUPPORTED, found_pythons

OpenSetup = Callable[[str], Setup]
# One Python in every run, and of those that have pip's older back end a few commands.
_USUAL = "3.12"
_OLDER = ("3.8", {"pip-list", "pip-upgrade", "pip-uninstall-locked"})
# What another account does is looked at in every run for one row of each kind.
_TWICE = {"pip-upgrade", "uv-pip-uninstall-shown", "compileall-in-place"}
_EXHAUSTIVE = [pytest.mark.slow, pytest.mark.exhaustive]


def _rows(usual: Callable[[Attack, str], bool], *, looking: bool) -> Iterator[object]:
    group = count()
    for version in SUPPORTED:
        for row in ATTACKS:
            if row.python.contains(version) and (looking or not row.looks):
                marks = [] if usual(row, version) else _EXHAUSTIVE
                # The two environments are made once for all rows of a process.
                number = next(group) % 2 if version == _USUAL else 0
                place = pytest.mark.xdist_group(f"hostile-{version}-{number}")
                yield pytest.param(row, version, id=f"{row.id}-{version}", marks=[*marks, place])


def _is_usual(row: Attack, version: str) -> bool:
    return (version == _USUAL and not row.thorough) or (version == _OLDER[0] and row.id in _OLDER[1])


@pytest.fixture(scope="session")
def open_setup() -> Iterator[OpenSetup]:
    with ExitStack() as stack:
        known: dict[str, Setup] = {}

        def opened(version: str) -> Setup:
            if version not in found_pythons():
                pytest.skip(f"no CPython {version} on this machine")
            if version not in known:
                known[version] = stack.enter_context(Setup.opened(version))
            return known[version]

        yield opened


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in TOOLS])
def test_tool(row: Attack, open_setup: OpenSetup) -> None:
    found = problems(open_setup(_USUAL), row)
    assert not found, "\n\n".join([row.id, *found])


def _skip_without_programs(row: Attack) -> None:
    for program in row.programs:
        if not shutil.which(program):
            pytest.skip(f"no {program} on this machine")


@pytest.mark.parametrize(("row", "version"), [*_rows(_is_usual, looking=True)])
def test_attack(row: Attack, version: str, open_setup: OpenSetup) -> None:
    _skip_without_programs(row)
    found = problems(open_setup(version), row)
    assert not found, "\n\n".join([row.id, *found])


@pytest.mark.skipif(not can_be_made(), reason="taking another account needs root")
@pytest.mark.parametrize(
    ("row", "version"), [*_rows(lambda row, version: version == _USUAL and row.id in _TWICE, looking=False)]
)
def test_the_store_s_owner_is_as_harmless_as_root(row: Attack, version: str, open_setup: OpenSetup) -> None:
    _skip_without_programs(row)
    found = unprivileged_problems(open_setup(version), row)
    assert not found, "\n\n".join([row.id, *found])


_ALPHA = "$STORE/multi-site-packages/alpha/*/*/site-packages/alpha"


@pytest.mark.xdist_group(f"hostile-{_USUAL}-0")
@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("echo | tee -a {}/__init__.py >/dev/null", "__init__.py is another"),
        ("chmod a+x {}/__init__.py", "__init__.py is another"),
        ("touch $(dirname {}/__init__.py)/more.py", "more.py is new"),
        ("rm {}/new_in_1_0.py", "new_in_1_0.py is gone"),
        ("mkdir $STORE/more", "more is new"),
    ],
)
def test_what_is_done_to_the_store_is_noticed(command: str, what: str, open_setup: OpenSetup) -> None:
    row = Attack(id="on-the-store", commands=(f"test ! -d $STORE || {{ {command.format(_ALPHA)}; }}",), looks=True)
    (found,) = problems(open_setup(_USUAL), row)
    assert found.endswith(what), found


@pytest.mark.xdist_group(f"hostile-{_USUAL}-0")
def test_what_a_tool_says_is_compared(open_setup: OpenSetup) -> None:
    setup = open_setup(_USUAL)
    (found,) = problems(setup, Attack(id="tells", commands=("test -e $VENV/.multisite && echo here",), looks=True))
    assert found.startswith("what they say differs; expected:\nfound:\n-(exit 1)\n+here\n"), found
    (found,) = problems(setup, Attack(id="writes", commands=("touch $VENV/more",), looks=True))
    assert found == "more is new"


@pytest.mark.xdist_group(f"hostile-{_USUAL}-1")
def test_no_file_of_the_environment_is_one_of_the_store(open_setup: OpenSetup) -> None:
    setup = open_setup(_USUAL)
    setup.restore()
    venv = setup.folder("multisite") / ".venv"
    of_store = {(found.st_dev, found.st_ino) for found in (path.lstat() for path in setup.store.rglob("*"))}
    assert len(contents(setup.store)) <= len(of_store)
    for path in venv.rglob("*"):
        found = path.lstat()
        assert (found.st_dev, found.st_ino) not in of_store, path
        assert str(setup.store) not in (os.readlink(path) if path.is_symlink() else ""), path

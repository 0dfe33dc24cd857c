"""An environment and a store in a container: copied or mounted, at other places, read-only, for another user."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.container import NOBODY, Container, can_be_made, open_folder
from tests.machine import Done, Machine
from tests.pythons import found_pythons

pytestmark = pytest.mark.skipif(not can_be_made(), reason="containers need root")

APP, STORE = Path("/srv/app/.venv"), Path("/srv/store")
PROBE = """\
import alpha, importlib.metadata as m
print(alpha.version, m.version('alpha'), alpha.__file__.split('/multi-site-packages')[0])
"""


@pytest.fixture(params=["3.8", "3.13"])
def python(request: pytest.FixtureRequest) -> Path:
    if request.param not in found_pythons():
        pytest.skip(f"no Python {request.param} here")
    return found_pythons()[str(request.param)]


@pytest.fixture
def built(python: Path) -> Iterator[Machine]:
    """Return the stage that builds: a store, and an environment in which alpha is locked."""
    with open_folder() as folder, Machine.opened(folder / "build") as machine:
        machine.wheel(
            "alpha",
            files={
                "alpha.py": "version = '1.0'\ndef main():\n    print('alpha answers')\n",
                "alpha_template": {"module.py": "class {{ name }}(:\n"},
            },
            entry_points={"console_scripts": {"alpha": "alpha:main"}},
            data={"data": {"share": {"alpha.txt": "text"}}},
        )
        machine.run("lock", "alpha", "--python", python).succeeded()
        yield machine


@pytest.fixture
def elsewhere(built: Machine, python: Path) -> Container:
    """Return the final stage: environment and store at other places, the others not there."""
    return Container(
        binds={built.venv: APP, built.store: STORE},
        hidden=[built.folder.parent],
        read_only=[APP, STORE],
        interpreters=[python.parents[1]],
        user=NOBODY,
    )


def run(container: Container, code: str, *options: str, **variables: str) -> Done:
    return container.run(APP / "bin" / "python", *options, "-c", code, environ=variables)


def test_the_same_places_in_both_stages(built: Machine, python: Path) -> None:
    container = Container(user=NOBODY, read_only=[built.folder], interpreters=[python.parents[1]])
    done = container.run(built.venv / "bin" / "python", "-c", PROBE)
    assert done == Done(0, f"1.0 1.0 {built.store}\n", "")
    assert container.run(built.venv / "bin" / "alpha") == Done(0, "alpha answers\n", "")
    assert (built.venv / "share" / "alpha.txt").read_text() == "text"


def test_a_store_at_another_place(elsewhere: Container) -> None:
    assert run(elsewhere, PROBE, MULTISITE_STORE=str(STORE)) == Done(0, f"1.0 1.0 {STORE}\n", "")
    # Without the variable, or where it is not heard, it says what is wrong.
    for options, variables in (((), {}), (("-I",), {"MULTISITE_STORE": str(STORE)})):
        done = run(elsewhere, PROBE, *options, **variables)
        assert done.code == 1
        first, *_, last = done.err.splitlines()
        assert first.startswith(
            f"multisite: {APP}: its store is missing or cannot be read, nothing locked can be imported: "
        )
        assert last.endswith(f"run: multisite sync --venv {APP}")


def test_an_environment_at_another_place_has_its_programs_where_they_were(elsewhere: Container) -> None:
    assert elsewhere.run(APP / "bin" / "alpha").code == 127
    as_module = elsewhere.run(
        APP / "bin" / "python", "-c", "import alpha; alpha.main()", environ={"MULTISITE_STORE": str(STORE)}
    )
    assert as_module == Done(0, "alpha answers\n", "")


def multisite(container: Container, *words: str | Path) -> Done:
    inside = replace(container, user=None, interpreters=())
    return inside.run(sys.executable, "-m", "multisite", *words, "--venv", APP, environ={"MULTISITE_STORE": str(STORE)})


def test_the_command_line_there(elsewhere: Container) -> None:
    listed = multisite(elsewhere, "list")
    assert (listed.code, listed.out.splitlines()[1].split()[:2]) == (0, ["alpha", "1.0"])
    doctor = multisite(elsewhere, "doctor")
    assert doctor.code == 1
    assert "[script-interpreter] bin/alpha" in doctor.out
    # Its programs would have to be written anew, and cannot be.
    sync = multisite(elsewhere, "sync")
    assert (sync.code, "Read-only file system" in sync.err, "Traceback" in sync.err) == (3, True, False)
    writable = replace(elsewhere, read_only=())
    assert multisite(writable, "sync").code == 0
    assert elsewhere.run(APP / "bin" / "alpha") == Done(0, "alpha answers\n", "")
    # From now on the environment itself knows where the store is.
    assert run(elsewhere, PROBE, "-I") == Done(0, f"1.0 1.0 {STORE}\n", "")
    assert multisite(elsewhere, "doctor").code == 0
    assert multisite(elsewhere, "sync").code == 0


def copied(source: Path, target: Path, *, times: bool) -> None:
    """Copy as the tools of images do: links as links, modes, times in whole seconds or not at all."""
    shutil.copytree(source, target, symlinks=True)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            seconds = int((source / path.relative_to(target)).stat().st_mtime) if times else 0
            os.utime(path, (seconds, seconds))


@pytest.mark.parametrize("times", [True, False], ids=["seconds", "none"])
def test_copies_with_other_times(built: Machine, elsewhere: Container, times: bool) -> None:
    final = built.folder.parent / "final"
    copied(built.venv, final / "venv", times=times)
    copied(built.store, final / "store", times=times)
    container = replace(elsewhere, binds={final / "venv": APP, final / "store": STORE})
    assert run(container, PROBE, MULTISITE_STORE=str(STORE)) == Done(0, f"1.0 1.0 {STORE}\n", "")


def test_bytecode_that_the_build_stage_made(built: Machine, elsewhere: Container, python: Path) -> None:
    built.run("sync", "--compile", "all").succeeded()  # what no compiler takes is passed over
    final = built.folder.parent / "final"
    copied(built.store, final / "store", times=False)
    container = replace(elsewhere, binds={built.venv: APP, final / "store": STORE})
    (source,) = (final / "store").rglob("alpha.py")
    source.write_text("raise RuntimeError('compiled again')\n")
    assert run(container, PROBE, MULTISITE_STORE=str(STORE)).code == 0
    assert built.run("doctor", "--deep").code == 0


def test_bytecode_in_a_folder_of_its_own(elsewhere: Container, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    kept = Path("/srv/bytecode")
    container = replace(elsewhere, binds={**elsewhere.binds, tmp_path: kept})
    done = run(container, PROBE, MULTISITE_STORE=str(STORE), PYTHONPYCACHEPREFIX=str(kept))
    assert done.code == 0
    assert list(tmp_path.rglob("alpha.*.pyc"))


def test_a_sync_where_only_times_are_others(built: Machine, python: Path) -> None:
    """Nothing has to be written, so that nothing can be written is no failure."""
    os.utime(built.lockfile, (1700000000, 1700000000))
    same = Container(read_only=[built.venv, built.store])
    for command in ("doctor", "sync"):
        done = same.run(sys.executable, "-m", "multisite", command, "--venv", built.venv)
        assert (done.code, done.out) == (0, ""), done.err
    assert done.err.endswith("unchanged; 1 distribution\n")

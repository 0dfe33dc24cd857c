"""Sources that cannot be built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests import builders
from tests.bad_input.case import Case, Cases, Words, hashed, lockfile

if TYPE_CHECKING:
    from tests.machine import Machine

bad = Cases()


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


@bad.each
def test_bad_input_gets_a_sentence_and_does_no_damage(machine: Machine, case: Case, state: str) -> None:
    case.check(machine, state)

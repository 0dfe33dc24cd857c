from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import packaging
import pytest

from multisite.errors import InterpreterNotUsable
from multisite.interpreter import Interpreter, base_executable, inspect_interpreter, interpreter_facts
from multisite.interpreters import find_interpreter
from tests.pythons import SUPPORTED, found_pythons

PYTHONS = found_pythons()
# packaging of today does not import on these.
RUNS_PACKAGING = [version for version in PYTHONS if version != "3.8"]

ASK_PACKAGING = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging.tags import sys_tags
from packaging.markers import default_environment
print(json.dumps([list(map(str, sys_tags())), default_environment()]))
"""


@pytest.fixture(scope="module", params=PYTHONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("version", RUNS_PACKAGING)
def test_tags_and_markers_are_those_of_packaging_in_the_interpreter(version: str) -> None:
    python = PYTHONS[version]
    folder = str(Path(packaging.__file__).parent.parent)
    output = subprocess.run([python, "-I", "-c", ASK_PACKAGING, folder], capture_output=True, check=True).stdout
    tags, environment = json.loads(output)
    found = inspect_interpreter(python)
    assert list(found.tags) == tags
    assert found.marker_environment == environment


def test_what_an_interpreter_says(version: str) -> None:
    found = inspect_interpreter(PYTHONS[version])
    assert found.implementation == "cpython"
    assert ".".join(map(str, found.version_info[:2])) == version
    assert found.version.startswith(version)
    assert found.library == f"python{version}"
    assert found.cache_tag == f"cpython-{version.replace('.', '')}"
    assert found.tags[0].startswith(f"cp{version.replace('.', '')}-")
    assert found.marker_environment["python_version"] == version
    assert {"sys", "json", "dataclasses", "_ctypes", "unittest"} <= found.stdlib_names
    assert "pip" not in found.stdlib_names
    assert found.base_executable.is_file()


def test_facts_are_plain_values(version: str) -> None:
    facts = interpreter_facts(PYTHONS[version])
    assert json.loads(json.dumps(facts)) == facts


def test_the_key_has_no_path_in_it_and_is_the_same_in_an_environment(version: str, tmp_path: Path) -> None:
    python = PYTHONS[version]
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    found, inside = inspect_interpreter(python), inspect_interpreter(tmp_path / "venv" / "bin" / "python")
    assert inside.key == found.key
    assert "/" not in found.key
    assert found.key.startswith(f"cpython-{found.version}-")
    assert inside.prefix == tmp_path / "venv"
    assert inside.base_prefix == found.base_prefix


def test_keys_differ(interpreters: dict[str, Path]) -> None:
    keys = [inspect_interpreter(python).key for python in interpreters.values()]
    assert len(set(keys)) == len(keys)


def test_the_base_of_an_environment_in_an_environment(version: str, tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "inner"
    subprocess.run([PYTHONS[version], "-m", "venv", "--without-pip", outer], check=True)
    subprocess.run([outer / "bin/python", "-m", "venv", "--without-pip", inner], check=True)
    base = inspect_interpreter(PYTHONS[version]).base_prefix
    for python in (outer / "bin/python", inner / "bin/python"):
        found = inspect_interpreter(python).base_executable
        assert not found.is_relative_to(tmp_path)
        assert found.parent.parent.samefile(base)


def test_a_base_reached_through_links(tmp_path: Path) -> None:
    for folder in ("installation/bin", "elsewhere", "further"):
        (tmp_path / folder).mkdir(parents=True)
    real = tmp_path / "installation/bin/python3.12"
    real.touch()
    (tmp_path / "elsewhere/python3").symlink_to("../installation/bin/python3.12")
    (tmp_path / "further/python").symlink_to(tmp_path / "elsewhere/python3")
    assert base_executable(tmp_path / "further/python", tmp_path / "installation", (3, 12)) == real


def test_a_base_that_is_nowhere_is_what_the_interpreter_says(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.symlink_to("python")
    assert base_executable(program, tmp_path / "gone", (3, 12)) == program


def facts(**changes: Any) -> dict[str, Any]:
    plain = {
        "version_info": [3, 13, 0],
        "base_executable": "/usr/bin/python3",
        "prefix": "/usr",
        "base_prefix": "/usr",
        "cache_tag": "cpython-313",
        "pointer": 8,
        "platform": "linux-x86_64",
        "system": "Linux",
        "ext_suffix": ".cpython-313-x86_64-linux-gnu.so",
        "nodot": "313",
        "free_threaded": False,
        "debug": False,
        "mac": ["", ""],
        "glibc": [2, 17],
        "musl": None,
        "header": [],
        "refused": [],
        "stdlib": ["sys"],
        "markers": {
            "implementation_name": "cpython",
            "python_full_version": "3.13.0",
            "platform_machine": "x86_64",
        },
    }
    return {**plain, **changes}


def derived(**changes: Any) -> Interpreter:
    return Interpreter.from_facts(Path("/usr/bin/python3"), facts(**changes))


def platforms(found: Interpreter) -> list[str]:
    return [tag.split("-")[2] for tag in found.tags if tag.startswith("py3-none-") and not tag.endswith("-any")]


ARM_HARD_FLOAT = [*b"\x7fELF\x01", *[0] * 13, 40, 0, *[0] * 16, 0x00, 0x04, 0x00, 0x05, *[0] * 12]
ARM_SOFT_FLOAT = [*b"\x7fELF\x01", *[0] * 13, 40, 0, *[0] * 16, 0x00, 0x02, 0x00, 0x05, *[0] * 12]
I386 = [*b"\x7fELF\x01", *[0] * 13, 3, 0, *[0] * 32]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"glibc": [2, 6]},
            ["linux_x86_64", "manylinux_2_6_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64"],
        ),
        ({"glibc": [2, 6], "refused": [[2, 5]]}, ["linux_x86_64", "manylinux_2_6_x86_64"]),
        (
            {"glibc": [2, 18], "platform": "linux-aarch64"},
            ["linux_aarch64", "manylinux_2_18_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
        ),
        ({"glibc": [2, 18], "platform": "linux-mips64"}, ["linux_mips64"]),
        (
            {"glibc": None, "musl": [1, 2]},
            ["linux_x86_64", "musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64"],
        ),
        ({"glibc": None}, ["linux_x86_64"]),
        (
            {"glibc": [2, 5], "pointer": 4, "header": I386},
            ["linux_i686", "manylinux_2_5_i686", "manylinux1_i686"],
        ),
        ({"glibc": [2, 5], "pointer": 4, "header": []}, ["linux_i686"]),
        (
            {"glibc": [2, 17], "pointer": 4, "platform": "linux-aarch64", "header": ARM_HARD_FLOAT},
            [
                "linux_armv8l",
                "linux_armv7l",
                "manylinux_2_17_armv8l",
                "manylinux2014_armv8l",
                "manylinux_2_17_armv7l",
                "manylinux2014_armv7l",
            ],
        ),
        ({"pointer": 4, "platform": "linux-armv7l", "header": ARM_SOFT_FLOAT}, ["linux_armv7l"]),
        ({"system": "Windows", "platform": "win-amd64", "glibc": None}, ["win_amd64"]),
        ({"system": "FreeBSD", "platform": "freebsd-14.1-amd64", "glibc": None}, ["freebsd_14_1_amd64"]),
    ],
)
def test_platforms(changes: dict[str, Any], expected: list[str]) -> None:
    assert platforms(derived(**changes)) == expected


def test_platforms_of_a_mac() -> None:
    found = platforms(derived(system="Darwin", platform="macosx-11.0-arm64", mac=["14.5", "arm64"], glibc=None))
    assert found[:2] == ["macosx_14_0_arm64", "macosx_14_0_universal2"]
    assert "macosx_10_4_universal2" in found


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"free_threaded": True}, ["cp313-cp313t-linux_x86_64"]),
        ({"debug": True}, ["cp313-cp313d-linux_x86_64"]),
        ({"free_threaded": True, "debug": True}, ["cp313-cp313td-linux_x86_64"]),
    ],
)
def test_abis(changes: dict[str, Any], first: list[str]) -> None:
    assert list(derived(**changes).tags[:1]) == first


def test_a_debug_build_takes_plain_wheels() -> None:
    assert "cp313-cp313-linux_x86_64" in derived(debug=True).tags


def test_a_free_threaded_build_takes_no_wheels_of_the_stable_abi() -> None:
    found = derived(free_threaded=True)
    assert not [tag for tag in found.tags if "-abi3-" in tag]
    assert found.library == "python3.13t"


@pytest.mark.parametrize(
    "changes",
    [
        {"glibc": [2, 39]},
        {"glibc": None, "musl": [1, 2]},
        {"refused": [[2, 17]]},
        {"free_threaded": True},
        {"debug": True},
        {"pointer": 4, "header": I386},
        {"ext_suffix": ".so"},
        {"platform": "linux-aarch64"},
    ],
)
def test_the_key_tells_apart_what_builds_depend_on(changes: dict[str, Any]) -> None:
    assert derived(**changes).key != derived().key


@pytest.mark.parametrize("changes", [{"prefix": "/opt"}, {"base_prefix": "/opt"}, {"base_executable": "/opt/python"}])
def test_the_key_does_not_depend_on_paths(changes: dict[str, Any]) -> None:
    assert derived(**changes).key == derived().key


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def answering(path: Path, implementation: str, version: list[int]) -> Path:
    answer = json.dumps({"implementation": implementation, "version_info": version})
    return program(path, f"#!/bin/sh\necho 'noise of a start-up file'\necho 'multisite facts: {answer}'\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#!/bin/sh\necho broken >&2\nexit 127\n", "it does not work as a Python interpreter (exit code 127):\nbroken"),
        ("#!/bin/sh\nkill -9 $$\n", "it does not work as a Python interpreter (signal 9)"),
        ("#!/bin/sh\nexit 0\n", "it does not work as a Python interpreter (exit code 0)"),
        (
            "#!/bin/sh\necho 'Unknown option: -I' >&2\nexit 2\n",
            "it knows no -I, so it is no Python that multisite supports (CPython 3.8 and later)",
        ),
        (
            "#!/bin/sh\necho 'multisite facts: {'\n",
            "its answer cannot be read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        ("#!/nowhere/python\n", "it cannot be run: No such file or directory"),
    ],
)
def test_what_is_no_interpreter(tmp_path: Path, text: str, reason: str) -> None:
    path = program(tmp_path / "python", text)
    with pytest.raises(InterpreterNotUsable) as caught:
        inspect_interpreter(path)
    assert str(caught.value) == f"{path}: {reason}"


@pytest.mark.parametrize(
    ("implementation", "version", "found"),
    [("CPython", [3, 7, 16], "CPython 3.7.16"), ("PyPy", [3, 10, 14], "PyPy 3.10.14")],
)
def test_what_is_not_supported(tmp_path: Path, implementation: str, version: list[int], found: str) -> None:
    path = answering(tmp_path / "python", implementation, version)
    with pytest.raises(InterpreterNotUsable) as caught:
        inspect_interpreter(path)
    assert str(caught.value) == f"{path}: it is {found}; multisite supports CPython 3.8 and later"


class Machine:
    """A machine without interpreters but those that a test puts on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "PATH": f"{folder / 'shims'}{os.pathsep}{folder / 'bin'}",
            "PYENV_ROOT": str(folder / "pyenv"),
            "HOME": str(folder),
            "UV_PYTHON_INSTALL_DIR": str(folder / "uv"),
            "UV_CACHE_DIR": str(folder / "cache"),
        }
        self.asked: list[Path] = []

    def put(self, place: str, version: tuple[int, int, int] = (3, 12, 1), *, free_threaded: bool = False) -> Path:
        return program(self.folder / place, f"{version} {free_threaded}")

    def find(self, wanted: str | None) -> Path:
        return find_interpreter(wanted, self.environ, inspect=self._inspect).executable

    def _inspect(self, path: Path) -> Interpreter:
        self.asked.append(path)
        text = path.read_text()
        if not text.startswith("("):
            raise InterpreterNotUsable(str(path), "it is broken")
        numbers, _, free_threaded = text[1:].partition(") ")
        changes = facts(version_info=list(map(int, numbers.split(","))), free_threaded=free_threaded == "True")
        return Interpreter.from_facts(path, changes)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("wanted", ["3.12", "3.12.1", "python3.12", "cpython@3.12", "python3", "3", "312", "py"])
def test_a_version_on_path(machine: Machine, wanted: str) -> None:
    if wanted == "py":
        machine.put("bin/py")
        assert machine.find(wanted) == machine.folder / "bin/py"
        return
    machine.put("bin/python3.12")
    machine.put("bin/python3")
    assert machine.find(wanted).parent == machine.folder / "bin"


def test_of_several_names_the_most_telling_one(machine: Machine) -> None:
    machine.put("bin/python")
    wanted = machine.put("bin/python3.12")
    assert machine.find("3.12") == wanted
    assert machine.asked == [wanted]


def test_another_patch_release_is_another_interpreter(machine: Machine) -> None:
    machine.put("bin/python3.12", (3, 12, 1))
    wanted = machine.put("pyenv/versions/3.12.4/bin/python", (3, 12, 4))
    assert machine.find("3.12.4") == wanted


def test_free_threaded_only_when_asked(machine: Machine) -> None:
    free = machine.put("bin/python3.13t", (3, 13, 0), free_threaded=True)
    machine.put("bin/python3.13", (3, 13, 0), free_threaded=True)
    plain = machine.put("pyenv/versions/3.13.0/bin/python", (3, 13, 0))
    assert machine.find("3.13") == plain
    assert machine.find("3.13t") == free


def test_shims_are_left_out(machine: Machine) -> None:
    program(machine.folder / "shims/python3.12", "a shim")
    wanted = machine.put("pyenv/versions/3.12.1/bin/python")
    assert machine.find("3.12") == wanted
    assert machine.asked == [wanted]


def test_the_newest_of_pyenv(machine: Machine) -> None:
    for micro in (9, 10, 2):
        machine.put(f"pyenv/versions/3.12.{micro}/bin/python", (3, 12, micro))
    machine.put("pyenv/versions/tools/bin/python")
    assert machine.find("3.12") == machine.folder / "pyenv/versions/3.12.10/bin/python"


def test_a_broken_one_is_passed_over(machine: Machine) -> None:
    program(machine.folder / "bin/python3.12", "broken")
    wanted = machine.put("pyenv/versions/3.12.1/bin/python")
    assert machine.find("3.12") == wanted


def test_what_uv_knows(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = machine.put("uv/cpython-3.12.1/bin/python3.12")
    asked = machine.folder / "asked"
    uv = program(machine.folder / "tools/uv", f'#!/bin/sh\necho "$@" > {asked}\necho {wanted}\n')
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(uv))
    assert machine.find("3.12") == wanted
    assert asked.read_text().split() == [
        *("python", "find", "--no-python-downloads", "--no-project", "--no-config", "cpython@3.12")
    ]


def test_without_uv(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("uv.find_uv_bin", missing)
    with pytest.raises(InterpreterNotUsable, match="no such interpreter"):
        machine.find("3.12")


def test_a_named_one_that_is_broken(machine: Machine) -> None:
    broken = program(machine.folder / "bin/snake", "broken")
    with pytest.raises(InterpreterNotUsable) as caught:
        machine.find("snake")
    assert str(caught.value).endswith(f"\n  - {broken}: it is broken")


def test_an_interpreter_that_gives_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from multisite import interpreter

    monkeypatch.setattr(interpreter, "_TIMEOUT", 0.2)
    path = program(tmp_path / "python", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(InterpreterNotUsable) as caught:
        inspect_interpreter(path)
    assert str(caught.value) == f"{path}: it gave no answer in 0.2 seconds"


def test_a_version_that_is_nowhere(machine: Machine) -> None:
    broken = program(machine.folder / "bin/python3.99", "broken")
    with pytest.raises(InterpreterNotUsable) as caught:
        machine.find("3.99")
    assert str(caught.value) == (
        "3.99: no such interpreter; looked for python3.99, python3, python on PATH (the shims of version managers left "
        f"out), in {machine.folder / 'pyenv/versions'}, and asked uv\n  - {broken}: it is broken"
    )
    assert caught.value.hint == "name one that is there: --python /path/to/python"


def test_a_name_that_is_nowhere(machine: Machine) -> None:
    with pytest.raises(InterpreterNotUsable) as caught:
        machine.find("snake")
    assert str(caught.value) == (
        "snake: no such interpreter; neither a path nor a version, and looked for on PATH (the shims of version "
        "managers left out)"
    )


def test_a_path(machine: Machine) -> None:
    wanted = machine.put("somewhere/snake")
    assert machine.find(str(wanted)) == wanted


def test_a_folder(machine: Machine) -> None:
    wanted = machine.put("project/.venv/bin/python")
    assert machine.find(str(machine.folder / "project/.venv")) == wanted


def test_a_folder_in_the_current_one(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.put(".venv/bin/python")
    monkeypatch.chdir(machine.folder)
    assert machine.find(".venv") == Path(".venv/bin/python")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [("missing/python", "there is no such file"), ("empty/", "the folder holds no interpreter (bin/python)")],
)
def test_a_path_without_interpreter(machine: Machine, wanted: str, reason: str) -> None:
    (machine.folder / "empty").mkdir()
    with pytest.raises(InterpreterNotUsable) as caught:
        machine.find(f"{machine.folder}/{wanted}")
    assert str(caught.value) == f"{machine.folder / wanted}: {reason}"


def test_nothing_wanted_is_the_active_environment(machine: Machine) -> None:
    wanted = machine.put("venv/bin/python")
    machine.environ["VIRTUAL_ENV"] = str(machine.folder / "venv")
    assert machine.find(None) == wanted


def test_nothing_wanted_and_none_active_is_the_installation_that_runs_us() -> None:
    found = find_interpreter(None, {})
    assert found.version_info == sys.version_info[:3]
    assert found.prefix == found.base_prefix == Path(sys.base_prefix)


@pytest.mark.parametrize("version", SUPPORTED)
def test_versions_of_this_machine(version: str) -> None:
    if version not in PYTHONS:
        pytest.skip(f"no CPython {version} here")
    found = find_interpreter(version, os.environ)
    assert ".".join(map(str, found.version_info[:2])) == version
